/** Which method a hand-written class implements, by what its `forward` computes and not by its name. */
import type { Library } from "../literature/library";
import type { Method } from "../literature/model";
import { type Computed, computed } from "../python/formulas/computation";
import type { Layer, ModuleClass, PythonFacts } from "../python/facts";
import { termsOfFormulas } from "../python/formulas/formulaTerm";
import type { Proportion } from "../python/formulas/proportions";
import { partsOf, type Term } from "../python/formulas/terms";
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
  const { layers, proportion, frozen } = made;
  const called = calledIn(module, made);
  const found = patternsOf(library).flatMap(({ method, formula, term, size, isShared }) => {
    const named = nameBorne(called, method);
    const isNamed = named > 0;
    if (isShared && !isNamed) return [];
    const parts: Parts = { layers, proportion, frozen, isNamed };
    return made.terms.flatMap((computes) => {
      const roles = unify(term, computes, new Map(), parts)[0];
      return roles !== undefined && thin(term, roles, parts)
        ? [{ method, formula, roles, size, named, term: computes }]
        : [];
    });
  });
  // the longest formula says most; of two methods with one formula, the class's name
  const [best] = found.toSorted(
    (a, b) => b.size - a.size || b.named - a.named || (b.method.prominence ?? 0) - (a.method.prominence ?? 0),
  );
  // what can do either of two methods, of one paper or one with a part less, by a setting is the better known of them
  const either = found.filter(
    ({ method, term, named, roles }) =>
      best !== undefined &&
      best.named <= named &&
      best.term !== term &&
      (best.method.paper === method.paper ||
        [...roles].every(([letter, name]) => best.roles.get(letter) === name)),
  );
  return (
    best && [best, ...either].toSorted((a, b) => (b.method.prominence ?? 0) - (a.method.prominence ?? 0))[0]
  );
}

interface Pattern {
  readonly method: Method;
  readonly formula: string;
  readonly term: Term;
  readonly size: number;
  /** Whether other methods compute the same. */
  readonly isShared: boolean;
}

const known = new WeakMap<Library, { readonly revision: number; readonly patterns: readonly Pattern[] }>();

function patternsOf(library: Library): readonly Pattern[] {
  const before = known.get(library);
  if (before?.revision === library.revision()) return before.patterns;
  const written = library
    .methods()
    .flatMap((method) => [
      ...(method.computes ?? []).map((formula) => ({ method, formula, isShared: false })),
      ...(method.named ?? []).map((formula) => ({ method, formula, isShared: true })),
    ]);
  const terms = termsOfFormulas(written.map(({ formula }) => formula));
  const patterns = written.flatMap((each, index): Pattern[] => {
    const term = terms[index];
    return term === undefined ? [] : [{ ...each, term, size: sizeOfPattern(term) }];
  });
  known.set(library, { revision: library.revision(), patterns });
  return patterns;
}

const weightsIn = (term: Term): string[] =>
  term.kind === "weight" ? [term.name] : partsOf(term).flatMap(weightsIn);

/** How much a formula says: its letters, and which of them are frozen. */
const sizeOfPattern = (term: Term): number =>
  weightsIn(term).length + weightsIn(term).filter((letter) => /^[FG]$/.test(letter)).length;

type Roles = ReadonlyMap<string, string>;

/** The class that a formula is compared with. */
interface Parts {
  readonly layers: ReadonlyMap<string, Layer>;
  readonly proportion: (text: string) => Proportion | undefined;
  readonly frozen: ReadonlySet<string>;
  /** Whether it bears the method's name: then layers that were handed over ready-made are believed. */
  readonly isNamed: boolean;
}

/** How a class is called, and how its bases and attributes are. */
interface Called {
  readonly own: string;
  readonly others: readonly string[];
}

const calledIn = ({ name, bases }: ModuleClass, { layers }: Computed): Called => {
  const weights = [...layers].filter(([, { role }]) => role !== "dropout").map(([path]) => path);
  return {
    own: name.toLowerCase(),
    others: [...bases.map((base) => base.slice(base.lastIndexOf(".") + 1)), ...weights].map((each) =>
      each.toLowerCase(),
    ),
  };
};

/** How long the name of a method is that a class bears, in its own name, as a library has it, or at the start of others; else 0. */
function nameBorne({ own, others }: Called, { id, name, symbols }: Method): number {
  const short = id.replaceAll("-", "_");
  const inOwn = [id.replaceAll("-", ""), ...name.split(" ")]
    .map((word) => word.toLowerCase())
    .filter((word) => !/^(?:tuning|parallel)$/.test(word))
    .filter((word) => (word.length > 3 ? own.includes(word) : word === short && own.startsWith(word)));
  const inOthers = new RegExp(`^${short}(?:_|layer|module|mixin|base)`);
  return Math.max(
    0,
    ...inOwn.map(({ length }) => length),
    others.some((each) => inOthers.test(each)) ? short.length : 0,
    symbols?.some((each) => each.toLowerCase() === own) === true ? own.length : 0,
  );
}

