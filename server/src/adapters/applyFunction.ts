/** `apply_lora`: the template of corpus/methods/shared/apply_method.py, for one class of a method. */
import type { Method, MethodSite, PythonSource } from "../literature/model";
import { isLayerKind } from "./layerKinds";

const template = "apply_method.py";

/** `apply_lora`; by the name of the class where that is taken, or where the method has several and this is not the first. */
export function applyName({ id, sites, python }: Method, { symbol }: MethodSite): string {
  const first = sites.find(({ kind }) => isLayerKind(kind));
  const name = `apply_${id.replace(/\W/g, "_")}`;
  const isTaken = python.some(({ definitions }) => definitions.some((each) => each.name === name));
  return first?.symbol === symbol && !isTaken ? name : `apply_${symbol.toLowerCase()}`;
}

/** The sources with the method's own function among them. `cited` is how the method is named: "LoRA (arXiv:2106.09685)". */
export function withApplyFunction(
  sources: readonly PythonSource[],
  method: Method,
  site: MethodSite,
  cited: string,
): PythonSource[] {
  const name = applyName(method, site);
  const made = sources
    .filter(({ file }) => file === template)
    .map((source) => ({
      ...source,
      definitions: source.definitions.map((definition) => ({
        ...definition,
        name,
        needs: [...definition.needs, site.symbol],
        source: definition.source
          .replace(/\bapply_method\b/g, name)
          .replace(/\bAdapter\b/g, site.symbol)
          .replace("METHOD", cited),
      })),
    }));
  // Last: it stands below what it uses.
  return [...sources.filter(({ file }) => file !== template), ...made];
}
