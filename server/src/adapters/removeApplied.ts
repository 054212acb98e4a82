/** Taking out adapters that one `apply_lora(model, …)` puts all over a model: the call goes, and what only it used. */
import type { Method, MethodSite, PythonSource } from "../literature/model";
import type { Call, ModuleClass } from "../python/facts";
import { unaccommodate } from "./accommodate";
import { applyName, withApplyFunction } from "./applyFunction";
import type { SourceFile } from "./definitions";
import type { Edit } from "./edits";
import { forgetFrozenWeights } from "./frozenWeights";
import { wholeLine } from "./callSites/callSite";
import { withoutDefinitions } from "./leaving";
import { afterInitLines } from "./remove";

export interface Applied {
  /** `removal:apply_lora:model`, stable while the user edits elsewhere. */
  readonly key: string;
  /** What the call is made with: `model`. */
  readonly model: string;
  readonly call: Call;
  readonly method: Method;
  readonly site: MethodSite;
}

/** Calls of functions that stand in the file as they were inserted. */
export function appliedIn(file: SourceFile, methods: readonly Method[]): Applied[] {
  const { facts, text } = file;
  if (!text.includes("apply_")) return [];
  const known = new Map(
    methods.flatMap((method) =>
      method.sites.map((site) => [applyName(method, site), { method, site }] as const),
    ),
  );
  return facts.calls.flatMap((call): Applied[] => {
    const name = call.qualified?.split(".").at(-1) ?? "";
    const found = known.get(name);
    const own = facts.definitions.find((each) => each.name === name);
    const ours =
      own === undefined
        ? call.qualified?.includes(".")
        : own.docstring?.startsWith(found?.method.name ?? "\0");
    const [model, targets] = call.arguments;
    if (found === undefined || ours !== true || model === undefined || targets?.keyword?.name !== "targets")
      return [];
    return [{ ...found, key: `removal:${name}:${model.value.text}`, model: model.value.text, call }];
  });
}

/** @param statements what becomes of the lines that call it; by default that of the call goes */
export function removeApplied(
  file: SourceFile,
  applied: Applied,
  shared: readonly PythonSource[],
  statements: readonly Edit[] = [
    wholeLine(file.text, applied.call.statement.from, applied.call.statement.to),
  ],
): Edit[] {
  const { method, site } = applied;
  const sources = withApplyFunction([...shared, ...method.python], method, site, method.name);
  const names = new Set(sources.flatMap(({ definitions }) => definitions.map(({ name }) => name)));
  const used = new RegExp(`\\b${site.symbol}\\b`);
  const layersStay = file.facts.modules.some(({ layers }) => layers.some(({ type }) => used.test(type)));
  const isAdapted = ({ name, layers }: ModuleClass): boolean =>
    !names.has(name) && layers.some(({ type }) => names.has(type));
  const lines = [
    ...statements,
    ...(layersStay
      ? []
      : [
          ...afterInitLines(file, site, names, applied.model),
          ...unaccommodate(file, site.symbol),
          ...(file.facts.modules.some(isAdapted) ? [] : forgetFrozenWeights(file)),
        ]),
  ];
  return [...lines, ...withoutDefinitions(file, lines, names, sources)];
}