/** Every way in which the letters of `pattern` can stand for weights so that it is `term`. */
function unify(pattern: Term, term: Term, roles: Roles, parts: Parts): readonly Roles[] {
  if (pattern.kind === "weight") {
    // a matrix whose entries are kept as a vector
    const kept = term.kind === "function" && term.name === "scatter" ? (term.of[0] ?? term) : term;
    return kept.kind === "weight" && (kept === term || isMatrix(pattern.name))
      ? bound(pattern.name, kept.name, roles, parts, kept !== term)
      : [];
  }
  if (pattern.kind !== term.kind) return [];
  if (pattern.kind === "function" && term.kind === "function" && pattern.name !== term.name) return [];
  const [wanted, given] = [partsOf(pattern), partsOf(term)];
  return pattern.kind === "sum" || pattern.kind === "product"
    ? inAnyOrder(
        wanted,
        given.length > wanted.length ? given.filter((each) => !isBias(each)) : given,
        roles,
        parts,
      )
    : inOrder(wanted, given, roles, parts);
}

const isMatrix = (letter: string): boolean => /^[A-Z]$/.test(letter);

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

/** The roles with one more, where the weight can play it. */
function bound(
  letter: string,
  name: string,
  roles: Roles,
  parts: Parts,
  isKeptAsVector: boolean,
): readonly Roles[] {
  const before = roles.get(letter);
  if (before !== undefined)
    return before === name || (letter === "base" && isOneModule(before, name, parts)) ? [roles] : [];
  if ([...roles.values()].includes(name)) return [];
  const isParameter = isKeptAsVector && parts.layers.get(name)?.role === "parameter";
  return isParameter || fits(letter, name, parts) ? [new Map([...roles, [letter, name]])] : [];
}

/** Two names of the module that was handed over: org_forward and org_module. */
const isOneModule = (one: string, other: string, { layers }: Parts): boolean =>
  !layers.has(one) &&
  !layers.has(other) &&
  /^(?:org|orig|original|base)(?=_)/.exec(one)?.[0] === /^[a-z]+(?=_)/.exec(other)?.[0];

/** Capitals are matrices (P prompts, F and G frozen, U and D of one position), small letters vectors, longer names either; `table` is an embedding. */
function fits(letter: string, name: string, { layers, frozen, isNamed }: Parts): boolean {
  const layer = layers.get(name);
  if (letter === "base") return layer?.role !== "parameter" || /weight|^W/.test(name);
  if (letter === "table") return layer?.role === "embedding";
  if (layer === undefined) return isNamed;
  if (layer.role === "container" || layer.role === "module") return isNamed;
  const rank = shapeOf(layer)?.rank;
  if (!isMatrix(letter))
    return (
      layer.role === "parameter" &&
      (letter.length > 1 || rank !== 2 || isNamed) &&
      (letter !== "l" || isNamed || startsAtOne(layer))
    );
  if (/^[FG]$/.test(letter) && !frozen.has(name)) return false;
  // rotations of more than one factor are none of those that Q makes
  if (letter === "Q" && layer.role === "parameter" && rank !== undefined && rank > 3) return false;
  if (/^[UD]$/.test(letter) && layer.role === "conv" && !seesOnePosition(layer)) return false;
  return (
    layer.role === "linear" ||
    layer.role === "conv" ||
    (layer.role === "embedding" && /^[PR]$/.test(letter)) ||
    (layer.role === "parameter" && (rank !== 1 || isNamed))
  );
}

/** A convolution that is a linear layer on each position: one by one. */
const seesOnePosition = ({ arguments: { kernel_size: size } }: Layer): boolean =>
  size !== undefined && /^\(?1(?:, ?1)*,?\)?$/.test(size.text);

/** l scales what was learnt before, so it starts as ones; a layer scale starts near nothing. */
const startsAtOne = ({ call }: Layer): boolean => ones.test(call.arguments[0]?.value.text ?? "");
const ones = /^[\w.]*ones(?:_like)?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)$/;

/**
 * Where one matrix follows another, what is between them must be thin: a wide layer between is no adapter. Prompts and the
 * projections of attention (O, P, Q, K) may be as wide as they like.
 */
function thin(pattern: Term, roles: Roles, { layers, proportion, isNamed }: Parts): boolean {
  const followed = (term: Term): readonly (readonly [string, string])[] => {
    const inner = partsOf(term).flatMap(followed);
    if (term.kind === "matrix" && term.left.kind === "weight" && term.right.kind === "weight")
      return [...inner, [term.left.name, term.right.name]];
    if (term.kind !== "map" || term.map.kind !== "weight") return inner;
    const before = mapBelow(term.of);
    return before === undefined ? inner : [...inner, [term.map.name, before]];
  };
  return followed(pattern).every(([up, down]) => {
    if (up === down || [up, down].some((letter) => !/^[A-JL-NR-Z]$/.test(letter))) return true;
    const [outer, inner] = [up, down].map((letter) => layers.get(roles.get(letter) ?? ""));
    return outer === undefined || inner === undefined
      ? isNamed
      : (isThin(outer, inner, proportion) ?? isNamed);
  });
}

/** The matrix that was applied last before, through activations and scaling vectors. */
function mapBelow(term: Term): string | undefined {
  if (term.kind === "map") return term.map.kind === "weight" ? term.map.name : undefined;
  if ((term.kind === "function" && term.name === "f") || term.kind === "product")
    return partsOf(term).flatMap((each) => mapBelow(each) ?? [])[0];
  return undefined;
}
