/** Where in a model class an adapter can go: the join of what the code has (facts) and what methods ask for (site kinds). */
import type {
  BlockStack,
  Call,
  Layer,
  ModuleClass,
  PythonFacts,
  Range,
  ResidualBranch,
  SkipConcatenation,
  TrainingStep,
} from "../python/facts";
import { allLayerKinds, isLayerKind, type LayerKind, layerKinds, typesOf } from "./layerKinds";
import { besidePlaces } from "./besidePlaces";
import { constructionKey, constructionOf, labelOf } from "./construction";
import { isOpenHead } from "./budget";
import { group } from "../group";
import { around, modulesAround } from "../python/local";
import { blankLineNear, freePlaces } from "./freePlaces";
import { futureIsHidden } from "./lookAhead";
import type {
  BlockInputPlace,
  BlockOutputPlace,
  BlockStackPlace,
  GenerationPlace,
  LayerPlace,
  Place,
  SkipPlace,
  TrainingPlace,
} from "./place";
import { namesAbove } from "./models";
import { readOutside } from "./outsideReads";
import { importedModelPlaces, modelPlaces } from "./modelPlaces";
import { because, noInit } from "./placeOf";
import { compiledReason } from "./scripted";

/** The layers of a class with what the rest of the file says against adapting them. */
const judged = (facts: PythonFacts, text: string, module: ModuleClass): readonly Layer[] =>
  module.layers.map((layer) => {
    const reason =
      layer.obstacle ?? chosenClass(facts, text, layer) ?? readOutside(facts, text, module, layer);
    return reason === undefined ? layer : { ...layer, obstacle: reason };
  });

/** Why a class that an expression gives, `conv_nd(dims)(…)`, is not written over: other callers get another. */
function chosenClass(facts: PythonFacts, text: string, layer: Layer): string | undefined {
  const { callee } = constructionOf(facts, layer) ?? layer.call;
  const written = text.slice(callee.from, callee.to);
  return /^[\w.\s\\]*$/.test(written)
    ? undefined
    : `\`${written.replace(/\s+/g, " ")}\` gives the class of \`${layer.path}\`, which may be another for other callers. Build it by its own class, or adapt the block's output.`;
}

function layerPlaces(
  facts: PythonFacts,
  module: ModuleClass,
  all: readonly Layer[],
  kind: LayerKind,
): LayerPlace[] {
  const ofKind = all.filter(({ role }) => role === kind);
  const built = new Set(ofKind.flatMap(({ path, construction }) => (construction ? [path] : [])));
  const groups = group(
    ofKind.filter(({ path, construction }) => construction !== undefined || !built.has(path)),
    constructionKey,
  );
  const places = [...groups.values()].flatMap((together): LayerPlace[] => {
    const layers = alternatives(module, together);
    const [first] = layers;
    if (first === undefined) return [];
    return [
      {
        kind,
        key: `${kind}:${module.name}:${first.path}`,
        label: labelOf(first, layers),
        touch: layers.flatMap((layer) => [
          layer.call.statement,
          ...(layer.name === undefined ? [] : [layer.name]),
          ...(layer.construction === undefined ? [] : statementsOf(constructionOf(facts, layer))),
        ]),
        module,
        layers,
        ...because(
          layers.find(({ obstacle }) => obstacle !== undefined)?.obstacle ??
            (layers.length < together.length ? first.weightReads?.reason : undefined),
        ),
      },
    ];
  });
  const plain = places.filter(
    ({ obstacle, label, layers: [first] }) =>
      obstacle === undefined && label === first?.path && isPlain(first),
  );
  // what one class of adapter can stand for
  const common = typesOf(kind)
    .map((type) => plain.filter(({ layers: [first] }) => first?.type === type))
    .reduce((most, each) => (each.length > most.length ? each : most));
  if (common.length < 2) return places;
  const label = `all ${common.length} ${layerKinds[kind].plural} of ${module.name}`;
  const layers = common.flatMap((place) => place.layers);
  return [
    ...places,
    { kind, key: `${kind}:${module.name}:*`, label, touch: [module.header], module, layers },
  ];
}

const statementsOf = (call: Call | undefined): Range[] => (call === undefined ? [] : [call.statement]);

