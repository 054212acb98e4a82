/** Everything that can be inserted into the class at the cursor (or beside free code), for the palette and the comparison. */
import { trainableParameters } from "../adapters/budget";
import { type Choice, choicesAt, nameOf, siteKey, title } from "../adapters/choices";
import { distinctPlaces } from "../adapters/construction";
import { extrasAt, homeOf } from "../adapters/extras";
import { knownTargets } from "../adapters/knownTargets";
import { modelLayersIn } from "../adapters/modelLayers";
import type { FreePlace } from "../adapters/freePlaces";
import type { Place } from "../adapters/place";
import { isLayerPlace, pathsOf, ownerOf } from "../adapters/fits";
import { placesIn } from "../adapters/places";
import { rootOf } from "../adapters/root";
import { widened } from "../adapters/scopes";
import type { AdapterChoice, AdapterTarget } from "../protocol";
import { classAt } from "../python/at";
import type { Range } from "../python/facts";
import type { FeatureContext, OpenDocument } from "./context";
import { type OtherFiles, siblingsOf } from "./insertAdapter";

/** @param readModule text of the module that a document calls by this name, null where there is none */
export async function adapterChoices(
  { library }: FeatureContext,
  document: OpenDocument,
  offset: number,
  readModule: OtherFiles["readModule"],
): Promise<AdapterChoice[]> {
  const file = document.python;
  const { facts, text } = file;
  const known = knownTargets(library);
  const siblings = await siblingsOf(document, readModule);
  const inFile = placesIn(facts, text);
  const whole = modelLayersIn({ file, siblings, known });
  const at = classAt(facts, offset);
  const owner = at?.name ?? "";
  const root = at === undefined ? undefined : rootOf(facts, at).name;
  const near = [
    ...inFile.filter(
      (place) => place.kind !== "free" && (ownerOf(place) === owner || touches(place, offset)),
    ),
    ...whole.filter((place) => touches(place, offset) || (root !== undefined && place.root?.name === root)),
  ];
  const wider = near.flatMap((place) => widened(facts, text, place, known));
  const free = nearestFree(inFile, offset).filter((place) => at === undefined || touches(place, offset));
  return distinctPlaces([...near, ...wider, ...free])
    .toSorted((a, b) => distance(a, offset) - distance(b, offset) || rank(a) - rank(b))
    .flatMap((place) => {
      const extras = extrasAt(file, homeOf(file, place));
      const options = optionsOf(place);
      return choicesAt(library.methods(), place).map((choice) => ({
        ...described(library, choice),
        ...targetsOf(options, choice),
        with: extras,
      }));
    });
}

const touches = ({ touch }: Place, offset: number): boolean =>
  touch.some(({ from, to }: Range) => from <= offset && offset <= to);

/** What the cursor stands on comes first, the rest keeps its order. */
const distance = (place: Place, offset: number): number => (touches(place, offset) ? 0 : 1);

/** Among places alike in that, layers before what concerns a whole class; what cannot be adapted, and helpers of no layer, last. */
function rank(place: Place): number {
  if (place.kind === "free") return 3;
  if (place.obstacle !== undefined) return 2;
  return isLayerPlace(place) || place.kind === "model-layers" ? 0 : 1;
}

/** Helpers that belong to no layer are the same at every gap of a file. */
function nearestFree(places: readonly Place[], offset: number): FreePlace[] {
  const away = ({ at }: FreePlace): number => Math.abs(at - offset);
  const [nearest] = places.filter((place) => place.kind === "free").toSorted((a, b) => away(a) - away(b));
  return nearest === undefined ? [] : [nearest];
}

function described(
  library: FeatureContext["library"],
  choice: Choice,
): Omit<AdapterChoice, "with" | "targets"> {
  const { method, site, place, trainable, share, disabled } = choice;
  return {
    method: method.id,
    name: nameOf(method, site),
    site: siteKey(choice),
    title: title(choice),
    place: place.label.replaceAll("`", ""),
    paper: method.paper,
    paperTitle: library.paper(method.paper)?.title ?? method.paper,
    mergeable: method.properties.mergeable,
    identityAtInit: method.properties.identityAtInit,
    fidelity: method.fidelity,
    ...scopeOf(place),
    ...(trainable === undefined ? {} : { trainable }),
    ...(share === undefined ? {} : { share }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

function scopeOf(place: Place): Pick<AdapterChoice, "scope"> {
  if (place.kind === "model-layers") return { scope: "model" };
  if (isLayerPlace(place)) return { scope: pathsOf(place).length > 1 ? "class" : "layer" };
  return "module" in place ? { scope: place.key.endsWith("*") ? "class" : "layer" } : {};
}

/** Layers that one may choose, and the place that each alone would be. */
interface Option {
  readonly target: Omit<AdapterTarget, "trainable">;
  readonly place: Place;
}

function optionsOf(place: Place): Option[] {
  if (place.obstacle !== undefined) return [];
  if (place.kind === "model-layers") {
    return place.targets.map(({ name, layers, obstacle }) => {
      const uses = layers.flatMap((each) => each.uses ?? []);
      const isKnown = layers.length > 0 && uses.length === layers.length;
      const target = {
        name,
        chosen: place.chosen.includes(name),
        ...(isKnown ? { layers: uses.reduce((sum, each) => sum + each, 0) } : {}),
        ...(obstacle === undefined ? {} : { disabled: obstacle }),
      };
      return { target, place: { ...place, chosen: [name] } };
    });
  }
  if (!isLayerPlace(place) || pathsOf(place).length < 2) return [];
  const { kind, module, layers } = place;
  return module.layers
    .filter((layer) => layer.role === kind && layer.type === layers[0]?.type && layer.obstacle === undefined)
    .filter(({ path }, index, all) => all.findIndex((each) => each.path === path) === index)
    .map((layer) => ({
      target: { name: layer.path, chosen: layers.includes(layer) },
      place: { ...place, layers: [layer] },
    }));
}

function targetsOf(options: readonly Option[], { method, site }: Choice): { targets?: AdapterTarget[] } {
  if (options.length < 2) return {};
  const targets = options.map(({ target, place }) => {
    const trainable = trainableParameters(method, site, place);
    return trainable === undefined ? target : { ...target, trainable };
  });
  return { targets };
}
