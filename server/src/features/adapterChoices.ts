/** Everything that can be inserted into the class at the cursor (or beside free code), for the palette and the comparison. */
import { choicesAt, siteKey, title } from "../adapters/choices";
import { ownerOf, placesIn } from "../adapters/places";
import type { AdapterChoice } from "../protocol";
import { classAt } from "../python/at";
import type { FeatureContext, OpenDocument } from "./context";

export function adapterChoices(
  { library }: FeatureContext,
  { python }: OpenDocument,
  offset: number,
): AdapterChoice[] {
  const { facts, text } = python;
  const owner = classAt(facts, offset)?.name ?? "";
  return placesIn(facts, text)
    .filter((place) => ownerOf(place) === owner)
    .flatMap((place) => choicesAt(library.methods(), place))
    .toSorted((a, b) => distance(a.place.touch, offset) - distance(b.place.touch, offset))
    .map((choice) => ({
      method: choice.method.id,
      site: siteKey(choice),
      title: title(choice),
      paper: choice.method.paper,
      mergeable: choice.method.properties.mergeable,
      identityAtInit: choice.method.properties.identityAtInit,
      fidelity: choice.method.fidelity,
      ...(choice.trainable === undefined ? {} : { trainable: choice.trainable }),
      ...(choice.share === undefined ? {} : { share: choice.share }),
      ...(choice.disabled === undefined ? {} : { disabled: choice.disabled }),
    }));
}

/** 0 at a place, 1 elsewhere: what the cursor stands on comes first, the rest keeps its order. */
const distance = (
  touch: readonly { readonly from: number; readonly to: number }[],
  offset: number,
): number => (touch.some(({ from, to }) => from <= offset && offset <= to) ? 0 : 1);
