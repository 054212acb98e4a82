/** The arguments that a call takes, whichever the library or method that it belongs to. */
import type { Library } from "../../literature/library";
import type { SymbolField } from "../../literature/catalogue";
import type { Method } from "../../literature/model";
import type { PythonFacts } from "../../python/facts";
import { pythonLiteral } from "../hover/literature";
import { insertedMethod } from "../inserted";

export interface Callee {
  readonly kind: "symbol" | "method";
  /** Qualified name of a symbol, id of a method; what a completion item carries to its resolve. */
  readonly id: string;
  readonly fields: readonly SymbolField[];
}

export function calleeOf(library: Library, facts: PythonFacts, qualified: string): Callee | undefined {
  const symbol = library.symbol(qualified);
  if (symbol !== undefined) return { kind: "symbol", id: qualified, fields: symbol.fields };
  const method = insertedMethod(library, facts, qualified);
  return method && { kind: "method", id: method.id, fields: fieldsOf(method) };
}

export const fieldsOf = (method: Method): SymbolField[] =>
  method.hyperparameters.map(({ name, type, default: preset, meaning, choices }) => ({
    name,
    type,
    default: pythonLiteral(preset, type),
    meaning,
    ...(choices === undefined
      ? {}
      : { values: choices.map((value) => ({ value: pythonLiteral(value, type) })) }),
  }));

const literal = /^(?:True|False|None|[-+]?\.?\d[\w.+-]*|[rbfuRBFU]{0,2}["'[({].*)$/s;

/** A value of the corpus as Python: strings get quotes, everything that is Python already stays. */
export function asPython(value: string, field: SymbolField, quote: string): string {
  const text = value.trim();
  const quoted = /^(["'])([^"'\\]*)\1$/.exec(text)?.[2];
  if (quoted !== undefined) return `${quote}${quoted}${quote}`;
  if (literal.test(text) || /^[A-Za-z_]\w*(?:\.\w+)+$/.test(text)) return text;
  return /str|literal/i.test(field.type ?? "str") ? `${quote}${text.replaceAll(quote, "")}${quote}` : text;
}

/** Values worth writing for a field, best first: what papers recommend, then what the corpus lists, then the default. */
export function valuesOf(field: SymbolField, quote: string): string[] {
  const { recommended, values = [], default: preset } = field;
  const candidates = [
    ...(recommended !== undefined && literal.test(recommended.value.trim()) ? [recommended.value] : []),
    ...values.map(({ value }) => value),
    ...(preset === undefined || /^(?:None|REQUIRED|required|factory\b.*|<.*)?$/.test(preset) ? [] : [preset]),
  ];
  return [...new Set(candidates.map((value) => asPython(value, field, quote)))];
}
