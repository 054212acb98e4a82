/** Where a layer is built, which is what an edit changes: at the line that assigns it, or in a function which that calls. */
import type { Call, Layer, PythonFacts } from "../python/facts";
import { moveCall } from "../python/shift";
import type { Place } from "./place";

/** The construction of a layer; undefined where the function that holds it is gone. */
export function constructionOf(
  { definitions }: PythonFacts,
  { call, construction }: Pick<Layer, "call" | "construction">,
): Call | undefined {
  if (construction === undefined) return call;
  if (!construction.free) return construction.call;
  const builder = definitions.find(({ name, kind }) => name === construction.by && kind === "function");
  return builder && moveCall(construction.call, builder.nameRange.from);
}

/** One text for all layers that a construction builds. */
export const constructionKey = ({ path, construction }: Pick<Layer, "path" | "construction">): string =>
  construction === undefined ? path : `${construction.by}@${construction.call.range.from}`;

/** What layers that are built together are called in menus: `fc1`, or all that a function builds. */
export function labelOf({ path, construction }: Layer, together: readonly Layer[]): string {
  const isAlone = together.every((each) => each.path === path);
  return construction === undefined || (!construction.free && isAlone)
    ? path
    : `all that \`${construction.by}\` builds`;
}

/** Each place once; of those whose edit is the same, as what one function builds for several classes, the first. */
export function distinctPlaces(places: readonly Place[]): Place[] {
  const seen = new Set<string>();
  return places.filter((place) => {
    const isShared = "layers" in place && place.layers[0]?.construction?.free === true;
    const key = isShared ? `${place.kind} ${place.label}` : place.key;
    return !seen.has(key) && seen.add(key);
  });
}
