/** What every call-site edit is made from, and the statements that build new modules in `__init__`. */
import type { Method, MethodSite } from "../../literature/model";
import type { ModuleClass, Range } from "../../python/facts";
import type { Options } from "../budget";
import type { SourceFile } from "../definitions";
import { lineStart } from "../definitions";
import { type Edit, edit, insertion, type Piece } from "../edits";
import { numbered } from "../numbered";

export interface CallSite {
  readonly file: SourceFile;
  readonly method: Method;
  readonly site: MethodSite;
  readonly options: Options;
  /** The name by which the file has the method's class or function. */
  readonly symbol: string;
  /** All definitions that were brought, by the names the file has for them. */
  readonly names: ReadonlyMap<string, string>;
}

/** A free attribute name of the class: `mlp_adapter`, then `mlp_adapter2`. */
export function freeAttribute(module: ModuleClass, text: string, wanted: string): string {
  const body = text.slice(module.range.from, module.range.to);
  return numbered(wanted, (name) => new RegExp(`\\bself\\.${name}\\b`).test(body));
}

/** The white space a line starts with. */
export function indentationAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(lineStart(text, offset)))?.[0] ?? "";
}

/** End of the line that a statement ends on, trailing comment included, line break not. */
export function lineEnd(text: string, offset: number): number {
  const rest = /[\r\n]/.exec(text.slice(offset));
  return rest === null ? text.length : offset + rest.index;
}

/** A statement in `__init__` after `anchor` (the statement that builds what is adapted), or at the end of `__init__`. */
export function afterInInit(
  file: SourceFile,
  module: ModuleClass,
  anchor: Range | undefined,
  ...statement: Piece[]
): Edit {
  const { init } = module;
  const inside =
    anchor !== undefined &&
    init !== undefined &&
    init.range.from <= anchor.from &&
    anchor.to <= init.range.to;
  const direct = inside && indentationAt(file.text, anchor.from) === indentationAt(file.text, init.bodyStart);
  const at = direct ? lineEnd(file.text, anchor.to) : lineEnd(file.text, init?.bodyEnd ?? module.range.to);
  const indentation = init === undefined ? module.bodyIndentation : indentationAt(file.text, init.bodyStart);
  return insertion(at, `\n${indentation}`, ...statement);
}

/** The lines from `from` to `to` with their line break. */
export function wholeLine(text: string, from: number, to = from): Edit {
  const end = lineEnd(text, to);
  const lineBreak = /^(?:\r\n|\r|\n)/.exec(text.slice(end))?.[0].length ?? 0;
  return edit(lineStart(text, from), end + lineBreak);
}
