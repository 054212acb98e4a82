/** Completion within the argument list of a known call: arguments, their values, and the layers they can name. */
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver-types";
import type { SymbolField } from "../../literature/catalogue";
import type { Call, PythonFacts, Range } from "../../python/facts";
import type { FeatureContext, OpenDocument } from "../context";
import { bare } from "../hover/argument";
import type { ArgumentPosition } from "./argumentPosition";
import { asPython, type Callee, valuesOf } from "./fields";
import { layerNames, namedBy } from "./layerNames";
import { choice, stop } from "./snippetText";

/** What an item carries to its resolve. */
export interface FieldData {
  readonly kind: "symbol" | "method";
  readonly id: string;
  readonly field: string;
  readonly value?: string;
}

export function completeArgument(
  context: FeatureContext,
  document: OpenDocument,
  call: Call,
  callee: Callee,
  position: ArgumentPosition,
): CompletionItem[] {
  const { keyword, brackets, fresh } = position;
  if (keyword !== undefined) {
    const field = callee.fields.find(({ name }) => name === keyword);
    const isOpen =
      brackets === "" || brackets === "[" || (brackets === "{" && field && namedBy(field) !== undefined);
    return field === undefined || isOpen !== true
      ? []
      : completeValue(context, document, callee, field, position);
  }
  if (!fresh || brackets !== "" || position.string !== undefined) return [];
  return completeKeyword(context, document, call, callee, position.word);
}

function completeKeyword(
  context: FeatureContext,
  document: OpenDocument,
  call: Call,
  callee: Callee,
  word: Range,
): CompletionItem[] {
  const { facts, text } = document.python;
  const { quote } = facts.layout;
  const given = new Set(
    call.arguments.flatMap(({ keyword }) =>
      keyword === undefined || (keyword.range.from <= word.to && word.from <= keyword.range.to)
        ? []
        : [keyword.name],
    ),
  );
  const written = /^\s*=/.test(text.slice(word.to));
  return callee.fields
    .filter(({ name }) => !given.has(name))
    .map((field, index): CompletionItem => {
      const insert = written
        ? { text: field.name, snippet: false }
        : argumentText(context, facts, field, quote);
      return {
        label: field.name,
        kind: CompletionItemKind.Property,
        detail: [field.type, field.default === undefined ? undefined : `default ${field.default}`]
          .filter(Boolean)
          .join(", "),
        sortText: order(index),
        insertTextFormat: insert.snippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
        textEdit: { range: lspRange(document, word), newText: insert.text },
        data: { kind: callee.kind, id: callee.id, field: field.name } satisfies FieldData,
      };
    });
}

const order = (index: number): string => String(index).padStart(4, "0");

function argumentText(
  context: FeatureContext,
  facts: PythonFacts,
  field: SymbolField,
  quote: string,
): { text: string; snippet: boolean } {
  const { snippets } = context;
  const values = valuesOf(field, quote);
  const layers = /^(?:target|exclude)_modules$/.test(field.name)
    ? layerNames(context, facts, field).names
    : [];
  const quoted = layers.map((name) => `${quote}${name}${quote}`);
  if (!snippets) {
    const value = quoted.length > 0 ? `[${quoted.join(", ")}]` : (values[0] ?? "");
    return { text: `${field.name}=${value}`, snippet: false };
  }
  if (quoted.length > 0) return { text: `${field.name}=[${stop(1, quoted.join(", "))}]`, snippet: true };
  return {
    text: `${field.name}=${values.length > 1 ? choice(1, values) : stop(1, values[0] ?? "")}`,
    snippet: true,
  };
}

function completeValue(
  context: FeatureContext,
  document: OpenDocument,
  callee: Callee,
  field: SymbolField,
  { string, word, brackets, fresh }: ArgumentPosition,
): CompletionItem[] {
  const { facts, text } = document.python;
  const { quote } = facts.layout;
  const inList = brackets !== "";
  if (string === undefined && !fresh) return [];
  const known = layerNames(context, facts, field);
  // within a regular expression a name stands beside others; a text by itself is one for the whole path
  const isPattern = string !== undefined && /[\\|()*+?]/.test(text.slice(string.from, string.to));
  const quoted = known.names.map((name) => `${quote}${name}${quote}`);
  const isOne = inList || isPattern || namedBy(field) === "list";
  const layers = isOne ? quoted : string === undefined && quoted.length > 0 ? [`[${quoted.join(", ")}]`] : [];
  const literals =
    isPattern || (inList && quoted.length > 0)
      ? []
      : inList
        ? listedStrings(field, quote)
        : valuesOf(field, quote);
  const given = new Set(inList ? writtenBefore(text, (string ?? word).from) : []);
  const values = [...layers, ...literals.filter((value) => !layers.includes(value))].filter(
    (value) => !given.has(bare(value)),
  );
  const offered = string === undefined ? values : values.filter((value) => /^["']/.test(value));
  return offered.map((value, index): CompletionItem => {
    const newText = string === undefined ? value : bare(value);
    const documented = field.values?.find((each) => asPython(each.value, field, quote) === value);
    return {
      label: newText,
      kind: layers.includes(value) ? CompletionItemKind.Field : CompletionItemKind.Value,
      detail: layers.includes(value) ? known.of : `${field.name} of ${nameOf(callee)}`,
      sortText: order(index),
      filterText: newText,
      insertTextFormat: InsertTextFormat.PlainText,
      textEdit: { range: lspRange(document, isPattern ? word : (string ?? word)), newText },
      data: {
        kind: callee.kind,
        id: callee.id,
        field: field.name,
        ...(documented && { value: documented.value }),
      } satisfies FieldData,
    };
  });
}

/** Strings that stand in the lists among a field's values: `q_proj` of `["q_proj", "v_proj"]`. */
const listedStrings = ({ values = [] }: SymbolField, quote: string): string[] => {
  const lists = values.map(({ value }) => value).filter((value) => value.startsWith("["));
  const strings = lists.flatMap((list) => [...list.matchAll(/"([^"]*)"|'([^']*)'/g)]);
  return [...new Set(strings.map(([, double, single]) => `${quote}${double ?? single ?? ""}${quote}`))];
};

/** Strings of the list that the cursor is in, up to the cursor. */
const writtenBefore = (text: string, at: number): string[] => {
  const open = text.slice(Math.max(0, at - 2000), at);
  return [
    ...open.slice(Math.max(open.lastIndexOf("["), open.lastIndexOf("{"))).matchAll(/["']([^"'\n]*)["']/g),
  ].map(([, name = ""]) => name);
};

const nameOf = ({ id }: Callee): string => id.slice(id.lastIndexOf(".") + 1);

const lspRange = ({ text }: OpenDocument, { from, to }: Range) => ({
  start: text.positionAt(from),
  end: text.positionAt(to),
});
