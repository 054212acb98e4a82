/** The files of a workspace that one of them imports from, as names: what else is in those files is nobody's business here. */
import type { Scope } from "./scope";

/** Belongs to one version of those files: when one of them changes, it is replaced by another. */
export interface Neighbourhood {
  /** Address of the file whose neighbours these are. */
  readonly uri: string;
  /** First parts of the module names that lead to a neighbour: `gpt`, `pkg`; `.` for all relative ones. */
  readonly heads: ReadonlySet<string>;
  /** The names of a module, which is called as the importing file writes it: `gpt`, `.layers`, `pkg.config`. */
  module(name: string): Scope | undefined;
}

/** For a file that is read by itself. */
export const alone: Neighbourhood = { uri: "", heads: new Set(), module: () => undefined };

/** `pkg` of `pkg.layers.Mlp`, `.` of `..layers.Mlp`. */
export function headOf(qualified: string): string {
  if (qualified.startsWith(".")) return ".";
  const dot = qualified.indexOf(".");
  return dot < 0 ? qualified : qualified.slice(0, dot);
}

/** The modules that may hold what `qualified` names, longest first, each with the names that lead on from there. */
export function* holders(qualified: string): Generator<{ module: string; names: readonly string[] }> {
  const [dots = ""] = /^\.*/.exec(qualified) ?? [];
  const parts = qualified.slice(dots.length).split(".");
  for (let length = parts.length - 1; length >= (dots === "" ? 1 : 0); length--)
    yield { module: dots + parts.slice(0, length).join("."), names: parts.slice(length) };
}
