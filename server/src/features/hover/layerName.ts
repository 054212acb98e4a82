/** Hover over one name of a list of layers: `"q_proj"` in `target_modules`. */
import type { LibrarySymbol, SymbolField } from "../../literature/catalogue";
import type { Call } from "../../python/facts";
import { code, dotted, escape, paragraphs } from "../../render/markdown";
import { count } from "../../render/numbers";
import { configEffect } from "../configEffect";
import type { FeatureContext, OpenDocument } from "../context";
import { loadedFor } from "../family";
import { bare } from "./argument";

/** How many families a line names. */
const shown = 4;

/** What the name stands for in the model at hand, else in the families that have such a layer; undefined where nobody knows. */
export function layerNameHover(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  field: SymbolField,
  call: Call,
  written: string,
): string | undefined {
  if (!/^(?:target|exclude|feedforward)_modules$/.test(field.name)) return undefined;
  const name = bare(written);
  const line = hereLine(context, document, symbol, call, name) ?? familiesLine(context, document, call, name);
  if (line === undefined) return undefined;
  return paragraphs(dotted(code(written), `one of ${code(field.name)}`, escape(symbol.name)), line);
}

function hereLine(
  context: FeatureContext,
  document: OpenDocument,
  symbol: LibrarySymbol,
  call: Call,
  name: string,
): string | undefined {
  const effect = configEffect(context, document, symbol, call);
  const layers = effect?.layers.find((each) => each.name === name);
  if (effect === undefined || layers === undefined) return undefined;
  const { uses, trainable } = layers;
  return `Here: ${count(uses)} ${uses === 1 ? "layer" : "layers"} of ${code(effect.model)}, ${count(trainable)} parameters.`;
}

/** "In attention of Llama, Mistral, Qwen2, Qwen3 and others." */
function familiesLine(
  context: FeatureContext,
  document: OpenDocument,
  call: Call,
  name: string,
): string | undefined {
  const loaded = loadedFor(context, document, call);
  const families =
    loaded === undefined ? context.library.families().flatMap((each) => each.families) : [loaded.family];
  const of = (where: "attention" | "feedForward"): string | undefined => {
    const names = families
      .filter((family) => family[where].includes(name) || family.earlier?.[where].includes(name) === true)
      .map((family) => family.name);
    const more = names.length > shown ? " and others" : "";
    const part = where === "attention" ? "attention" : "the feed-forward part";
    return names.length === 0 ? undefined : `${part} of ${escape(names.slice(0, shown).join(", "))}${more}`;
  };
  const known = [of("attention"), of("feedForward")].filter((each) => each !== undefined);
  return known.length === 0 ? undefined : `A linear layer in ${known.join(", and in ")}.`;
}
