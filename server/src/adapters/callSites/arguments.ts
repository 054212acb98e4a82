/** Writing hyperparameters at a call, as the user's own arguments stand. */
import type { Method, MethodSite } from "../../literature/model";
import type { Call, PythonFacts } from "../../python/facts";
import { hyperparameters, type Options } from "../budget";
import { type Edit, insertion, type Piece } from "../edits";

/** A hyperparameter's value as Python. */
export function literal(value: number | boolean | string, quote: string): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(value) : `${quote}${value}${quote}`;
}

/** `rank=8, alpha=16` with a stop at each value, one list of pieces per argument. */
export function writtenArguments(
  method: Method,
  site: MethodSite,
  options: Options,
  facts: PythonFacts,
): Piece[][] {
  const values = hyperparameters(method, options);
  const extra = Object.keys(options).filter((name) => name in values && !site.write.includes(name));
  return [...site.write, ...extra].flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[`${name}=`, { stop: literal(value, facts.layout.quote) }]];
  });
}

export const joined = (parts: readonly (readonly Piece[])[], separator: string): Piece[] =>
  parts.flatMap((part, index) => (index === 0 ? part : [separator, ...part]));

/** Appends arguments to a call: on its line, or a line each where the call has a line for each of its own. */
export function appendArguments(
  text: string,
  call: Call,
  parts: readonly (readonly Piece[])[],
): Edit | undefined {
  if (parts.length === 0) return undefined;
  const last = call.arguments.at(-1);
  if (last === undefined) return insertion(call.argumentList.to - 1, ...joined(parts, ", "));
  const comma = /^\s*,/.exec(withoutComments(text.slice(last.range.to, call.argumentList.to - 1)));
  const at = last.range.to + (comma?.[0].length ?? 0);
  const lead = comma === null ? "," : "";
  const closingOnOwnLine = /[\r\n]/.test(text.slice(last.range.to, call.argumentList.to - 1));
  if (!closingOnOwnLine) return insertion(at, `${lead} `, ...joined(parts, ", "));
  const line = /[^\r\n]*$/.exec(text.slice(0, last.range.from))?.[0] ?? "";
  const indentation = /^\s*/.exec(line)?.[0] ?? "";
  // One argument a line: the last one starts its line. Otherwise the list wraps freely and ours join its last line.
  const separator = line.trim() === "" && call.arguments.length > 1 ? `,\n${indentation}` : ", ";
  const comment = /^[ \t]*#[^\r\n]*/.exec(text.slice(at))?.[0].length ?? 0;
  if (comment > 0 && comma === null) {
    // `value  # note` needs its comma before the note and the new lines after it: two insertions cannot be one edit here.
    return insertion(
      at,
      ",",
      ...joined(parts, ", ").map((piece, index) =>
        index === 0 && typeof piece === "string" ? ` ${piece}` : piece,
      ),
    );
  }
  return insertion(
    at + comment,
    `${lead}\n${indentation}`,
    ...joined(parts, separator),
    comma === null ? "" : ",",
  );
}

/** Comments blanked, so that a comma in one is not taken for an argument's. */
const withoutComments = (text: string): string =>
  text.replace(/#[^\r\n]*/g, (comment) => " ".repeat(comment.length));
