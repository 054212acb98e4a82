/** Hover over one argument of a known call, or over its value: it speaks of that argument alone. */
import type { LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Argument, Call, Range } from "../../python/facts";
import { code, dotted, escape, paragraphs, prose } from "../../render/markdown";
import { paperLink } from "../../render/paper";
import { affectsSize, effectLine } from "../configEffect";
import type { FeatureContext, OpenDocument } from "../context";
import { notationOf } from "../notation";
import { affectsScale, hereLines, scaleLine } from "./here";
import { recommendation, sourceText } from "./literature";

/** `r`: meaning, type, default, what follows from the value given here, and what papers recommend. */
export function argumentHover(
  context: FeatureContext,
  document: OpenDocument | undefined,
  symbol: LibrarySymbol,
  field: SymbolField,
  call: Call,
): string {
  const type = field.type === undefined ? "" : code(field.type);
  const usual = field.default === undefined ? undefined : notationOf(symbol).value(field.default);
  const preset = usual === undefined ? "" : `default ${code(usual)}`;
  return paragraphs(
    dotted(`**${escape(field.name)}**`, [type, preset].filter(Boolean).join(", "), escape(symbol.name)),
    prose(field.meaning),
    consequence(context, document, symbol, field, call),
    field.recommended && `Recommended: ${recommendation(context, field.recommended)}`,
    choices(symbol, field),
    paperLinks(context, field),
  );
}

/** The papers of the method that the field belongs to. */
function paperLinks({ library }: FeatureContext, { papers = [] }: SymbolField): string | undefined {
  const links = papers.flatMap((id) => library.paper(id) ?? []).map((paper) => paperLink(paper));
  return links.length === 0 ? undefined : `${links.length === 1 ? "Paper" : "Papers"}: ${links.join(", ")}`;
}

/** Values that the corpus knows for the field; of a truth value one knows both. */
function choices(symbol: LibrarySymbol, { values, type }: SymbolField): string | undefined {
  if (values === undefined || values.length === 0 || type === "bool") return undefined;
  const { value: written } = notationOf(symbol);
  return `Values: ${values
    .slice(0, 8)
    .map(({ value }) => code(written(value) ?? "null"))
    .join(", ")}${values.length > 8 ? ", …" : ""}`;
}

/** `"pissa"`: what this value means, and what follows from it here; undefined where the corpus says nothing of it. */
export function valueHover(
  context: FeatureContext,
  document: OpenDocument | undefined,
  symbol: LibrarySymbol,
  field: SymbolField,
  call: Call,
  written: string,
): string | undefined {
  const notation = notationOf(symbol);
  const known = field.values?.find(({ value }) =>
    [value, notation.value(value) ?? "null"].some((each) => bare(each) === bare(written)),
  );
  if (known?.meaning === undefined) return undefined;
  return paragraphs(
    dotted(code(written), `value of ${code(field.name)}`, escape(symbol.name)),
    prose(asSentence(known.meaning)),
    consequence(context, document, symbol, field, call),
    known.source === undefined ? undefined : `Source: ${sourceText(context, known.source)}`,
  );
}

/** What follows from an argument for this very call: the scale of the update, the layers and what they train. */
const consequence = (
  context: FeatureContext,
  document: OpenDocument | undefined,
  symbol: LibrarySymbol,
  field: SymbolField,
  call: Call,
): string | undefined =>
  hereLines(
    affectsScale(symbol, field.name) ? scaleLine(context, symbol, call) : undefined,
    document !== undefined && affectsSize(field.name)
      ? effectLine(context, document, symbol, call)
      : undefined,
  );

/** "twice the default" → "Twice the default."; what begins as a name of code stays as it is. */
const asSentence = (text: string): string => {
  const begun = /^[a-z]+(?![\w.=(])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
};

/** The value without quotes, or the last name of a dotted path: `TaskType.CAUSAL_LM` is "CAUSAL_LM". */
export const bare = (value: string): string => {
  const text = value.trim();
  const quoted = /^[a-zA-Z]{0,2}("""|'''|"|')([\s\S]*)\1$/.exec(text);
  return quoted?.[2] ?? (/^[A-Za-z_][\w.]*$/.test(text) ? text.slice(text.lastIndexOf(".") + 1) : text);
};

const contains = ({ from, to }: Range, offset: number): boolean => from <= offset && offset < to;

/** The token of an argument's value that holds the offset: a literal as a whole, or one string of a list. */
export function valueToken({ value }: Argument, prose: Range | undefined, offset: number): Range | undefined {
  if (!contains(value.range, offset)) return undefined;
  switch (value.value.kind) {
    case "number":
    case "boolean":
    case "none":
      return value.range;
    case "string":
    case "list":
    case "dict":
      return prose !== undefined && prose.from >= value.range.from && prose.to <= value.range.to
        ? prose
        : undefined;
    case "reference":
    case "unknown":
      return prose;
  }
}
