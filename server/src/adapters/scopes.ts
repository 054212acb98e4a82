/** Wider and narrower scopes of an action on layers: one, chosen names across the class, all of a kind, the whole model. */
import type { PythonFacts } from "../python/facts";
import type { KnownTargets } from "./knownTargets";
import { isModelKey, modelLayersNamed, type Sources } from "./modelLayers";
import type { LayerPlace, Place } from "./place";
import { isLayerPlace, pathsOf } from "./fits";
import { placesNamed } from "./places";

/** A place by its key, names chosen by the user included: `linear:Attention:q_proj,v_proj`. */
export function placesOfKey(sources: Sources, key: string): Place[] {
  const { facts, text } = sources.file;
  if (isModelKey(key)) return modelLayersNamed(sources, key);
  const [, ofClass = "", names = ""] = /^(\w+:\w+:)(.+,.+)$/.exec(key) ?? [];
  if (names === "") return placesNamed(facts, text, key);
  const single = names.split(",").flatMap((name) => placesNamed(facts, text, ofClass + name));
  const joint = together(single.filter(isLayerPlace), names.split(","));
  return joint === undefined ? [] : [joint];
}

/** The key with other layers chosen, by name. */
export const withNames = (key: string, names: readonly string[]): string =>
  `${key.slice(0, key.lastIndexOf(":") + 1)}${names.join(",")}`;

/** Layers of one class by name; undefined where the class lacks one of them. */
function together(places: readonly LayerPlace[], names: readonly string[]): LayerPlace | undefined {
  const [first] = places;
  const chosen = names.flatMap((name) => places.find(({ label }) => label === name) ?? []);
  if (first === undefined || chosen.length !== names.length) return undefined;
  const { obstacle } = chosen.find((place) => place.obstacle !== undefined) ?? {};
  return {
    kind: first.kind,
    key: withNames(first.key, names),
    label: names.map((name) => `\`${name}\``).join(" and "),
    touch: chosen.flatMap(({ touch }) => touch),
    module: first.module,
    layers: chosen.flatMap(({ layers }) => layers),
    ...(obstacle === undefined ? {} : { obstacle }),
  };
}

/** What contains a place: the names that papers adapt together, then all layers of its kind in the class. */
export function widened(
  facts: PythonFacts,
  text: string,
  place: Place,
  known: readonly KnownTargets[],
): LayerPlace[] {
  if (!isLayerPlace(place)) return [];
  const { kind, module } = place;
  const all = placesNamed(facts, text, `${kind}:${module.name}:*`).filter(isLayerPlace);
  const [whole] = all;
  if (whole === undefined) return [];
  const paths = pathsOf(whole);
  const custom = known.find(
    ({ names }) =>
      names.length > 1 && names.length < paths.length && names.every((name) => paths.includes(name)),
  );
  return [
    ...(custom === undefined ? [] : placesOfKeyIn(facts, text, withNames(whole.key, custom.names))),
    ...all,
  ].filter(({ key }) => key !== place.key);
}

const placesOfKeyIn = (facts: PythonFacts, text: string, key: string): LayerPlace[] =>
  placesOfKey({ file: { facts, text }, siblings: [], known: [] }, key).filter(isLayerPlace);
