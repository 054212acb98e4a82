/** Hover over an identifier of a library: what it is, what it computes, what this call means, where it comes from. */
import { isInsertable } from "../../literature/library";
import type { LibrarySymbol } from "../../literature/catalogue";
import type { Method } from "../../literature/model";
import type { Call } from "../../python/facts";
import { code, dotted, escape, lines, paragraphs, prose } from "../../render/markdown";
import { paperLine, paperLink } from "../../render/paper";
import { effectLine } from "../configEffect";
import type { FeatureContext, OpenDocument } from "../context";
import { hereLines, scaleLine } from "./here";
import { actionLinks } from "./links";
import { lineage } from "../lineage";
import { fidelityLine, methodFormula, recommendations } from "./literature";

export function symbolHover(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  call: Call | undefined,
): string {
  const { library } = context;
  const papers = symbol.papers.flatMap((id) => library.paper(id) ?? []);
  const title = dotted(`**${escape(symbol.name)}**`, escape(symbol.library));
  const summary = paragraphs(prose(symbol.summary), goneLine(symbol));
  if (!standsForMethod(symbol)) {
    const names = papers.slice(0, 6).map((paper) => paperLink(paper));
    return paragraphs(
      title,
      summary,
      valuesLine(symbol),
      recommendations(context, symbol),
      notesList(symbol),
      names.length === 0 ? "" : `Papers: ${names.join(", ")}`,
    );
  }
  // Several methods are reached through one symbol (LoraConfig): that of its first paper is what it computes.
  const methods = symbol.methods.flatMap((id) => library.method(id) ?? []);
  const method = methods.find(({ paper }) => paper === symbol.papers[0]);
  const [paper, ...others] = papers;
  return paragraphs(
    title,
    summary,
    methodFormula(context, method),
    call && hereLines(scaleLine(context, symbol, call), effectLine(context, document, symbol, call)),
    notesList(symbol),
    paper && lines(paperLine(paper), lineage(context, paper, others)),
    recommendations(context, symbol),
    propertiesLine(symbol, method),
    fidelityLine(method),
    actionLinks(context, paper, method),
  );
}

/** A config or a layer of one method computes what its paper says; `get_peft_model` or `nn.Linear` serve many. */
const standsForMethod = ({ kind, papers }: LibrarySymbol): boolean =>
  kind === "config" || (kind === "class" && papers.length === 1);

/** "Removed in 0.19; MissConfig is the same thing now." */
function goneLine({ removed, deprecated, library }: LibrarySymbol): string | undefined {
  const release = removed ?? deprecated;
  if (release === undefined) return undefined;
  const what = removed === undefined ? "Deprecated" : "Removed";
  const instead = release.instead === undefined ? "" : `; ${code(release.instead)} is the same thing now`;
  return `${what} in ${escape(library)} ${escape(release.version)}${instead}.`;
}

/** "Starts as the model it adapts; can be merged. Adapts Linear and Conv2d. Since 0.11." */
function propertiesLine(symbol: LibrarySymbol, method: Method | undefined): string | undefined {
  // of a method that cannot be inserted its own line says how it starts and whether it merges
  const said = method !== undefined && !isInsertable(method);
  const { adapts, quantised, identityAtInit, mergeable, convertsToLora, checkpointPrefix, since } = symbol;
  const start =
    identityAtInit === true ? "starts as the model it adapts" : "changes the model from the start";
  const merge = mergeable === true ? "can be merged" : "cannot be merged";
  const behaviour = [
    said || identityAtInit === undefined ? undefined : start,
    said || mergeable === undefined ? undefined : merge,
    convertsToLora === true ? "can become a LoRA" : undefined,
  ].filter((each) => each !== undefined);
  const packed =
    quantised === undefined
      ? ""
      : quantised.length === 0
        ? ", not if quantised"
        : `, also quantised by ${several(quantised)}`;
  const known = [
    behaviour.length === 0 ? undefined : capitalised(behaviour.join("; ")),
    adapts && `Adapts ${several(adapts)}${packed}`,
    checkpointPrefix && `Tensors are called ${code(`${checkpointPrefix}…`)}`,
    since && `Since ${escape(since)}`,
  ].filter((each) => each !== undefined);
  return known.length === 0 ? undefined : known.map((each) => `${each}.`).join(" ");
}

/** "Linear, Conv2d, Embedding and 5 more", "Linear and Conv2d" */
function several(names: readonly string[]): string {
  const shown = names.length <= 4 ? names.slice(0, -1) : names.slice(0, 3);
  const rest = names.slice(shown.length);
  const last = rest.length === 1 ? rest.join("") : `${rest.length} more`;
  return escape(shown.length === 0 ? last : `${shown.join(", ")} and ${last}`);
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const notesList = ({ notes = [] }: LibrarySymbol): string | undefined =>
  notes.length === 0
    ? undefined
    : notes
        .slice(0, 3)
        .map((note) => `- ${prose(note)}`)
        .join("\n");

/** Members of an enumeration. */
const valuesLine = ({ values = [] }: LibrarySymbol): string | undefined =>
  values.length === 0
    ? undefined
    : `Values: ${values
        .slice(0, 10)
        .map(({ value }) => code(value))
        .join(", ")}${values.length > 10 ? ", …" : ""}`;
