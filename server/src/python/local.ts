/**
 * The facts of the one or two top-level statements around an offset, so that a hover right after a keystroke need not
 * wait for those of the whole file. Held beside the facts, which stay plain data.
 */
import type { PythonFacts } from "./facts";
import type { BlockFacts } from "./shift";

/** For facts that came from a document: the facts of the blocks at an offset. */
export const localFacts = new WeakMap<PythonFacts, (offset: number) => readonly BlockFacts[]>();

/** One kind of fact around an offset, in source order. */
export function around<K extends "calls" | "references" | "modules">(
  facts: PythonFacts,
  kind: K,
  offset: number,
): readonly BlockFacts[K][number][] {
  const local = localFacts.get(facts)?.(offset);
  return local ? local.flatMap((each): readonly BlockFacts[K][number][] => each[kind]) : facts[kind];
}
