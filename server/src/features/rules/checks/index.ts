/** The checks that rules of the corpus name. */
import type { Check } from "../rule";
import { adapterTwice, mergeDropped, mixedMethods, wrappedTwice } from "./adapterTwice";
import { adaloraAllocation } from "./adaloraAllocation";
import { changedBiases, changedWeights, secondBiases, secondOnResidual } from "./changedBase";
import { layersOfModels, quantisedBase } from "./configForModel";
import { adapterWithoutBase, frozenReload, inferenceMode } from "./frozenReload";
import { fuseComponents } from "./fuseComponents";
import { halfAdapter } from "./halfAdapter";
import { inactiveAdapter } from "./inactiveAdapter";
import { kerasLora } from "./kerasLora";
import { kbitAfterAdapter } from "./kbitAfterAdapter";
import { layerSizes } from "./layerSizes";
import { mergedQuantised } from "./mergedQuantised";
import { foreignArgument, misspeltArgument } from "./misspeltArgument";
import { deprecatedSymbol, oldNames, removedSymbol } from "./removedSymbol";
import { targetNames, targetsInOneString } from "./targetNames";
import { bestModelStrategy, lowLearningRate } from "./trainingArguments";
import { checkpointedPrefix, unmergeable } from "./unmergeable";
import { untrainedHead } from "./untrainedHead";
import { weightedRanks } from "./weightedRanks";
import { wrongArxivId } from "./wrongArxivId";

export const checks: ReadonlyMap<string, Check> = new Map([
  ["adalora-allocation", adaloraAllocation],
  ["adapter-twice", adapterTwice],
  ["adapter-without-base", adapterWithoutBase],
  ["best-model-strategy", bestModelStrategy],
  ["changed-biases", changedBiases],
  ["changed-weights", changedWeights],
  ["checkpointed-prefix", checkpointedPrefix],
  ["deprecated-symbol", deprecatedSymbol],
  ["foreign-argument", foreignArgument],
  ["frozen-reload", frozenReload],
  ["fuse-components", fuseComponents],
  ["half-adapter", halfAdapter],
  ["inactive-adapter", inactiveAdapter],
  ["inference-mode", inferenceMode],
  ["kbit-after-adapter", kbitAfterAdapter],
  ["keras-lora", kerasLora],
  ["layer-sizes", layerSizes],
  ["layers-of-models", layersOfModels],
  ["low-learning-rate", lowLearningRate],
  ["merge-dropped", mergeDropped],
  ["merged-quantised", mergedQuantised],
  ["misspelt-argument", misspeltArgument],
  ["mixed-methods", mixedMethods],
  ["old-names", oldNames],
  ["quantised-base", quantisedBase],
  ["removed-symbol", removedSymbol],
  ["second-biases", secondBiases],
  ["second-on-residual", secondOnResidual],
  ["target-names", targetNames],
  ["targets-in-one-string", targetsInOneString],
  ["unmergeable", unmergeable],
  ["untrained-head", untrainedHead],
  ["weighted-ranks", weightedRanks],
  ["wrapped-twice", wrappedTwice],
  ["wrong-arxiv-id", wrongArxivId],
]);
