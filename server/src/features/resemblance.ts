/** Which method a hand-written class implements, by what its `forward` computes and not by its name. */
import type { Library } from "../literature/library";
import type { Method } from "../literature/model";
import { computed } from "../python/formulas/computation";
import type { Layer, ModuleClass, PythonFacts } from "../python/facts";
import { termOfFormula } from "../python/formulas/formulaTerm";
import type { Proportion } from "../python/formulas/proportions";
import type { Term } from "../python/formulas/terms";
import { isThin, shapeOf } from "./weightShapes";

export interface Resemblance {
  readonly method: Method;
  /** The formula that was recognised, as the corpus writes it. */
  readonly formula: string;
  /** The class's attribute for each letter of the formula: A is lora_A. */
  readonly roles: ReadonlyMap<string, string>;
}

/** Undefined where the class computes nothing that the corpus knows, or is only a piece of another model. */
export function resemblance(
  library: Library,
  facts: PythonFacts,
  module: ModuleClass,
): Resemblance | undefined {
  const made = computed(facts, module);
  if (made === undefined) return undefined;
  const layers = new Map(module.layers.map((layer) => [layer.path, layer]));
  const found = patternsOf(library).flatMap(({ method, formula, term, size }) => {
    const parts: Parts = { layers, proportion: made.proportion, isNamed: isNamedAfter(module, method) };
    return made.terms.flatMap((computes) => {
      const roles = unify(term, computes, new Map(), parts)[0];
      return roles !== undefined && thin(term, roles, parts) ? [{ method, formula, roles, size }] : [];
    });
  });
  // the longest formula says most
  return found.toSorted(
    (a, b) => b.size - a.size || (b.method.prominence ?? 0) - (a.method.prominence ?? 0),
  )[0];
}

interface Pattern {
  readonly method: Method;
  readonly formula: string;
  readonly term: Term;
  readonly size: number;
}

const known = new WeakMap<Library, { readonly revision: number; readonly patterns: readonly Pattern[] }>();

function patternsOf(library: Library): readonly Pattern[] {
  const before = known.get(library);
  if (before?.revision === library.revision()) return before.patterns;
  const patterns = library.methods().flatMap((method) =>
    (method.computes ?? []).map((formula) => {
      const term = termOfFormula(formula);
      return { method, formula, term, size: weightsIn(term).length };
    }),
  );
  known.set(library, { revision: library.revision(), patterns });
  return patterns;
}

const childrenOf = (term: Term): readonly Term[] => {
  switch (term.kind) {
    case "map":
      return [term.map, term.of];
    case "matrix":
      return [term.left, term.right];
    case "sum":
    case "product":
      return term.terms;
    case "function":
      return term.of;
    default:
      return [];
  }
};

const weightsIn = (term: Term): string[] =>
  term.kind === "weight" ? [term.name] : childrenOf(term).flatMap(weightsIn);

type Roles = ReadonlyMap<string, string>;

/** The class that a formula is compared with. */
interface Parts {
  readonly layers: ReadonlyMap<string, Layer>;
  readonly proportion: (text: string) => Proportion | undefined;
  /** Whether it bears the method's name: then layers that were handed over ready-made are believed. */
  readonly isNamed: boolean;
}

const isNamedAfter = ({ name }: ModuleClass, method: Method): boolean =>
  [method.id, ...method.name.split(" ")].some(
    (word) => word.length > 3 && name.toLowerCase().includes(word.toLowerCase()),
  );

/** Every way in which the letters of `pattern` can stand for weights so that it is `term`. */
function unify(pattern: Term, term: Term, roles: Roles, parts: Parts): readonly Roles[] {
  if (pattern.kind === "weight")
    return term.kind === "weight" ? bound(pattern.name, term.name, roles, parts) : [];
  if (pattern.kind !== term.kind) return [];
  if (pattern.kind === "function" && term.kind === "function" && pattern.name !== term.name) return [];
  const [wanted, given] = [childrenOf(pattern), childrenOf(term)];
  return pattern.kind === "sum" || pattern.kind === "product"
    ? inAnyOrder(
        wanted,
        given.filter((each) => !isBias(each)),
        roles,
        parts,
      )
    : inOrder(wanted, given, roles, parts);
}

