/** The ways through a function: what its names hold, and what it returned. */
import { keyOf, type Term } from "./terms";

/** Ways through a method that are followed at once, and results that are kept; more are left out. */
export const mostPaths = 8;
const mostResults = 24;

export type Names = ReadonlyMap<string, Term>;

export interface Path {
  readonly names: Names;
  /** What it returned; absent while it goes on. */
  readonly result?: Term;
}

/** What names hold, beside numbers: a name that holds none says as much. */
const saidBy = (names: Names): string =>
  [...names]
    .filter(([, { kind }]) => kind !== "scalar")
    .map(([name, term]) => `${name}=${keyOf(term)}`)
    .join(";");

/** Paths of which each says something that no other says, unfinished ones as far as they are followed. */
export function different(paths: readonly Path[]): readonly Path[] {
  if (paths.length < 2) return paths;
  const live = new Map<string, Path>();
  const done = new Map<string, Path>();
  for (const path of paths) {
    const { names, result } = path;
    if (result !== undefined) {
      if (done.size < mostResults) done.set(keyOf(result), path);
    } else if (live.size < mostPaths) live.set(saidBy(names), path);
  }
  return [...live.values(), ...done.values()];
}
