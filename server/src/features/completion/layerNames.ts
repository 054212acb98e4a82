/** The names of layers that arguments of a configuration can hold: those of the model classes at hand, else of the family that is loaded. */
import type { Layer, PythonFacts } from "../../python/facts";
import { modulesAtHand } from "../../python/local";
import type { SymbolField } from "../../literature/catalogue";
import type { FeatureContext } from "../context";
import { familyIn, linearLayersOf } from "../family";

export interface LayerNames {
  readonly names: readonly string[];
  /** Whose they are, in words. */
  readonly of: string;
}

type Kind = "linear" | "whole" | "list";

/** What kind of layers an argument names. */
export function namedBy({ name }: SymbolField): Kind | undefined {
  if (/^(?:(?:target|exclude|feedforward)_modules|(?:rank|alpha)_pattern)$/.test(name)) return "linear";
  return name === "modules_to_save" ? "whole" : name === "layers_pattern" ? "list" : undefined;
}

/** Names for an argument; none where no model is in sight. */
export function layerNames({ library }: FeatureContext, facts: PythonFacts, field: SymbolField): LayerNames {
  const kind = namedBy(field);
  if (kind === undefined) return { names: [], of: "" };
  const own = ownNames(facts, kind);
  if (own.length > 0)
    return { names: own, of: kind === "linear" ? "linear layer of this file" : "layer of this file" };
  const family = familyIn(library, facts);
  if (family === undefined || kind === "list") return { names: [], of: "" };
  const { head, embeddings = [], earlier } = family;
  const of = `layer of ${family.name}`;
  if (kind === "whole") return { names: [...(head === undefined ? [] : [head]), ...embeddings], of };
  const names = linearLayersOf(family);
  return earlier === undefined
    ? { names, of }
    : { names: [...new Set([...names, ...linearLayersOf(earlier)])], of: `${of} in one release or another` };
}

/** Names by which `target_modules` can reach the linear layers of the file's model classes and of those it imports. */
export const linearLayerNames = (facts: PythonFacts): string[] => ownNames(facts, "linear");

function ownNames(facts: PythonFacts, kind: Kind): string[] {
  const layers = [...modulesAtHand(facts)].flatMap((module) => module.layers);
  return [...new Set(namesOf(layers, kind))].filter((name) => name !== "");
}

function namesOf(layers: readonly Layer[], kind: Kind): string[] {
  const of = (role: Layer["role"], isWanted: (path: string) => boolean = () => true): string[] =>
    layers.filter((layer) => layer.role === role && isWanted(layer.path)).map(({ path }) => nameIn(path));
  if (kind === "linear") return of("linear");
  // what trains whole is seldom in a block: a head, an embedding
  if (kind === "whole")
    return [...of("linear", (path) => !path.includes("*")).toReversed(), ...of("embedding")];
  return of("container", (path) => layers.some((layer) => layer.path.startsWith(`${path}.*`)));
}

/** The end of a path by which a list can name it; a number or a star alone names nothing: `mlp.0` needs its container. */
function nameIn(path: string): string {
  const parts = path.split(".");
  const named = parts.findLastIndex((part) => /^[A-Za-z_]/.test(part));
  return parts
    .slice(Math.max(named, 0))
    .filter((part) => part !== "*")
    .join(".");
}