const isBias = (term: Term): boolean => term.kind === "weight" && /bias/i.test(term.name);

function inOrder(
  wanted: readonly Term[],
  given: readonly Term[],
  roles: Roles,
  parts: Parts,
): readonly Roles[] {
  if (wanted.length !== given.length) return [];
  return wanted.reduce<readonly Roles[]>(
    (ways, each, index) => {
      const term = given[index];
      return term === undefined ? [] : ways.flatMap((way) => unify(each, term, way, parts));
    },
    [roles],
  );
}

function inAnyOrder(
  wanted: readonly Term[],
  given: readonly Term[],
  roles: Roles,
  parts: Parts,
): readonly Roles[] {
  const [first, ...rest] = wanted;
  if (wanted.length !== given.length) return [];
  if (first === undefined) return [roles];
  return given.flatMap((term) =>
    unify(first, term, roles, parts).flatMap((way) =>
      inAnyOrder(
        rest,
        given.filter((each) => each !== term),
        way,
        parts,
      ),
    ),
  );
}

/** The roles with one more, where the weight can play it: capitals are matrices, P prompts, small letters vectors. */
function bound(letter: string, name: string, roles: Roles, { layers, isNamed }: Parts): readonly Roles[] {
  const before = roles.get(letter);
  if (before !== undefined) return before === name ? [roles] : [];
  if ([...roles.values()].includes(name)) return [];
  const layer = layers.get(name);
  const shape = layer && shapeOf(layer);
  const fits =
    letter === "base"
      ? layer?.role !== "parameter" || /weight|^W/.test(name)
      : layer === undefined
        ? isNamed && /^[A-Z]$/.test(letter)
        : /^[a-z]$/.test(letter)
          ? layer.role === "parameter" && shape?.rank !== 2 && (letter !== "l" || startsAtOne(layer))
          : layer.role === "linear" ||
            layer.role === "conv" ||
            (layer.role === "embedding" && letter === "P") ||
            (layer.role === "parameter" && shape?.rank !== 1);
  return fits ? [new Map([...roles, [letter, name]])] : [];
}

/** l scales what was learnt before, so it starts as ones; a layer scale starts near nothing. */
const startsAtOne = ({ call }: Layer): boolean => /\bones\b/.test(call.arguments[0]?.value.text ?? "");

/** Where one matrix follows another, what is between them must be thin: a wide layer between is no adapter. */
function thin(pattern: Term, roles: Roles, { layers, proportion, isNamed }: Parts): boolean {
  const followed = (term: Term): readonly (readonly [string, string])[] => {
    const inner = childrenOf(term).flatMap(followed);
    if (term.kind === "matrix" && term.left.kind === "weight" && term.right.kind === "weight")
      return [...inner, [term.left.name, term.right.name]];
    if (term.kind !== "map" || term.map.kind !== "weight") return inner;
    const before = mapBelow(term.of);
    return before === undefined ? inner : [...inner, [term.map.name, before]];
  };
  return followed(pattern).every(([up, down]) => {
    const [outer, inner] = [up, down].map((letter) => layers.get(roles.get(letter) ?? ""));
    return outer === undefined || inner === undefined ? isNamed : isThin(outer, inner, proportion);
  });
}

/** The matrix that was applied last before, through activations and scaling vectors. */
function mapBelow(term: Term): string | undefined {
  if (term.kind === "map") return term.map.kind === "weight" ? term.map.name : undefined;
  if (term.kind === "function" || term.kind === "product")
    return childrenOf(term).flatMap((each) => mapBelow(each) ?? [])[0];
  return undefined;
}