/** Whether nothing but the layer itself is to be changed with it, and its size is known; others are adapted one by one. */
const isPlain = (layer: Layer): boolean =>
  layer.weightReads === undefined && layer.tie === undefined && !isOpenHead(layer);

/**
 * The constructions of one attribute that stand for each other, such as those of an `if` and its `else`. What another
 * method builds in its place, such as a new head, trains from its random start and gets no frozen weight.
 */
function alternatives({ init }: ModuleClass, built: readonly Layer[]): readonly Layer[] {
  // those of one construction change together
  if (built.some(({ construction }) => construction !== undefined)) return built;
  const isInInit = ({ call }: Layer): boolean =>
    init !== undefined && init.range.from <= call.range.from && call.range.from < init.range.to;
  const first = built.some(isInInit) ? built.filter(isInInit) : built;
  const sound = first.filter(({ obstacle }) => obstacle === undefined);
  const same = sound.filter(({ type }) => type === sound[0]?.type);
  return same.length > 0 ? same : first.slice(0, 1);
}

/** Where a residual branch is spoken of: its statement in `forward`, and where its layer is built. */
function branchTouch(module: ModuleClass, branch: ResidualBranch): Range[] {
  const built = module.layers.filter((layer) => layer.path === branch.layer);
  const repeated = (branch.repeats ?? []).map(({ statement }) => statement);
  return [branch.statement, ...repeated, ...built.map((layer) => layer.call.statement)];
}

function blockOutputPlaces(module: ModuleClass): BlockOutputPlace[] {
  const branches = module.residuals.filter((branch) => branch.role !== "other");
  const obstacle = (branch: ResidualBranch): string | undefined =>
    branch.obstacle ??
    noInit(module) ??
    (branch.width === undefined
      ? `The width of \`${branch.layer}\`'s output is not known from \`${module.name}.__init__\`; build its layers with named sizes there.`
      : undefined);
  const numbered = (branch: ResidualBranch): string => {
    const before = branches.filter(({ layer }) => layer === branch.layer).indexOf(branch);
    return before > 0 ? `:${before + 1}` : "";
  };
  const places = branches.map((branch): BlockOutputPlace => ({
    kind: "block-output",
    key: `block-output:${module.name}:${branch.layer}${numbered(branch)}`,
    label: branch.layer,
    touch: branchTouch(module, branch),
    module,
    branches: [branch],
    ...because(obstacle(branch)),
  }));
  const sound = branches.filter((branch) => obstacle(branch) === undefined);
  if (sound.length > 1) {
    places.push({
      kind: "block-output",
      key: `block-output:${module.name}:*`,
      label: `attention and feed-forward of ${module.name}`,
      touch: [module.header],
      module,
      branches: sound,
    });
  }
  return places;
}

function blockInputPlaces(module: ModuleClass): BlockInputPlace[] {
  return module.residuals
    .filter(({ role }) => role !== "other")
    .map((branch) => ({
      kind: "block-input",
      key: `block-input:${module.name}:${branch.layer}`,
      label: branch.layer,
      touch: branchTouch(module, branch),
      module,
      branches: [branch.inputWidth === undefined ? branch : { ...branch, width: branch.inputWidth }],
      ...because(
        branch.obstacle ??
          noInit(module) ??
          (branch.input === undefined
            ? `What goes into \`${branch.layer}\` is read in other places too; assign it to a variable of its own first.`
            : undefined) ??
          ((branch.inputWidth ?? branch.width) === undefined
            ? `The width of \`${branch.layer}\`'s input is not known from \`${module.name}.__init__\`; build its layers with named sizes there.`
            : undefined),
      ),
    }));
}

function skipPlaces(module: ModuleClass): SkipPlace[] {
  const obstacle = (skip: SkipConcatenation): string | undefined =>
    skip.obstacle ??
    noInit(module) ??
    (skip.channels === undefined
      ? `The channels of this skip are not known from \`${module.name}.__init__\`; name them there, for example as a parameter skip_channels.`
      : undefined);
  const places = module.skips.map((skip, index): SkipPlace => ({
    kind: "skip",
    key: `skip:${module.name}:${index}`,
    label: "the skip connection",
    touch: [skip.statement],
    module,
    skips: [skip],
    ...because(obstacle(skip)),
  }));
  const sound = module.skips.filter((skip) => obstacle(skip) === undefined);
  if (sound.length > 1) {
    places.push({
      kind: "skip",
      key: `skip:${module.name}:*`,
      label: `all ${sound.length} skip connections of ${module.name}`,
      touch: [module.header],
      module,
      skips: sound,
    });
  }
  return places;
}

