/** The kinds of places where an adapter can go, and what is known of each. */
import type {
  BlockStack,
  Call,
  GenerationStep,
  Layer,
  LayerRole,
  ModuleClass,
  Range,
  ResidualBranch,
  SkipConcatenation,
  TrainingStep,
} from "../python/facts";
import type { FreePlace } from "./freePlaces";
import type { LayerKind } from "./layerKinds";
import type { ModelLayersPlace } from "./modelLayers";
import type { Named } from "./models";
import type { PlaceOf } from "./placeOf";

export interface LayerPlace extends PlaceOf<LayerKind> {
  readonly module: ModuleClass;
  /** One layer, or all of its kind in the class. */
  readonly layers: readonly Layer[];
}

/** A linear layer that no subclass can stand for, and where the class calls it. */
export interface BesidePlace extends PlaceOf<"beside"> {
  readonly module: ModuleClass;
  readonly layer: Layer;
  /** `self.head(` each time. */
  readonly calls: readonly Range[];
}

export interface BlockOutputPlace extends PlaceOf<"block-output"> {
  readonly module: ModuleClass;
  readonly branches: readonly ResidualBranch[];
}

export interface BlockInputPlace extends PlaceOf<"block-input"> {
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
  /** Why the sequence cannot soundly be made longer, which is what prompts do. */
  readonly fixedLength?: string;
  /** Why tokens must not be mixed with those after them. */
  readonly futureIsHidden?: string;
  /** What enters is no variable of its own, which a statement above could change. */
  readonly entersUnnamed?: boolean;
}

export interface GenerationPlace extends PlaceOf<"generation-step"> {
  readonly step: GenerationStep;
}

export interface TrainingPlace extends PlaceOf<"training-step" | "loss"> {
  readonly step: TrainingStep;
  /** Variables that the step can read. */
  readonly names: readonly Named[];
}

/** Where a whole model stands ready: the end of its `__init__`, or the line that builds it. */
export interface ModelPlace extends PlaceOf<"model"> {
  /** Absent where the class is imported and the file does not say what it has. */
  readonly module?: ModuleClass;
  /** `model = GPT(config)`; absent for the class itself. */
  readonly built?: Call;
  /** Where several branches of an `if` build it: the end of that, and its indentation. */
  readonly below?: { readonly at: number; readonly indentation: string };
  /** Variables that stand above that line. */
  readonly names: readonly Named[];
  /** Kinds of layers that the model has all in all, and whether one has a bias, where the file shows its parts. */
  readonly roles?: ReadonlySet<LayerRole | "bias">;
  /** The parts that its class is handed, where it builds no layer with weights itself. */
  readonly handed?: readonly string[];
}

export type Place =
  | LayerPlace
  | BesidePlace
  | BlockInputPlace
  | BlockOutputPlace
  | SkipPlace
  | BlockStackPlace
  | GenerationPlace
  | TrainingPlace
  | ModelPlace
  | ModelLayersPlace
  | FreePlace;
