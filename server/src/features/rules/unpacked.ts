/** What `**{"r": 8}` and `**options` pass, where a dict that the file writes surely holds just that. */
import type { Argument, Call } from "../../python/facts";
import type { Values } from "../../python/values/values";

/** Arguments by name, each standing where it is unpacked; undefined where one of the `*` may bring more. */
export function unpackedInto(
  call: Call,
  values: Pick<Values, "unpacked">,
): ReadonlyMap<string, Argument> | undefined {
  const found = new Map<string, Argument>();
  for (const { star, range } of call.arguments) {
    if (star === undefined) continue;
    const entries = star === "*" ? undefined : values.unpacked(call, range);
    if (entries === undefined) return undefined;
    for (const { key: name, value } of entries)
      found.set(name, { range, keyword: { name, range }, value: { ...value, range } });
  }
  return found;
}
