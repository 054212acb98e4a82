/** Completion in a configuration file: keys not yet given, the values of a key, and the layers of the model's family. */
import {
  type CompletionItem,
  CompletionItemKind,
  type CompletionList,
  InsertTextFormat,
} from "vscode-languageserver-types";
import { knownTargets, targetsNamed } from "../../adapters/knownTargets";
import type { LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Range } from "../../python/facts";
import type { FieldData } from "../completion/arguments";
import { valuesOf } from "../completion/fields";
import { choice, literally, stop } from "../completion/snippetText";
import type { FeatureContext } from "../context";
import { familyOf } from "../family";
import { yamlNotation } from "../notation";
import { type ConfigurationDocument, fieldOf, sectionSymbol } from "./document";
import { placeAt, type Place } from "./place";

export function completeConfiguration(
  context: FeatureContext,
  document: ConfigurationDocument,
  offset: number,
): CompletionList {
  const items = context.settings.completion.enable ? itemsAt(context, document, offset) : [];
  return { isIncomplete: false, items };
}

function itemsAt(context: FeatureContext, document: ConfigurationDocument, offset: number): CompletionItem[] {
  const { library } = context;
  const place = placeAt(document.text.getText(), offset);
  if (place === undefined) return [];
  const within = place.kind === "key" ? place.path : place.path.slice(0, -1);
  const section = within.reduce<LibrarySymbol | undefined>(
    (symbol, key) => symbol && sectionSymbol(library, symbol, fieldOf(symbol, key)),
    document.symbol,
  );
  if (section === undefined) return [];
  if (place.kind === "key") return keys(context, document, section, place);
  const field = fieldOf(section, place.path.at(-1) ?? "");
  const entry = place.kind === "entry" ? sectionSymbol(library, section, field) : undefined;
  if (entry !== undefined) return keys(context, document, entry, place);
  return field === undefined ? [] : values(context, document, section, field, place);
}

function keys(
  context: FeatureContext,
  document: ConfigurationDocument,
  section: LibrarySymbol,
  { word, given, written }: Place,
): CompletionItem[] {
  return section.fields
    .filter(({ name }) => !given.has(name))
    .map((field, index): CompletionItem => {
      const { name, type } = field;
      const preset = field.default === undefined ? undefined : yamlNotation.value(field.default);
      return {
        label: name,
        kind: CompletionItemKind.Property,
        detail: [type, preset === undefined ? undefined : `default ${preset}`].filter(Boolean).join(", "),
        sortText: order(index),
        insertTextFormat:
          context.snippets && !written ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
        textEdit: {
          range: lspRange(document, word),
          newText: written ? name : keyText(context, document, section, field),
        },
        data: dataOf(section, field),
      };
    });
}

const order = (index: number): string => String(index).padStart(4, "0");

const dataOf = (section: LibrarySymbol, { name: field }: SymbolField, value?: string): FieldData => ({
  kind: "symbol",
  id: section.qualified[0] ?? "",
  field,
  ...(value !== undefined && { value }),
});

/** `lora_r: ${1|8,16,64|}`, with an entry for each layer where the key lists layers. */
function keyText(
  context: FeatureContext,
  document: ConfigurationDocument,
  section: LibrarySymbol,
  field: SymbolField,
): string {
  const { name } = field;
  const offered = valuesIn(field).map(({ written }) => written);
  const [first = ""] = offered;
  if (sectionSymbol(context.library, section, field) !== undefined) return `${name}:\n  `;
  if (isList(field)) {
    const [layers] = namesLayers(field) ? targetLists(context, document, field) : [];
    const entries = layers ?? [];
    if (!context.snippets) return [`${name}:`, ...entries.map((entry) => `  - ${entry}`)].join("\n");
    return `${name}:${(entries.length === 0 ? [""] : entries).map((entry, index) => `\n  - ${stop(index + 1, entry)}`).join("")}`;
  }
  if (!context.snippets) return `${name}: ${first}`;
  return `${literally(name)}: ${offered.length > 1 ? choice(1, offered) : stop(1, first)}`;
}

