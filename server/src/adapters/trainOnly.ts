/** Freezing everything but the adapters: one call of `train_only` after the model is built. */
import type { PythonSource } from "../literature/model";
import type { Call, ModuleClass } from "../python/facts";
import { lineEnd, indentationAt, afterInInit } from "./callSites/callSite";
import { bringDefinitions, type SourceFile, topLevelStart } from "./definitions";
import { type Edit, insertion } from "./edits";
import { isRoot } from "./root";

export type Construction =
  /** At the end of the class's own `__init__`. */
  | { readonly key: string; readonly label: string; readonly module: ModuleClass }
  /** After `model = GPT(config)`. */
  | { readonly key: string; readonly label: string; readonly call: Call };

/** Places where a whole model stands ready, with the source range that speaks of it. */
export function constructions({
  facts,
}: SourceFile): (Construction & { touch: { from: number; to: number } })[] {
  const classes = facts.modules
    .filter((module) => module.init !== undefined && isRoot(facts, module))
    .map((module) => ({ key: `class:${module.name}`, label: module.name, module, touch: module.header }));
  const calls = facts.calls
    .filter(
      (call) => call.assignedTo !== undefined && facts.modules.some(({ name }) => name === call.qualified),
    )
    .map((call) => ({
      key: `call:${call.assignedTo ?? ""}`,
      label: call.assignedTo ?? "",
      call,
      touch: call.statement,
    }));
  const insideModule = (offset: number): boolean =>
    facts.modules.some(({ range }) => range.from <= offset && offset < range.to);
  return [...classes, ...calls.filter(({ call }) => !insideModule(call.range.from))];
}

/** Whether the file already does so for this model. */
export const isDone = (file: SourceFile, construction: Construction): boolean =>
  "module" in construction
    ? /\btrain_only\(\s*self\b/.test(
        file.text.slice(construction.module.range.from, construction.module.range.to),
      )
    : new RegExp(`\\btrain_only\\(\\s*${construction.label.replace(/[.]/g, "\\.")}\\b`).test(file.text);

/** @param adapters names by which the file has the adapter classes */
export function trainOnly(
  file: SourceFile,
  construction: Construction,
  adapters: readonly string[],
  shared: readonly PythonSource[],
): Edit[] {
  const start = "module" in construction ? construction.module.range.from : construction.call.range.from;
  const brought = bringDefinitions(file, shared, ["train_only"], topLevelStart(file, start));
  const call = (model: string): string =>
    `${brought.names.get("train_only") ?? "train_only"}(${[model, ...adapters].join(", ")})`;
  if ("module" in construction) {
    return [...brought.edits, afterInInit(file, construction.module, undefined, call("self"))];
  }
  const { statement } = construction.call;
  const indentation = indentationAt(file.text, statement.from);
  return [
    ...brought.edits,
    insertion(lineEnd(file.text, statement.to), `\n${indentation}${call(construction.label)}`),
  ];
}
