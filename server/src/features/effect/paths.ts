/** Paths of a model's modules, and which of them a configuration names, as PEFT decides it. */
import type { Value } from "../../python/facts";

/** "maybe": the path has a `*`, which stands for a number or a key that is not known, or the pattern cannot be followed. */
export type Answer = "yes" | "no" | "maybe";

/** Whether the path ends with the name. */
export function isNamed(key: string, name: string): Answer {
  const parts = key.split(".");
  const wanted = name.split(".");
  if (wanted.length > parts.length) return "no";
  const pairs = wanted.map(
    (each, index) => [each, parts[parts.length - wanted.length + index] ?? ""] as const,
  );
  if (pairs.every(([each, part]) => each === part)) return "yes";
  return pairs.every(([each, part]) => each === part || part === "*") ? "maybe" : "no";
}

/** Of several answers, whether one is yes. */
export const any = (answers: readonly Answer[]): Answer =>
  answers.includes("yes") ? "yes" : answers.includes("maybe") ? "maybe" : "no";

/** The texts of a list or a set; undefined where one is no text. */
export function namesIn(value: Value): string[] | undefined {
  if (value.kind !== "list") return undefined;
  const texts = value.items.flatMap((item) => (item.kind === "string" ? [item.value] : []));
  return texts.length === value.items.length ? texts : undefined;
}

/** Whether a value names the path: a list by the ends of paths, a text as a regular expression for the whole path. */
export function isTargeted(key: string, value: Value): Answer {
  if (value.kind === "string") return matches(value.value, key, "whole");
  const names = namesIn(value);
  return names === undefined ? "maybe" : any(names.map((name) => isNamed(key, name)));
}

/** What JavaScript and Python read alike, without what may take for ever. */
const readable = /^(?!.*[+*}]\)[+*{?])(?:[\w.,*+?|()[\]{}^$ -]|\\[.dwWsSDb])*$/;
const longest = 300;

/** Whether a regular expression of Python matches: the whole path, or its end after a dot. */
export function matches(pattern: string, key: string, what: "whole" | "end" | "start"): Answer {
  if (pattern.length > longest || !readable.test(pattern) || key.includes("*")) return "maybe";
  try {
    const [before, after] = { whole: ["", "$"], end: ["(?:.*\\.)?", "$"], start: ["", ""] }[what];
    return new RegExp(`^${before ?? ""}(?:${pattern})${after ?? ""}`).test(key) ? "yes" : "no";
  } catch {
    return "maybe";
  }
}

/** The number of the block that a path lies in, which `layers_to_transform` speaks of; undefined where it lies in none. */
export function blockOf(key: string, lists: readonly string[]): number | "maybe" | undefined {
  if (key.includes("*")) return "maybe";
  const patterns = lists.length === 0 ? ["[^.]*"] : lists;
  if (patterns.some((each) => !readable.test(each))) return "maybe";
  // a dot stands before the list: PEFT finds no block in `blocks.0.attn`, only in `model.blocks.0.attn`
  const found = patterns.map((each) => new RegExp(`^.*?\\.${each}\\.(\\d+)\\.`).exec(key)?.[1]);
  const number = found.find((each) => each !== undefined);
  return number === undefined ? undefined : Number(number);
}

/** The path and those of all modules around it: `h.0.attn` → `h`, `h.0`, `h.0.attn`. */
export const pathsTo = (key: string): string[] =>
  key.split(".").map((_, index, parts) => parts.slice(0, index + 1).join("."));
