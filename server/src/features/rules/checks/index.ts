/** The checks that rules of the corpus name. */
import type { Check } from "../rule";
import { adapterTwice, mergeDropped, mixedMethods, wrappedTwice } from "./adapterTwice";
import { adaloraAllocation } from "./adaloraAllocation";
import { changedBiases, changedWeights } from "./changedBase";
import { frozenReload } from "./frozenReload";
import { kbitAfterAdapter } from "./kbitAfterAdapter";
import { mergedQuantised } from "./mergedQuantised";
import { misspeltArgument } from "./misspeltArgument";
import { removedSymbol } from "./removedSymbol";
import { targetNames } from "./targetNames";
import { checkpointedPrefix, unmergeable } from "./unmergeable";
import { untrainedHead } from "./untrainedHead";
import { weightedRanks } from "./weightedRanks";
import { wrongArxivId } from "./wrongArxivId";

export const checks: ReadonlyMap<string, Check> = new Map([
  ["adalora-allocation", adaloraAllocation],
  ["adapter-twice", adapterTwice],
  ["changed-biases", changedBiases],
  ["changed-weights", changedWeights],
  ["checkpointed-prefix", checkpointedPrefix],
  ["frozen-reload", frozenReload],
  ["kbit-after-adapter", kbitAfterAdapter],
  ["merge-dropped", mergeDropped],
  ["merged-quantised", mergedQuantised],
  ["misspelt-argument", misspeltArgument],
  ["mixed-methods", mixedMethods],
  ["removed-symbol", removedSymbol],
  ["target-names", targetNames],
  ["unmergeable", unmergeable],
  ["untrained-head", untrainedHead],
  ["weighted-ranks", weightedRanks],
  ["wrapped-twice", wrappedTwice],
  ["wrong-arxiv-id", wrongArxivId],
]);
