/** Where a text stands in a list or a dict. */
import type { Range } from "../../python/facts";

/** The range of `"q_proj"` with its quotes; undefined where the list is not written here. */
export function itemRange(text: string, { from, to }: Range, item: string): Range | undefined {
  const escaped = item.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const at = text.slice(from, to).search(new RegExp(`["']${escaped}["']`));
  return at < 0 ? undefined : { from: from + at, to: from + at + item.length + 2 };
}
