/** Every method at every place of a file: what the lightbulb, the palette and the comparison all show. */
import type { Fidelity, Method, MethodSite } from "../literature/model";
import { moduleParameters, trainableParameters } from "./budget";
import { unfit } from "./unfit";
import { modelLayersIn, type Sources } from "./modelLayers";
import type { LayerPlace, Place } from "./place";
import { baseOf, isLayerPlace, mismatch, suits, unreadable, unwritable } from "./fits";
import { placesIn } from "./places";
import { placesOfKey } from "./scopes";

export interface Choice {
  readonly method: Method;
  readonly site: MethodSite;
  readonly place: Place;
  readonly trainable?: number;
  /** Trainable parameters as a share of what the class holds. */
  readonly share?: number;
  readonly disabled?: string;
}

/**
 * Opaque to clients; `siteKey` and `findChoice` are its only readers. What suits layers of certain names alone says
 * them: which ones are suggested for a model may change as more of its files are read.
 */
export const siteKey = ({ site, place }: Choice): string =>
  place.kind === "model-layers" && site.named !== undefined && place.key.endsWith(":")
    ? `${site.symbol}@${place.key}${place.chosen.join(",")}`
    : `${site.symbol}@${place.key}`;

export function choicesAt(methods: readonly Method[], place: Place): Choice[] {
  const held =
    place.kind === "model-layers"
      ? place.holds
      : "module" in place
        ? moduleParameters(place.module)
        : undefined;
  return methods
    .flatMap((method) =>
      method.sites.filter((site) => suits(site, place)).map((site) => choice(method, site, place, held)),
    )
    .toSorted((a, b) => prominence(b.method) - prominence(a.method));
}

/** `held` is what the class of the place holds. */
function choice(method: Method, site: MethodSite, place: Place, held: number | undefined): Choice {
  const other = isLayerPlace(place) ? mismatch(site, place) : undefined;
  const trainable = other === undefined ? trainableParameters(method, site, place) : undefined;
  const disabled =
    place.obstacle ??
    (site.scripts === true ? undefined : place.compiled) ??
    other ??
    (isLayerPlace(place) ? unreadable(method, site, place) : undefined) ??
    unwritable(site, place) ??
    unfit(method, site, place);
  return {
    method,
    site,
    place,
    ...(trainable === undefined ? {} : { trainable }),
    ...(trainable === undefined || held === undefined || held === 0 ? {} : { share: trainable / held }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

/** The first choice where `key` is absent. */
export function findChoice(method: Method, sources: Sources, key: string | undefined): Choice | undefined {
  const [, symbol, placeKey] = /^(\w+)@(.*)$/s.exec(key ?? "") ?? [];
  const { facts, text } = sources.file;
  const places =
    placeKey === undefined
      ? [...placesIn(facts, text), ...modelLayersIn(sources)]
      : placesOfKey(sources, placeKey);
  return places
    .flatMap((place) => choicesAt([method], place))
    .find(({ site }) => symbol === undefined || site.symbol === symbol);
}

const fidelityOrder: Readonly<Record<Fidelity, number>> = { reference: 2, paper: 1, reconstruction: 0 };
/** How well known a method is, and how sure its Python. */
export const prominence = ({ prominence: own, fidelity }: Method): number =>
  (own ?? 0) * 3 + fidelityOrder[fidelity];

/** The class too, where a method has several for such a place. */
export const nameOf = (method: Method, site: MethodSite): string =>
  method.sites.filter((each) => each.kind === site.kind && baseOf(each) === baseOf(site)).length > 1
    ? `${method.name} (${site.symbol})`
    : method.name;

/** What the edit does, for menus. Counts are added by the feature that shows it. */
export function title({ method, site, place }: Choice): string {
  const name = nameOf(method, site);
  // A name in the code is quoted, words such as "all 2 linear layers of MLP" are not.
  const label = /\s/.test(place.label) ? place.label : `\`${place.label}\``;
  if (site.title !== undefined) return site.title.replace("{place}", label);
  switch (place.kind) {
    case "linear":
    case "conv":
    case "embedding":
    case "norm":
    case "attention":
      return `Adapt ${label} with ${name}${tied(place)}`;
    case "model-layers":
      return `Adapt ${label} with ${name}`;
    case "beside":
      return `Add ${name} beside ${label}`;
    case "block-input":
      return `Add ${name} before ${label}`;
    case "block-output":
      return `Add ${name} after ${label}`;
    case "skip":
      return `Tune ${label} with ${name}`;
    case "block-stack":
      return `Put ${name} around ${label}`;
    case "generation-step":
      return `Steer ${label} with ${name}`;
    case "training-step":
      return `Train with ${name}`;
    case "loss":
      return `Add ${name} to ${label}`;
    case "free":
      // "ANITA recipe (QLoRA, then DPO)" is the ANITA recipe here.
      return `Add \`${site.symbol}\` (${method.name.replace(/ \(.*\)$/, "")}) to this file`;
    case "model":
      return `Apply ${name} to ${label}`;
  }
}

/** What becomes of another layer that has the same weight. */
function tied({ layers }: LayerPlace): string {
  const ties = layers.flatMap(({ tie }) => tie ?? []);
  return ties
    .map(({ layer, holds }) => (holds ? `, freezing \`${layer}\` too` : `; \`${layer}\` trains their weight`))
    .join("");
}
