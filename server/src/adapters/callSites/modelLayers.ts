/** `apply_lora(model, targets=("q_proj", "v_proj"), rank=8)` below the line that builds the model, or at the end of its `__init__`. */
import { type Edit, insertion, type Piece } from "../edits";
import type { ModelLayersPlace } from "../modelLayers";
import { joined, literal, writtenArguments } from "./arguments";
import type { SourceFile } from "../definitions";
import { afterInInit, type CallSite } from "./callSite";

export function adaptModelLayers(
  { file, method, site, options }: CallSite,
  place: ModelLayersPlace,
  apply: string,
): Edit[] {
  const names = place.chosen.map((name) => literal(name, file.facts.layout.quote));
  const targets = `targets=(${names.join(", ")}${names.length === 1 ? "," : ""})`;
  const parts: Piece[][] = [[targets], ...writtenArguments(method, site, options, file.facts)];
  const call: Piece[] = [`${apply}(${place.model}, `, ...joined(parts, ", "), ")"];
  return [afterModelLayers(file, place, ...call)];
}

/** A statement where the whole model stands. */
export function afterModelLayers(
  file: SourceFile,
  { built, root }: ModelLayersPlace,
  ...statement: Piece[]
): Edit {
  if (built === undefined && root !== undefined) return afterInInit(file, root, undefined, ...statement);
  return insertion(built?.readyAt ?? file.text.length, `\n${built?.indentation ?? ""}`, ...statement);
}
