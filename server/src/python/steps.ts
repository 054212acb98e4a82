import type { Block } from "./block";
import type { Place } from "./constants";
import type { GenerationStep, TrainingStep } from "./facts";

export interface Steps {
  readonly generation: readonly GenerationStep[];
  readonly training: readonly TrainingStep[];
}

export function stepsIn(_block: Block, _place: Place): Steps {
  return { generation: [], training: [] };
}
