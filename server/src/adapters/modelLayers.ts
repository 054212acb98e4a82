/** Layers all over a model, by the ends of their paths: where one `apply_lora(model, targets=…)` puts adapters. */
import type { ModuleClass, Range } from "../python/facts";
import { homeOf } from "../python/imported";
import { around, modulesAround, moduleOfType } from "../python/local";
import { isOpenHead, modelParameters } from "./budget";
import { type Built, builtIn, isUsedAsModule, numberedKey } from "./built";
import type { Sibling, SourceFile } from "./definitions";
import { type KnownTargets, suggested, targetsOf } from "./knownTargets";
import { isPath, layersOf, type Lookup, type Target, targetsIn, unnamedIn } from "./modelTargets";
import { allLayerKinds, type LayerKind, layerKinds, typesOf } from "./layerKinds";
import { hasParts } from "./parts";
import { isRoot } from "./root";
import { compiledReason } from "./scripted";

export interface ModelLayersPlace {
  readonly kind: "model-layers";
  readonly of: LayerKind;
  /** The class of its layers. */
  readonly type: string;
  readonly key: string;
  readonly label: string;
  readonly touch: readonly Range[];
  readonly obstacle?: string;
  readonly compiled?: string;
  /** What the call is made with: `model`, or `self` at the end of a class's `__init__`. */
  readonly model: string;
  /** The class, where its source is at hand. */
  readonly root?: ModuleClass;
  /** Whether that class stands in this file. */
  readonly own: boolean;
  readonly built?: Built;
  readonly targets: readonly Target[];
  /** Names among the targets. */
  readonly chosen: readonly string[];
  /** All parameters of the model, where known. */
  readonly holds?: number;
}

/** The code that model classes are looked up in. */
export interface Sources {
  readonly file: SourceFile;
  readonly siblings: readonly Sibling[];
  readonly known: readonly KnownTargets[];
}

/** Every such place of a file; `touching` narrows to those that a stretch of the text touches. */
export function modelLayersIn(sources: Sources, touching?: Range): ModelLayersPlace[] {
  const { facts } = sources.file;
  const touches = (range: Range): boolean =>
    touching === undefined || (range.from <= touching.to && touching.from <= range.to);
  const { from = 0, to = sources.file.text.length } = touching ?? {};
  const modules = touching === undefined ? facts.modules : modulesAround(facts, from, to);
  const classes = modules
    .filter((module) => touches(module.header) && module.init !== undefined && isRoot(facts, module))
    .filter(({ layers }) =>
      layers.some((layer) => hasParts(layer) || facts.modules.some(({ name }) => name === layer.type)),
    )
    .flatMap((module) => placesOf(sources, { model: "self", module, own: true, touch: [module.header] }));
  const calls = (touching === undefined ? facts.calls : around(facts, "calls", from, to)).filter(
    ({ statement }) => touches(statement),
  );
  const built = builtIn(sources.file, calls).flatMap((each) => {
    const touch = each.statements;
    const own = facts.modules.find(({ name }) => name === each.type);
    const module = own ?? moduleOfType(facts, each.type) ?? imported(sources, each.type);
    if (module !== undefined)
      return placesOf(sources, { model: each.name, module, own: own !== undefined, built: each, touch });
    return pretrained(sources, each, touch);
  });
  return [...classes, ...built];
}

/** A key: `linear:@GPT:model:c_attn,c_proj`; without names, those that are suggested. */
export const isModelKey = (key: string): boolean => /^\w+:@/.test(key);

/** The place of a key, with the targets it names. */
export function modelLayersNamed(sources: Sources, key: string): ModelLayersPlace[] {
  const [kind = "", owner = "", variable = "", names = ""] = key.split(":");
  const wanted = names === "" ? undefined : names.split(",");
  return modelLayersIn(sources)
    .filter((place) => place.key === [kind, owner, variable, ""].join(":"))
    .map((place) => (wanted === undefined ? place : withTargets(place, wanted)));
}

