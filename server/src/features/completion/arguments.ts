/** Completion within the argument list of a known call: arguments, their values, and the layers they can name. */
import { type CompletionItem, CompletionItemKind, InsertTextFormat } from "vscode-languageserver-types";
import type { SymbolField } from "../../literature/catalogue";
import type { Call, PythonFacts, Range } from "../../python/facts";
import { modulesAtHand } from "../../python/local";
import type { FeatureContext, OpenDocument } from "../context";
import { bare } from "../hover/argument";
import type { ArgumentPosition } from "./argumentPosition";
import { asPython, type Callee, valuesOf } from "./fields";
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
    return field === undefined || /[({]/.test(brackets)
      ? []
      : completeValue(document, callee, field, position);
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
  { snippets }: FeatureContext,
  facts: PythonFacts,
  field: SymbolField,
  quote: string,
): { text: string; snippet: boolean } {
  const values = valuesOf(field, quote);
  const layers = namesLayers(field) ? linearLayerNames(facts) : [];
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
  document: OpenDocument,
  callee: Callee,
  field: SymbolField,
  { string, word, brackets, fresh }: ArgumentPosition,
): CompletionItem[] {
  const { facts } = document.python;
  const { quote } = facts.layout;
  const inList = brackets !== "";
  if (string === undefined && !fresh) return [];
  const literals = inList ? listedStrings(field, quote) : valuesOf(field, quote);
  const layers = namesLayers(field) ? linearLayerNames(facts).map((name) => `${quote}${name}${quote}`) : [];
  const values = [...layers, ...literals.filter((value) => !layers.includes(value))];
  const offered = string === undefined ? values : values.filter((value) => /^["']/.test(value));
  return offered.map((value, index): CompletionItem => {
    const newText = string === undefined ? value : bare(value);
    const known = field.values?.find((each) => asPython(each.value, field, quote) === value);
    return {
      label: newText,
      kind: layers.includes(value) ? CompletionItemKind.Field : CompletionItemKind.Value,
      detail: layers.includes(value) ? "linear layer of this file" : `${field.name} of ${nameOf(callee)}`,
      sortText: order(index),
      filterText: newText,
      insertTextFormat: InsertTextFormat.PlainText,
      textEdit: { range: lspRange(document, string ?? word), newText },
      data: {
        kind: callee.kind,
        id: callee.id,
        field: field.name,
        ...(known && { value: known.value }),
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

const nameOf = ({ id }: Callee): string => id.slice(id.lastIndexOf(".") + 1);

const namesLayers = ({ name }: SymbolField): boolean =>
  name === "target_modules" || name === "exclude_modules";

/** Names by which `target_modules` can reach the linear layers of the file's model classes and of those it imports. */
export function linearLayerNames(facts: PythonFacts): string[] {
  const names = [...modulesAtHand(facts)].flatMap(({ layers }) =>
    layers
      .filter(({ role }) => role === "linear")
      .map(({ path }) => {
        const parts = path.split(".");
        // a number or a star alone names nothing: `mlp.0` needs its container
        const named = parts.findLastIndex((part) => /^[A-Za-z_]/.test(part));
        return parts
          .slice(Math.max(named, 0))
          .filter((part) => part !== "*")
          .join(".");
      }),
  );
  return [...new Set(names)].filter((name) => name !== "");
}

const lspRange = ({ text }: OpenDocument, { from, to }: Range) => ({
  start: text.positionAt(from),
  end: text.positionAt(to),
});
