/** Where in a model class an adapter can go: the join of what the code has (facts) and what methods ask for (site kinds). */
import type { MethodSite, SiteKind } from "../literature/model";
import type {
  BlockStack,
  GenerationStep,
  Layer,
  ModuleClass,
  PythonFacts,
  Range,
  ResidualBranch,
  SkipConcatenation,
} from "../python/facts";

interface PlaceOf<Kind extends SiteKind> {
  readonly kind: Kind;
  /** Names the place within its file, stable while the user edits elsewhere: `linear:CausalSelfAttention:c_attn`. */
  readonly key: string;
  /** What a title calls it: `c_attn`. */
  readonly label: string;
  /** The code a cursor must touch for the place to be offered. */
  readonly touch: readonly Range[];
  /** Why nothing can soundly be put here. */
  readonly obstacle?: string;
}

export interface LinearPlace extends PlaceOf<"linear"> {
  readonly module: ModuleClass;
  /** One layer, or all linear layers of the class. */
  readonly layers: readonly Layer[];
}

export interface BlockOutputPlace extends PlaceOf<"block-output"> {
  readonly module: ModuleClass;
  readonly branches: readonly ResidualBranch[];
}

export interface SkipPlace extends PlaceOf<"skip"> {
  readonly module: ModuleClass;
  readonly skips: readonly SkipConcatenation[];
}

export interface BlockStackPlace extends PlaceOf<"block-stack"> {
  readonly module: ModuleClass;
  readonly stack: BlockStack;
}

export interface GenerationPlace extends PlaceOf<"generation-step"> {
  readonly step: GenerationStep;
}

export type Place = LinearPlace | BlockOutputPlace | SkipPlace | BlockStackPlace | GenerationPlace;

const noInit = (module: ModuleClass): string | undefined =>
  module.init === undefined
    ? `\`${module.name}\` has no __init__ in which the adapter could be built; add one that calls super().__init__().`
    : undefined;

/** `obstacle` only where there is one, as exactOptionalPropertyTypes wants it. */
const because = (obstacle: string | undefined): { obstacle?: string } =>
  obstacle === undefined ? {} : { obstacle };

function linearPlaces(module: ModuleClass): LinearPlace[] {
  const layers = module.layers.filter((layer) => layer.role === "linear");
  const places = layers.map((layer): LinearPlace => ({
    kind: "linear",
    key: `linear:${module.name}:${layer.path}`,
    label: layer.path,
    touch: [layer.call.statement, ...(layer.name === undefined ? [] : [layer.name])],
    module,
    layers: [layer],
    ...because(
      layer.obstacle ??
        (layer.type === "torch.nn.Linear"
          ? undefined
          : `\`${layer.path}\` is a ${layer.type}, not an nn.Linear.`),
    ),
  }));
  const adaptable = places.filter((place) => place.obstacle === undefined);
  if (adaptable.length > 1) {
    places.push({
      kind: "linear",
      key: `linear:${module.name}:*`,
      label: `all ${adaptable.length} linear layers of ${module.name}`,
      touch: [module.nameRange],
      module,
      layers: adaptable.flatMap((place) => place.layers),
    });
  }
  return places;
}

/** Where a residual branch is spoken of: its statement in `forward`, and where its layer is built. */
function branchTouch(module: ModuleClass, branch: ResidualBranch): Range[] {
  const built = module.layers.filter((layer) => layer.path === branch.layer);
  return [branch.statement, ...built.map((layer) => layer.call.statement)];
}

function blockOutputPlaces(module: ModuleClass): BlockOutputPlace[] {
  const branches = module.residuals.filter((branch) => branch.role !== "other");
  const obstacle = (branch: ResidualBranch): string | undefined =>
    branch.obstacle ??
    noInit(module) ??
    (branch.width === undefined
      ? `The width of \`${branch.layer}\`'s output is not known from \`${module.name}.__init__\`; build its layers with named sizes there.`
      : undefined);
  const places = branches.map((branch): BlockOutputPlace => ({
    kind: "block-output",
    key: `block-output:${module.name}:${branch.layer}`,
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
      touch: [module.nameRange],
      module,
      branches: sound,
    });
  }
  return places;
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
      touch: [module.nameRange],
      module,
      skips: sound,
    });
  }
  return places;
}

function blockStackPlaces(module: ModuleClass, text: string): BlockStackPlace[] {
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
        (stack.width === undefined
          ? `The width of the tokens that enter \`${stack.layer}\` is not known from \`${module.name}.__init__\`.`
          : undefined) ??
        maskObstacle(text.slice(stack.statement.from, stack.statement.to)),
    ),
  }));
}

/** A mask sized for T tokens does not fit n + T. */
const maskObstacle = (stack: string): string | undefined =>
  /[(,]\s*(?:\w+\s*=\s*)?\w*(?:mask|bias|pos|rotary|freqs)\w*\s*[,)]/.test(stack)
    ? "The blocks also get a mask or positions sized for the tokens alone; a prompt makes the sequence longer. Extend them first."
    : undefined;

function generationPlaces(facts: PythonFacts): GenerationPlace[] {
  return facts.generation.map((step): GenerationPlace => ({
    kind: "generation-step",
    key: `generation-step:${step.className ?? ""}:${step.function.name}`,
    label: step.function.name,
    touch: [step.statement, step.function.nameRange],
    step,
  }));
}

/** Every place of a file, classes in source order. `text` is what `facts` was read from. */
export function placesIn(facts: PythonFacts, text: string): Place[] {
  return [
    ...facts.modules.flatMap((module) => [
      ...linearPlaces(module),
      ...blockOutputPlaces(module),
      ...skipPlaces(module),
      ...blockStackPlaces(module, text),
    ]),
    ...generationPlaces(facts),
  ];
}

/** The class a place belongs to, by name. */
export const ownerOf = (place: Place): string =>
  place.kind === "generation-step" ? (place.step.className ?? "") : place.module.name;

/** Whether a site of a method applies to a place, sub-layer placements included. */
export function suits(site: MethodSite, place: Place): boolean {
  if (site.kind !== place.kind) return false;
  if (place.kind !== "block-output" || site.placements === undefined) return true;
  const { placements } = site;
  return place.branches.some((branch) => branch.role !== "other" && placements.includes(branch.role));
}
