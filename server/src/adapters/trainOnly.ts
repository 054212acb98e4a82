/** Freezing everything but the adapters: one call of `train_only` after the model is built. */
import type { PythonSource } from "../literature/model";
import type { Call, ModuleClass, Range } from "../python/facts";
import { type BuiltLines, builtLines } from "./built";
import { lineEnd, indentationAt, afterInInit } from "./callSites/callSite";
import { bringDefinitions, type SourceFile, topLevelStart } from "./definitions";
import { type Edit, insertion } from "./edits";
import { handedParts } from "./handed";
import { isOpen, layersOf, type Lookup } from "./modelTargets";
import { moduleOfType } from "../python/local";
import { isRoot } from "./root";

export type Construction =
  /** At the end of the class's own `__init__`. */
  | { readonly key: string; readonly label: string; readonly module: ModuleClass }
  /** After `model = GPT(config)`, or the `if` whose branches build it. */
  | {
      readonly key: string;
      readonly label: string;
      readonly call: Call;
      readonly below?: BuiltLines["below"];
    };

/** Places where a whole model stands ready, with the source ranges that speak of it. */
export function constructions(file: SourceFile): (Construction & { touch: readonly Range[] })[] {
  const { facts } = file;
  const classes = facts.modules
    .filter((module) => module.init !== undefined && isRoot(facts, module))
    .map((module) => ({ key: `class:${module.name}`, label: module.name, module, touch: [module.header] }));
  const insideModule = ({ range: { from } }: Call): boolean =>
    facts.modules.some(({ range }) => range.from <= from && from < range.to);
  const calls = facts.calls.filter(
    (call) =>
      call.assignedTo !== undefined &&
      facts.modules.some(({ name }) => name === call.qualified) &&
      !insideModule(call),
  );
  const built = builtLines(file, calls).map(({ built: call, statements, variable, below }) => ({
    key: `call:${variable}`,
    label: call.assignedTo ?? "",
    call,
    touch: statements,
    ...(below === undefined ? {} : { below }),
  }));
  return [...classes, ...built];
}

/**
 * Whether a model may hold one of the adapters: by its layers, by a call that puts them in, or in parts that the file
 * does not show. A class such as an activation, which others get as an argument, holds none.
 */
export function mayHold(
  { facts, text }: SourceFile,
  each: Construction,
  adapters: readonly string[],
): boolean {
  const module =
    "module" in each ? each.module : facts.modules.find(({ name }) => name === each.call.qualified);
  const holds = (of: ModuleClass): "surely" | "perhaps" | undefined => {
    const lookup: Lookup = (type, owner) =>
      adapters.includes(type) ? undefined : moduleOfType(facts, type, owner);
    const found = layersOf(of, lookup, [], undefined);
    if (/\bapply_\w+\(self\b/.test(text.slice(of.range.from, of.range.to))) return "surely";
    if (found.some(({ layer }) => adapters.includes(layer.type))) return "surely";
    const isOpenHere = found.some((part) => isOpen(part, found)) || handedParts(of, text).length > 0;
    return isOpenHere ? "perhaps" : undefined;
  };
  return (
    module === undefined ||
    holds(module) !== undefined ||
    !facts.modules.some((other) => !adapters.includes(other.name) && holds(other) === "surely")
  );
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
  const { at, indentation } = construction.below ?? {
    at: lineEnd(file.text, statement.to),
    indentation: indentationAt(file.text, statement.from),
  };
  return [...brought.edits, insertion(at, `\n${indentation}${call(construction.label)}`)];
}
