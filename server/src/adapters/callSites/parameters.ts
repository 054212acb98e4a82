/** New parameters of a function that exists. */
import type { Method } from "../../python/facts";
import { type Edit, insertion } from "../edits";

/** `, expert=None` at the end of a parameter list, trailing comma or not, and before `**kwargs`. */
export function addParameters(text: string, method: Method, parameters: string): Edit {
  const last = method.parameters.at(-1);
  const stars = /\*\*\s*$/.exec(text.slice(0, last?.range.from))?.index;
  if (last !== undefined && stars !== undefined) return insertion(stars, parameters, ", ");
  const before = text.slice(0, method.parametersEnd).trimEnd();
  const separator = method.parameters.length === 0 ? "" : before.endsWith(",") ? " " : ", ";
  return insertion(before.length, separator, parameters);
}