function blockStackPlaces(facts: PythonFacts, module: ModuleClass, text: string): BlockStackPlace[] {
  return module.stacks.map((stack): BlockStackPlace => ({
    kind: "block-stack",
    key: `block-stack:${module.name}:${stack.layer}`,
    label: stack.layer,
    touch: [
      stack.statement,
      ...module.layers
        .filter((layer) => layer.path === stack.layer || layer.role === "embedding")
        .map((layer) => layer.call.statement),
    ],
    module,
    stack,
    ...because(
      noInit(module) ??
        stack.obstacle ??
        (stack.width === undefined
          ? `The width of the tokens that enter \`${stack.layer}\` is not known from \`${module.name}.__init__\`.`
          : undefined),
    ),
    ...(stack.fixedLength === undefined ? {} : { fixedLength: stack.fixedLength }),
    ...fixedLength((stack.plain ?? [stack.statement]).map(({ from, to }) => text.slice(from, to)).join("\n")),
    ...entersUnnamed(stack, text.slice(stack.statement.from, stack.statement.to)),
    ...hidden(futureIsHidden(facts, module, stack, text)),
  }));
}

/** `x = self.encoder(self.embed(tokens))`, where a statement above would read an `x` that is not yet, or another. */
function entersUnnamed(
  { layer, loop, variable }: BlockStack,
  statement: string,
): { entersUnnamed?: boolean } {
  const call = `self.${layer}(`;
  const at = statement.indexOf(call);
  const first = /^\s*(?:\w+\s*=\s*)?(\w+)\s*[,)]/.exec(statement.slice(at + call.length))?.[1];
  return loop !== undefined || at < 0 || first === variable ? {} : { entersUnnamed: true };
}

const hidden = (reason: string | undefined): { futureIsHidden?: string } =>
  reason === undefined ? {} : { futureIsHidden: reason };

