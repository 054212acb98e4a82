/** Pieces of hovers that say where something comes from. */
import { group } from "../../group";
import { isInsertable } from "../../literature/library";
import type { LibrarySymbol } from "../../literature/catalogue";
import type { Hyperparameter, Method } from "../../literature/model";
import { formula } from "../../render/formula";
import { code, dotted, escape, prose } from "../../render/markdown";
import { paperLink } from "../../render/paper";
import type { FeatureContext } from "../context";

/** A method's formula in the manner of the client. */
export const methodFormula = (context: FeatureContext, method: Method | undefined): string | undefined =>
  method && formula(method.formula, context.library.formula(method.id)?.svg, context.formulas, context.theme);

/** A source as written in the corpus: the id of a paper becomes a link to it, anything else stays text. */
export function sourceText({ library }: FeatureContext, source: string): string {
  const [id = source, ...details] = source.split(/,\s*/);
  const paper = library.paper(id.trim());
  if (paper === undefined) return escape(source);
  const name = paperLink(paper);
  return details.length === 0 ? name : `${name}, ${escape(details.join(", "))}`;
}

/** "Recommended: `r` 64; `lora_alpha` 16 (QLoRA) · `use_rslora` True (rsLoRA)", what one source says together. */
export function recommendations(context: FeatureContext, symbol: LibrarySymbol): string | undefined {
  const known = symbol.fields.flatMap(({ name, recommended }) =>
    recommended === undefined ? [] : [{ name, ...recommended }],
  );
  const bySource = [...group(known.slice(0, 4), ({ source }) => source)];
  if (bySource.length === 0) return undefined;
  const said = bySource.map(
    ([source, all]) =>
      `${all.map(({ name, value }) => `${code(name)} ${escape(value)}`).join("; ")} (${sourceText(context, source)})`,
  );
  return `Recommended: ${dotted(...said)}`;
}

export const recommendation = (
  context: FeatureContext,
  { value, source }: { readonly value: string; readonly source: string },
): string => `${escape(value)} (${sourceText(context, source)})`;

/** - `rank` 8, typically 8–64 (table 6) */
export function hyperparameterList(context: FeatureContext, method: Method): string | undefined {
  const known = method.hyperparameters.slice(0, 4).map((each) => `- ${hyperparameterText(context, each)}`);
  return known.length === 0 ? undefined : known.join("\n");
}

function hyperparameterText(
  context: FeatureContext,
  { name, default: preset, type, typical, source }: Hyperparameter,
): string {
  const from = source === undefined ? "" : ` (${sourceText(context, source)})`;
  const papers = typical === undefined ? "" : `, typically ${escape(typical)}`;
  return `${code(name)} ${escape(pythonLiteral(preset, type))}${papers}${from}`;
}

/** A default as Python writes it: True, 16.0, "silu". */
export function pythonLiteral(value: number | boolean | string, type: Hyperparameter["type"]): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return `"${value}"`;
  return type === "float" && Number.isInteger(value) ? `${value}.0` : String(value);
}

/** What was inferred, where the method is not checked against its authors' code, and whether it can be inserted. */
export function fidelityLine(method: Method | undefined): string | undefined {
  if (method === undefined) return undefined;
  const kind = {
    reference: undefined,
    paper: "Written from the paper's text, not checked against its authors' code.",
    reconstruction: "Reconstruction: details are inferred.",
  }[method.fidelity];
  const known = [
    kind && `*${kind}*`,
    kind && method.fidelityNote && prose(method.fidelityNote),
    isInsertable(method) ? undefined : `*Not yet insertable.* ${properties(method)}${cost(method)}`,
  ].filter((sentence) => sentence !== undefined);
  return known.length === 0 ? undefined : known.join(" ");
}

/** "Starts as the layer it adapts; can be merged; loads the old checkpoint." */
export function properties({
  properties: { identityAtInit, mergeable, keepsCheckpointKeys },
}: Method): string {
  const start = {
    exact: "starts as the layer it adapts",
    approximate: "starts close to the layer it adapts",
    no: "changes the output from the start",
    "not-applicable": "",
  }[identityAtInit];
  const facts = [
    start,
    mergeable ? "can be merged" : "cannot be merged",
    keepsCheckpointKeys ? "loads the old checkpoint" : "",
  ];
  const line = facts.filter((fact) => fact !== "").join("; ");
  return `${line.charAt(0).toUpperCase()}${line.slice(1)}.`;
}

/** What a described method trains at each place it adapts. */
const cost = ({ trainable, shared }: Method): string =>
  trainable === undefined
    ? ""
    : shared === trainable
      ? ` Trains ${code(trainable)} parameters for the whole model.`
      : ` Trains ${code(trainable)} parameters a place.`;
