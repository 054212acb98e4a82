/** Arguments that change nothing. */
import type { Value } from "../../python/facts";

/** Of a classifier PEFT trains the head as well. */
export function keepsHead(value: Value): boolean {
  const name = value.kind === "string" ? value.value : value.kind === "reference" ? value.qualified : "";
  return value.kind === "none" || /(?:^|\.)(?:CAUSAL_LM|SEQ_2_SEQ_LM|FEATURE_EXTRACTION)$/.test(name);
}

export function presetIs(preset: string, value: Value): boolean {
  const bare = preset.replace(/^(["'])(.*)\1$/, "$2");
  switch (value.kind) {
    case "none":
      return bare === "None";
    case "boolean":
      return bare === (value.value ? "True" : "False");
    case "string":
      return bare === value.value && bare !== preset;
    case "number":
      return Number(bare) === value.value;
    default:
      return false;
  }
}