/** A mask sized for T tokens does not fit n + T. */
const fixedLength = (stack: string): { fixedLength?: string } =>
  /[(,]\s*(?:\w+\s*=\s*)?\w*(?:mask|bias|pos|rotary|freqs|padding|causal|future)\w*\s*[,).[]/.test(stack)
    ? {
        fixedLength:
          "The blocks also get a mask or positions sized for the tokens alone; a prompt makes the sequence longer. Extend them first.",
      }
    : {};

function generationPlaces(facts: PythonFacts): GenerationPlace[] {
  return facts.generation.map((step): GenerationPlace => ({
    kind: "generation-step",
    key: `generation-step:${step.className ?? ""}:${step.function.name}`,
    label: step.function.name,
    touch: [step.statement, step.function.nameRange],
    step,
  }));
}

function trainingPlaces(facts: PythonFacts): TrainingPlace[] {
  return facts.training.flatMap((read, index) => {
    const step = withPlainCrossEntropy(read, facts);
    const { backward, step: update } = step;
    const names = [...step.names, ...namesAbove(facts, (backward ?? update)?.from ?? 0)];
    const touch = [backward, update].filter((range) => range !== undefined);
    if (touch.length === 0) return [];
    return (["training-step", "loss"] as const).map((kind) => ({
      kind,
      key: `${kind}::${index}`,
      label: kind === "loss" ? (step.loss ?? "the loss") : "the training step",
      touch,
      step,
      names,
    }));
  });
}

/** Without the cross-entropy where its function is another one, or weighs classes. */
function withPlainCrossEntropy(step: TrainingStep, { calls }: PythonFacts): TrainingStep {
  const { crossEntropy, ...forward } = step.forward ?? {};
  if (step.forward === undefined || crossEntropy === undefined) return step;
  const { callee } = crossEntropy;
  const isPlain =
    callee === "torch.nn.functional.cross_entropy" ||
    calls.some(
      (call) =>
        call.assignedTo === callee &&
        call.qualified === "torch.nn.CrossEntropyLoss" &&
        call.arguments.length === 0,
    );
  return isPlain ? step : { ...step, forward: { ...forward, statement: step.forward.statement } };
}

function placesOf(facts: PythonFacts, module: ModuleClass, text: string): Place[] {
  const compiled = compiledReason(facts, text, module);
  const places = soundOrNot(facts, module, text);
  return compiled === undefined ? places : places.map((place) => ({ ...place, compiled }));
}

const soundOrNot = (
  facts: PythonFacts,
  module: ModuleClass,
  text: string,
  layers = judged(facts, text, module),
): Place[] => [
  ...allLayerKinds.flatMap((kind) => layerPlaces(facts, module, layers, kind)),
  ...besidePlaces(facts, module, text),
  ...blockInputPlaces(module),
  ...blockOutputPlaces(module),
  ...skipPlaces(module),
  ...blockStackPlaces(facts, module, text),
];

/** Every place of a file, classes in source order. `text` is what `facts` was read from. */
export function placesIn(facts: PythonFacts, text: string): Place[] {
  return [
    ...facts.modules.flatMap((module) => placesOf(facts, module, text)),
    ...modelPlaces({ facts, text }, facts.modules),
    ...importedModelPlaces({ facts, text }),
    ...generationPlaces(facts),
    ...trainingPlaces(facts),
    ...freePlaces(facts, text),
  ];
}

/** Those of `placesIn` that a stretch of the text touches; only what stands there is read. */
export function placesTouching(facts: PythonFacts, text: string, from: number, to: number): Place[] {
  const touches = (range: Range): boolean => range.from <= to && from <= range.to;
  const near = modulesAround(facts, from, to);
  const names = new Set(near.map(({ name }) => name));
  const others = builtWithin(facts, text, from, to).filter(({ name }) => !names.has(name));
  const modules = [...near, ...others].toSorted((one, other) => one.range.from - other.range.from);
  const built = around(facts, "calls", from, to).filter(
    ({ assignedTo, qualified, statement }) =>
      assignedTo !== undefined && qualified !== undefined && touches(statement),
  );
  const isImported = ({ qualified: path = "" }: Call): boolean =>
    facts.imports.some(({ qualified }) => path === qualified || path.startsWith(`${qualified}.`));
  const models = built.some((call) => !isImported(call))
    ? facts.modules.filter(
        ({ name, header }) => touches(header) || built.some(({ qualified }) => qualified === name),
      )
    : modules.filter(({ header }) => touches(header));
  return [
    ...modules.flatMap((module) => placesOf(facts, module, text)),
    ...modelPlaces({ facts, text }, models),
    ...importedModelPlaces({ facts, text }, built),
    ...generationPlaces(facts),
    ...trainingPlaces(facts),
    ...(blankLineNear(text, from, to) ? freePlaces(facts, text) : []),
  ].filter(({ touch }) => touch.some(touches));
}

const constructs = /(?:\breturn|=)\s+(?:\w+\.)*_*[A-Z]\w*\(/;

/** Classes with layers that a function near a stretch builds: `def conv3x3(…): return nn.Conv2d(…)`. */
function builtWithin(facts: PythonFacts, text: string, from: number, to: number): ModuleClass[] {
  const builders = around(facts, "functions", from, to)
    .filter(({ range }) => range.from <= to && from <= range.to)
    .filter(({ range }) => constructs.test(text.slice(range.from, range.to)))
    .map(({ name }) => name);
  if (builders.length === 0) return [];
  const builds = ({ construction }: Layer): boolean =>
    construction?.free === true && builders.includes(construction.by);
  return facts.modules.filter(({ layers }) => layers.some(builds));
}

/** The places of a key, of which only the class it names is read. */
export function placesNamed(facts: PythonFacts, text: string, key: string): Place[] {
  const [kind = "", owner] = key.split(":");
  const isOfClass =
    isLayerKind(kind) || ["beside", "block-input", "block-output", "skip", "block-stack"].includes(kind);
  const definition = isOfClass ? facts.definitions.find(({ name }) => name === owner) : undefined;
  const places =
    definition === undefined
      ? placesIn(facts, text)
      : modulesAround(facts, definition.range.from, definition.range.to)
          .filter(({ name }) => name === owner)
          .flatMap((module) => placesOf(facts, module, text));
  return places.filter((place) => place.key === key);
}