function values(
  context: FeatureContext,
  document: ConfigurationDocument,
  section: LibrarySymbol,
  field: SymbolField,
  { word, kind }: Place,
): CompletionItem[] {
  const lists = namesLayers(field) ? targetLists(context, document, field) : [];
  const isEntry = kind === "entry" || isList(field);
  const listed = new Set(itemsOf(document, field));
  const layers = [...new Set(isEntry ? lists.flat() : lists.map((names) => names.join(",")))].filter(
    (name) => !listed.has(name),
  );
  const known = isEntry && layers.length > 0 ? [] : valuesIn(field);
  const items = [
    ...known.map(({ written, value }) => ({ written, value, kind: CompletionItemKind.Value })),
    ...layers
      .filter((name) => !known.some(({ written }) => written === name))
      .map((written) => ({ written, value: undefined, kind: CompletionItemKind.Field })),
  ];
  return items.map(({ written, value, kind: icon }, index): CompletionItem => ({
    label: written,
    kind: icon,
    detail:
      icon === CompletionItemKind.Field
        ? "layers of this family of models"
        : `${field.name} of ${section.name}`,
    sortText: order(index),
    filterText: written,
    insertTextFormat: InsertTextFormat.PlainText,
    textEdit: { range: lspRange(document, word), newText: written },
    data: dataOf(section, field, value),
  }));
}

interface Offered {
  readonly written: string;
  /** As the corpus has it, so that its meaning is found. */
  readonly value: string | undefined;
}

/** Values as YAML writes them, best first; of a truth value both. */
function valuesIn(field: SymbolField): Offered[] {
  const known = valuesOf(field, '"');
  // who writes the key seldom wants its default
  const isNew = field.type === "bool" && field.values === undefined && field.default !== "True";
  const both = field.type === "bool" ? [...(isNew ? ["True"] : []), ...known, "False", "True"] : known;
  const offered = both.map((python) => ({
    written: yamlNotation.value(python) ?? "null",
    value: field.values?.find(({ value }) => yamlNotation.value(value) === yamlNotation.value(python))?.value,
  }));
  return [...new Map(offered.map((each) => [each.written, each])).values()];
}

const isList = ({ type = "" }: SymbolField): boolean => /^list\b|\| list\b/.test(type);

/** Keys whose values are names of layers. */
const namesLayers = (field: SymbolField): boolean =>
  namesWhole(field) ||
  /^(?:(?:lora|oft|peft|galore|apollo)_target(?:_modules)?|target_modules)$/.test(field.name);

/** Keys whose values are names of layers that train whole. */
const namesWhole = ({ name }: SymbolField): boolean =>
  /^(?:(?:lora_)?modules_to_save|additional_target)$/.test(name);

/** The lists of layers that papers and libraries adapt in models of this family, if the file names one that is known. */
function targetLists(
  context: FeatureContext,
  { symbol, tree }: ConfigurationDocument,
  field: SymbolField,
): string[][] {
  const key = symbol.recognised?.all[0];
  const model = tree.top.entries.find((entry) => entry.key.name === key)?.value.value;
  if (model?.kind !== "string") return [];
  const family = familyOf(context.library, model.value);
  if (namesWhole(field)) {
    const { head, embeddings = [] } = family ?? {};
    return head === undefined ? [] : [[head, ...embeddings]];
  }
  if (family !== undefined) {
    const { attention, feedForward } = family;
    return [[...new Set([...attention, ...feedForward])], [...attention]];
  }
  const known = knownTargets(context.library, ["lora_target_modules", "target_modules"]);
  const named = targetsNamed(model.value, known);
  // queries and values alone are a list for this family as well
  const names = new Set(named.flatMap((list) => list.names));
  return [...named, ...known]
    .filter((list, index, all) => all.indexOf(list) === index && list.names.every((name) => names.has(name)))
    .map((list) => [...list.names]);
}

/** What the list of a key at the top of the file holds already. */
const itemsOf = ({ tree }: ConfigurationDocument, { name }: SymbolField): string[] =>
  tree.top.entries.flatMap((entry) => (entry.key.name === name ? entry.items.map(({ text }) => text) : []));

const lspRange = ({ text }: ConfigurationDocument, { from, to }: Range) => ({
  start: text.positionAt(from),
  end: text.positionAt(to),
});
