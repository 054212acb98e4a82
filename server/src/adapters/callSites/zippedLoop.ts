/** A loop over blocks that runs over their adapters too: `for block, tuner in zip(self.blocks, self.tuners):`. */

export interface ZippedLoop {
  readonly target: string;
  readonly iterable: string;
  readonly added: readonly { readonly variable: string; readonly list: string }[];
}

export function inZip({ target, iterable, added }: ZippedLoop): string {
  const first = /,/.test(target) && !/^\(.*\)$/s.test(target) ? `(${target})` : target;
  const targets = [first, ...added.map(({ variable }) => variable)].join(", ");
  return `for ${targets} in zip(${[iterable, ...added.map(({ list }) => list)].join(", ")}):`;
}

/** The header without a list of adapters, and the variable that ran over it; undefined where it is none of ours. */
export function unzipped(header: string, list: string): { header: string; variable: string } | undefined {
  const [, targets = "", iterables = ""] = /^for (.+?) in zip\((.+)\):$/s.exec(header) ?? [];
  const [names, lists] = [split(targets), split(iterables)];
  const index = lists.indexOf(list);
  const variable = names[index];
  if (index < 1 || names.length !== lists.length || variable === undefined) return undefined;
  const rest = { names: names.toSpliced(index, 1), lists: lists.toSpliced(index, 1) };
  const [target = "", ...others] = rest.names;
  const [iterable = ""] = rest.lists;
  if (others.length > 0)
    return { header: `for ${rest.names.join(", ")} in zip(${rest.lists.join(", ")}):`, variable };
  return { header: `for ${/^\((.*)\)$/s.exec(target)?.[1] ?? target} in ${iterable}:`, variable };
}

/** At the commas outside of brackets. */
function split(text: string): string[] {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if ("([{".includes(character)) depth++;
    if (")]}".includes(character)) depth--;
    if (character === "," && depth === 0) parts.push("");
    else parts.push(`${parts.pop() ?? ""}${character}`);
  }
  return parts.map((each) => each.trim());
}
