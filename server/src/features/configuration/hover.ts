/** What the papers say about the key or the value under the cursor of a configuration file. */
import { type Hover, MarkupKind } from "vscode-languageserver-types";
import type { Range } from "../../python/facts";
import type { FeatureContext } from "../context";
import { argumentHover, valueHover } from "../hover/argument";
import { paperHover } from "../hover/paper";
import { paperAt } from "../mentions";
import { callOf, type ConfigurationDocument, type EntryAt, entryAt, fieldOf, holds } from "./document";

interface Found {
  readonly range: Range;
  readonly markdown: string;
}

export function configurationHover(
  context: FeatureContext,
  document: ConfigurationDocument,
  offset: number,
): Hover | null {
  if (!context.settings.hover.enable) return null;
  // a caret just behind a word means that word
  const found = findAt(context, document, offset) ?? findAt(context, document, offset - 1);
  if (found === undefined) return null;
  const { range, markdown: value } = found;
  const { text } = document;
  return {
    contents: { kind: MarkupKind.Markdown, value },
    range: { start: text.positionAt(range.from), end: text.positionAt(range.to) },
  };
}

function findAt(context: FeatureContext, document: ConfigurationDocument, offset: number): Found | undefined {
  const { library } = context;
  const comment = document.tree.comments.find((range) => holds(range, offset));
  if (comment !== undefined) {
    const text = document.text.getText();
    const mention = paperAt(library, text, { kind: "comment", range: comment }, offset);
    return mention && { range: mention.range, markdown: paperHover(context, mention.paper) };
  }
  const at = entryAt(library, document, offset);
  return at && keyOrValue(context, document, at, offset);
}

function keyOrValue(
  context: FeatureContext,
  document: ConfigurationDocument,
  { section, entry }: EntryAt,
  offset: number,
): Found | undefined {
  const field = fieldOf(section.symbol, entry.key.name);
  if (field === undefined) return undefined;
  const { key, value, items } = entry;
  // keys and values are written as YAML writes them, whatever the symbol of the section is in Python
  const symbol = { ...section.symbol, name: nameOf(document, section.symbol.name), kind: "file" as const };
  const ofKey = (range: Range): Found => {
    const call = callOf(section, document.tree.complete);
    return { range, markdown: argumentHover(context, undefined, symbol, field, call) };
  };
  if (holds(key.range, offset)) return ofKey(key.range);
  const token = items.find(({ range }) => holds(range, offset)) ?? value;
  if (!holds(token.range, offset) || token.value.kind === "dict") return undefined;
  const call = callOf(section, document.tree.complete);
  const ofValue = valueHover(context, undefined, symbol, field, call, token.text);
  if (ofValue !== undefined) return { range: token.range, markdown: ofValue };
  return token.value.kind === "list" || token.text.includes("\n") ? undefined : ofKey(token.range);
}

/** "Axolotl configuration", and within a part of it "PeftConfig, Axolotl configuration". */
const nameOf = ({ symbol }: ConfigurationDocument, name: string): string =>
  name === symbol.name ? name : `${name}, ${symbol.name}`;
