/** Places of a whole model: the end of its `__init__`, and the lines that build it. */
import type { Call, LayerRole, Layer, ModuleClass } from "../python/facts";
import { moduleOfType } from "../python/local";
import { builtLines, isGivenAgain } from "./built";
import type { SourceFile } from "./definitions";
import { handedParts } from "./handed";
import { importedModels, namesAbove } from "./models";
import { isOpen, layersOf } from "./modelTargets";
import type { ModelPlace } from "./place";
import { because, noInit } from "./placeOf";
import { isRoot } from "./root";

export function modelPlaces(file: SourceFile, modules: readonly ModuleClass[]): ModelPlace[] {
  const { facts } = file;
  const inClass = ({ range }: Call): boolean =>
    facts.modules.some((module) => module.range.from <= range.from && range.from < module.range.to);
  return modules
    .filter((module) => isRoot(facts, module))
    .flatMap((module) => [
      {
        kind: "model" as const,
        key: `model:${module.name}:`,
        label: module.name,
        touch: [module.header],
        module,
        names: [],
        ...rolesOf(file, module),
        ...because(noInit(module)),
      },
      ...builtPlaces(
        file,
        module.constructedWith.filter((built) => built.assignedTo !== undefined && !inClass(built)),
        { module, ...rolesOf(file, module) },
      ),
    ]);
}

/** `model = GPT(config)` where another file has the class; `near` narrows to some of these lines. */
export function importedModelPlaces(file: SourceFile, near?: readonly Call[]): ModelPlace[] {
  const { facts, text } = file;
  const found = importedModels(facts, text, near ?? facts.calls);
  if (near === undefined) return builtPlaces(file, found, {});
  const isOne = ({ assignedTo = "", qualified = "" }: Call): boolean =>
    !isGivenAgain(text, assignedTo, qualified);
  // most names are given a model once
  if (found.every(isOne)) return builtPlaces(file, found, {});
  return builtPlaces(file, importedModels(facts, text, facts.calls), {}).filter(({ touch }) =>
    touch.some(({ from }) => found.some(({ statement }) => statement.from === from)),
  );
}

const builtPlaces = (
  file: SourceFile,
  calls: readonly Call[],
  known: Pick<ModelPlace, "module" | "roles" | "handed">,
): ModelPlace[] =>
  builtLines(file, calls).map(({ built, statements, variable, below }) => ({
    kind: "model",
    key: `model:${known.module?.name ?? ""}:${variable}`,
    label: built.assignedTo ?? "",
    touch: statements,
    built,
    names: namesAbove(file.facts, built.statement.from),
    ...known,
    ...(below === undefined ? {} : { below }),
  }));

/** What the layers of a model say of methods that train some of them alone. */
function rolesOf({ facts, text }: SourceFile, module: ModuleClass): Pick<ModelPlace, "roles" | "handed"> {
  const found = layersOf(module, (type, owner) => moduleOfType(facts, type, owner), [], undefined);
  const weighty = found.map(({ layer }) => layer).filter(hasWeights);
  const roles = new Set<LayerRole | "bias">(weighty.map(({ role }) => role));
  if (weighty.some(hasBias)) roles.add("bias");
  const bare = module.bases.every((base) => base.startsWith("torch.nn.") || base === "object");
  const handed = bare && weighty.length === 0 ? handedParts(module, text) : [];
  if (handed.length > 0) return { handed };
  if (found.length > 0 && !found.some((each) => isOpen(each, found))) return { roles };
  // parts from elsewhere may hold layers of any role; yet norms that are all built without weights tell of the others
  const isBare = found.some(({ layer }) => layer.role === "norm") && !roles.has("norm");
  return isBare ? { roles: new Set([...roles, "linear", "conv", "embedding", "bias"] as const) } : {};
}

/** `nn.LayerNorm(width, elementwise_affine=False)` has none, nor has `nn.AvgPool2d(3)`. */
const hasWeights = ({ role, type, sizes }: Layer): boolean =>
  !["container", "activation", "dropout"].includes(role) &&
  !/^torch\.nn\.(?:\w*(?:Pool|Pad|Shuffle|Upsampl|Fold|Loss)\w*|Flatten|Unflatten|Identity)$/.test(type) &&
  (role !== "norm" || (sizes["elementwise_affine"] !== false && sizes["affine"] !== false));

/** Whether a layer may have a parameter whose name ends in "bias". */
const hasBias = ({ role, type, sizes, arguments: given }: Layer): boolean =>
  role !== "embedding" &&
  !/\.(?:RMSNorm|RNN|GRU|LSTM)$/.test(type) &&
  !(sizes["bias"] === false && given["bias"] !== undefined);
