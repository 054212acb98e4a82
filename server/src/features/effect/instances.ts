/** The layers of a model one by one, as far as their numbers are known. */
import type { Found } from "../../adapters/modelTargets";
import type { Layer } from "../../python/facts";

/** One layer by its path in the model, or all that a path with a `*` stands for. */
export interface Instance {
  readonly key: string;
  readonly layer: Layer;
  readonly uses: number | undefined;
}

/** Of a larger model nothing is said by number. */
const most = 4000;

/** `h.*.attn` twelve times → `h.0.attn`, `h.1.attn`, … */
export function instancesOf(found: readonly Found[]): Instance[] {
  const instances: Instance[] = [];
  for (const { key, layer, uses, lengths } of found) {
    const keys = lengths === undefined ? undefined : numbered(key, lengths);
    if (keys === undefined || keys.length !== uses || instances.length + keys.length > most)
      instances.push({ key, layer, uses });
    else for (const each of keys) instances.push({ key: each, layer, uses: 1 });
  }
  return instances;
}

function numbered(key: string, lengths: readonly number[]): string[] | undefined {
  if (lengths.reduce((total, length) => total * length, 1) > most) return undefined;
  return lengths.reduce(
    (keys, length) =>
      keys.flatMap((each) =>
        Array.from({ length }, (_, index) => each.replace(/(?<=^|\.)\*(?=\.|$)/, String(index))),
      ),
    [key],
  );
}
