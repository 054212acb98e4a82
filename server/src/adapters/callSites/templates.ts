/** Statements and expressions that a method.yaml brings, with `{names}` for what the place has. */
import type { Range } from "../../python/facts";
import { lineStart } from "../definitions";
import { type Edit, insertion, type Piece } from "../edits";
import { joined, writtenArguments } from "./arguments";
import { type CallSite, indentationAt, lineEnd } from "./callSite";

export type Names = Readonly<Record<string, string | readonly Piece[]>>;

/** The template's pieces; {symbol}, {arguments} and {call} are known everywhere, definitions go by the file's names for them. */
export function fill(at: CallSite, template: string, names: Names): Piece[] {
  const written = joined(writtenArguments(at.method, at.site, at.options, at.file.facts), ", ");
  const known: Names = {
    symbol: at.symbol,
    arguments: written,
    call: [`${at.symbol}(`, ...written, ")"],
    ...names,
  };
  const manner = template.replace(/^(?: {4})+/gm, (spaces) =>
    at.file.facts.layout.indent.repeat(spaces.length / 4),
  );
  return manner.split(/(\{\w+\})/).flatMap((part): Piece[] => {
    const value = known[/^\{(\w+)\}$/.exec(part)?.[1] ?? ""];
    if (value === undefined) return part === "" ? [] : [renameDefinitions(at, part)];
    return typeof value === "string" ? [value] : [...value];
  });
}

const renameDefinitions = ({ names }: CallSite, text: string): string =>
  text.replace(/(?<![\w.])[A-Za-z_]\w*/g, (name) => names.get(name) ?? name);

/** Arguments before the hyperparameters; what names nothing of the place is a value to change. */
export const leadingArguments = (at: CallSite, names: Names): Piece[][] =>
  (at.site.leading ?? ["{width}"]).map((template) =>
    template.includes("{") ? fill(at, template, names) : [{ stop: template }],
  );

/** The template as lines of their own above the statement at `offset`, indented as it is. */
export function above(at: CallSite, offset: number, template: string | undefined, names: Names): Edit[] {
  if (template === undefined) return [];
  const indentation = indentationAt(at.file.text, offset);
  return [
    insertion(lineStart(at.file.text, offset), ...indented(fill(at, template, names), indentation), "\n"),
  ];
}

/** The same below the statement that ends at `end` and starts at `start`. */
export function below(
  at: CallSite,
  start: number,
  end: number,
  template: string | undefined,
  names: Names,
): Edit[] {
  if (template === undefined) return [];
  const indentation = indentationAt(at.file.text, start);
  return [insertion(lineEnd(at.file.text, end), "\n", ...indented(fill(at, template, names), indentation))];
}

/** `indentation` before every line, the template's own levels in the file's indent. */
export function indented(pieces: readonly Piece[], indentation: string): Piece[] {
  return [
    indentation,
    ...pieces.map((piece) =>
      typeof piece === "string"
        ? piece.trimEnd() === ""
          ? piece
          : piece.replaceAll("\n", `\n${indentation}`)
        : piece,
    ),
  ];
}

/** The expression at `range` inside the site's `call`, default `{adapter}({inner})`. */
export function wrap(at: CallSite, range: Range, names: Names): Edit[] {
  const [before = "{adapter}(", after = ")"] = (at.site.call ?? "{adapter}({inner})").split("{inner}");
  return [insertion(range.from, ...fill(at, before, names)), insertion(range.to, ...fill(at, after, names))];
}
