/**
 * The facts of the top-level statements around an offset, so that a hover right after a keystroke need not wait for
 * those of the whole file. Held beside the facts, which stay plain data.
 */
import type { Layout, ModuleClass, PythonFacts } from "./facts";
import { homeOf } from "./imported";
import type { MembersAt } from "./values/members";
import type { BlockFacts } from "./shift";

interface Local {
  /** One kind of facts of the blocks that the stretch touches, in source order. */
  within<K extends keyof BlockFacts>(kind: K, from: number, to: number): readonly BlockFacts[K][number][];
  /** A module class of a block as it is among those of the file. */
  module(module: ModuleClass): ModuleClass;
  members(offset: number): MembersAt;
  /** The module class of another file that a qualified name of this one stands for. */
  imported(qualified: string): ModuleClass | undefined;
}

/** For facts that came from a document: those of its blocks. */
export const localFacts = new WeakMap<PythonFacts, Local>();

/** One kind of fact around an offset or a stretch, in source order: at least those that touch it. */
export function around<K extends Exclude<keyof BlockFacts, "modules">>(
  facts: PythonFacts,
  kind: K,
  from: number,
  to = from,
): readonly BlockFacts[K][number][] {
  return localFacts.get(facts)?.within(kind, from, to) ?? facts[kind];
}

/** The module classes around an offset or a stretch, in source order: at least those that touch it. */
export function modulesAround(facts: PythonFacts, from: number, to = from): readonly ModuleClass[] {
  const local = localFacts.get(facts);
  return local?.within("modules", from, to).map((module) => local.module(module)) ?? facts.modules;
}

/** Attributes at an offset of what calls gave. */
export function membersAround(facts: PythonFacts, offset: number): MembersAt {
  return localFacts.get(facts)?.members(offset) ?? { calls: [] };
}

/** The module class that a layer's type names, in `owner`'s file: this one, or another where `owner` was imported. */
export function moduleOfType(facts: PythonFacts, type: string, owner?: ModuleClass): ModuleClass | undefined {
  const home = owner && homeOf(owner);
  if (home) return home(type);
  if (type.includes(".")) return localFacts.get(facts)?.imported(type);
  return facts.modules.find(({ name }) => name === type);
}

/** The module classes of the file, those it imports, and those that these are made of. */
export function modulesAtHand(facts: PythonFacts): ReadonlySet<ModuleClass> {
  const found = new Set(facts.modules);
  for (const { module } of facts.imported) found.add(module);
  // A set grows while it is walked through.
  for (const module of found)
    for (const { type } of module.layers) {
      const part = moduleOfType(facts, type, module);
      if (part) found.add(part);
    }
  return found;
}

/** The facts of the same text with another layout: what is held beside them holds for both. */
export function withLayout(facts: PythonFacts, layout: Layout): PythonFacts {
  const local = localFacts.get(facts);
  const changed = { ...facts, layout };
  if (local) localFacts.set(changed, local);
  return changed;
}

/** Characters that one step of `reading` reads. */
const stretch = 1000;

/** Kinds of facts that speak of names and prose. */
const named = ["imports", "definitions", "references", "prose"] as const;

/** Reads facts of these kinds, some of the file at a step: afterwards those of the whole file are at hand. */
export function* reading(
  facts: PythonFacts,
  length: number,
  kinds: readonly (keyof BlockFacts)[] = named,
): Generator<undefined, void> {
  for (let from = 0; from < length; from += stretch) {
    for (const kind of kinds) {
      localFacts.get(facts)?.within(kind, from, Math.min(length, from + stretch));
      yield;
    }
  }
}
