/** Pieces of hovers that say where something comes from. */
import type { Hyperparameter, LibrarySymbol, Method, Paper } from "../../literature/model";
import { formula } from "../../render/formula";
import { code, dotted, escape, prose } from "../../render/markdown";
import { paperLink, shortName } from "../../render/paper";
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

/** `r` 8–64 (LoRA, table 6) · `lora_alpha` 2r (…) */
export function recommendations(context: FeatureContext, symbol: LibrarySymbol): string | undefined {
  const known = symbol.fields.flatMap(({ name, recommended }) =>
    recommended === undefined ? [] : [`${code(name)} ${recommendation(context, recommended)}`],
  );
  return known.length === 0 ? undefined : `Recommended: ${dotted(...known.slice(0, 4))}`;
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

/** What was inferred, where the method is not checked against its authors' code. */
export function fidelityLine(method: Method | undefined): string | undefined {
  if (method === undefined || method.fidelity === "reference") return undefined;
  const kind =
    method.fidelity === "reconstruction"
      ? "Reconstruction: details are inferred."
      : "Written from the paper's text, not checked against its authors' code.";
  return `*${kind}*${method.fidelityNote === undefined ? "" : ` ${prose(method.fidelityNote)}`}`;
}

/** "Refined by DoRA, PiSSA, AdaLoRA": papers whose relation to this one says so. */
export function refinedBy({ library }: FeatureContext, paper: Paper): string | undefined {
  const refining = library
    .papers()
    .filter(({ relations }) =>
      relations.some(
        ({ kind, paper: to }) => to === paper.id && (kind === "improves" || kind === "builds-on"),
      ),
    );
  if (refining.length === 0) return undefined;
  const shown = refining.slice(0, 5).map(shortName);
  return `Refined by ${escape(shown.join(", "))}${refining.length > shown.length ? " and others" : ""}`;
}