/** The place with other targets chosen. */
export function withTargets(place: ModelLayersPlace, chosen: readonly string[]): ModelLayersPlace {
  const { obstacle: before, ...rest } = place;
  const missing = chosen.find((name) => !isPath(name));
  const refused = place.targets.find(({ name, obstacle }) => obstacle !== undefined && chosen.includes(name));
  const unknown =
    place.root === undefined
      ? undefined
      : chosen.find((name) => !place.targets.some((each) => each.name === name));
  const obstacle =
    before ??
    (missing === undefined
      ? undefined
      : `"${missing}" is no name of layers; write it as \`q_proj\` or \`mlp.0\`.`) ??
    refused?.obstacle ??
    (unknown === undefined
      ? undefined
      : `No ${place.of} layer of \`${place.root?.name ?? ""}\` is named ${unknown}; it has ${namesOf(place).join(", ")}.`);
  return {
    ...rest,
    chosen,
    label: labelOf(chosen, place),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

const nameOf = ({ name }: Target): string => name;

const namesOf = ({ targets }: ModelLayersPlace): string[] =>
  targets.filter(({ obstacle }) => obstacle === undefined).map(({ name }) => name);

function labelOf(chosen: readonly string[], { model, root, targets }: ModelLayersPlace): string {
  const whole = model === "self" ? (root?.name ?? "the model") : model;
  const sound = targets.filter(({ obstacle }) => obstacle === undefined);
  const names =
    chosen.length > 3 && chosen.length === sound.length
      ? `all ${chosen.length} kinds of layers`
      : chosen.map((name) => `\`${name}\``).join(", ");
  return `${names} across \`${whole}\``;
}

interface Model {
  readonly model: string;
  readonly module: ModuleClass;
  readonly own: boolean;
  readonly built?: Built;
  readonly touch: readonly Range[];
}

function placesOf({ file, siblings, known }: Sources, { model, module, own, built, touch }: Model) {
  const isFollowed = own || homeOf(module) !== undefined;
  const lookup: Lookup = isFollowed
    ? (type, owner) => moduleOfType(file.facts, type, owner) ?? imported({ siblings }, type)
    : lookupIn({ file, siblings }, built?.type);
  // Sizes that the file passes to a class are known where the import is followed to it.
  const isSized = isFollowed || built?.call.arguments.length === 0;
  const found = layersOf(module, lookup, [], isSized ? 1 : undefined);
  const holds = modelParameters(found);
  const compiled = own ? compiledReason(file.facts, file.text, module) : undefined;
  const kinds = allLayerKinds.flatMap((of) => typesOf(of).map((type) => ({ of, type })));
  return kinds.flatMap(({ of, type }): ModelLayersPlace[] => {
    const targets = targetsIn(found, of, type);
    const sound = targets.filter(({ obstacle }) => obstacle === undefined);
    if (sound.length === 0) return [];
    const certain = sound.filter(({ layers }) => layers.some(({ layer }) => layer.form !== "conditional"));
    const closed = sound.filter(({ layers }) => !layers.some(({ layer }) => isOpenHead(layer)));
    // one at least that every such model has
    const [available = sound] = [closed, sound].filter((each) =>
      each.some((target) => certain.includes(target)),
    );
    const chosen = suggested(available.map(nameOf), certain.map(nameOf), known);
    const first = type === typesOf(of)[0] ? of : type.replace(/.*\./, "");
    const key = `${first}:@${module.name}:${built === undefined ? "" : numberedKey(built.name, built.number)}:`;
    const unnamed = unnamedIn(found, of);
    const place: ModelLayersPlace = {
      ...{ kind: "model-layers", of, type, key, label: "", touch, model, root: module, own, targets, chosen },
      ...(built === undefined ? {} : { built }),
      ...(holds === undefined ? {} : { holds }),
      ...(compiled === undefined ? {} : { compiled }),
      ...(unnamed === undefined ? {} : { obstacle: unnamed }),
    };
    return [{ ...place, label: labelOf(chosen, place) }];
  });
}

/** What `transformers` builds: its layers are known by custom alone. */
function pretrained({ file, known }: Sources, built: Built, touch: readonly Range[]): ModelLayersPlace[] {
  const { type, call, name } = built;
  if (!/^transformers\.(?:AutoModel\w*|\w+(?:Model|For[A-Z]\w+))$/.test(type)) return [];
  if (!isUsedAsModule(file.text, name) && known.length === 0) return [];
  const [checkpoint] = call.arguments;
  const given = checkpoint?.value.value.kind === "string" ? checkpoint.value.value.value : "";
  const lists = targetsOf(`${given} ${type.slice(type.lastIndexOf(".") + 1)}`, known);
  const [first] = lists;
  if (first === undefined) return [];
  const targets = [...new Set(lists.flatMap(({ names }) => names))].map((each) => ({
    name: each,
    layers: [],
  }));
  const obstacle = unlikePlain(built, given);
  const place: ModelLayersPlace = {
    ...{ kind: "model-layers", of: "linear", type: layerKinds.linear.types[0] },
    ...{ key: `linear:@${type.split(".").at(-1) ?? type}:${numberedKey(built.name, built.number)}:` },
    ...{ label: "", touch, model: name, own: false, built, targets, chosen: first.names },
    ...(obstacle === undefined ? {} : { obstacle }),
  };
  return [{ ...place, label: labelOf(first.names, place) }];
}

/** Why the layers of a loaded model are not those of PyTorch. */
function unlikePlain({ name, type, call }: Built, checkpoint: string): string | undefined {
  const quantised = call.arguments.find(({ keyword }) =>
    /^(?:quantization_config|load_in_[48]bit)$/.test(keyword?.name ?? ""),
  );
  if (quantised !== undefined)
    return `\`${name}\` is loaded with ${quantised.keyword?.name ?? "quantization"}, so its layers are no plain nn.Linear. Use PEFT's get_peft_model, or load it without.`;
  return /gpt-?2/i.test(`${checkpoint} ${type}`)
    ? "GPT-2 of transformers has Conv1D layers, whose weight is (in, out), in the place of nn.Linear. Use PEFT's get_peft_model with fan_in_fan_out=True."
    : undefined;
}

const moduleName = (sibling: Sibling): string => sibling.module.replace(/^\.+/, "");

/** The class that an import from a module beside the file brings. */
function imported({ siblings }: Pick<Sources, "siblings">, qualified: string): ModuleClass | undefined {
  const dot = qualified.lastIndexOf(".");
  const sibling = siblings.find((each) => moduleName(each) === qualified.slice(0, dot).replace(/^\.+/, ""));
  return sibling?.file.facts.modules.find(({ name }) => name === qualified.slice(dot + 1));
}

/** Classes by the types that layers have: those of the same file, then those it imports. `of` is a class of a sibling. */
function lookupIn(sources: Pick<Sources, "file" | "siblings">, of: string | undefined): Lookup {
  const beside = sources.siblings.find(
    (each) => of !== undefined && moduleName(each) === of.slice(0, of.lastIndexOf(".")).replace(/^\.+/, ""),
  );
  const { modules } = (beside?.file ?? sources.file).facts;
  return (type) => modules.find(({ name }) => name === type) ?? imported(sources, type);
}
