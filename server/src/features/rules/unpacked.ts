/** What `**{"r": 8}` and `**options` pass, where a dict that the file writes surely holds just that. */
import type { Argument, Call, Value } from "../../python/facts";

/** A dict as an expression: between its brackets nothing else is unpacked. */
const written = /^(?:\{|dict\()(?!.*\*\*)/s;

/** Arguments by name, each standing where it is unpacked; undefined where one of the `*` may bring more. */
export function unpackedInto(call: Call, text: string): ReadonlyMap<string, Argument> | undefined {
  const found = new Map<string, Argument>();
  for (const { star, range, value: given } of call.arguments) {
    if (star === undefined) continue;
    if (star === "*" || given.value.kind !== "dict") return undefined;
    if (!written.test(given.text) && !isConstant(given.text, text)) return undefined;
    for (const [key, value] of given.value.entries) {
      if (key.kind !== "string") return undefined;
      found.set(key.value, {
        range,
        keyword: { name: key.value, range },
        value: { range, text: textOf(value), value },
      });
    }
  }
  return found;
}

/** Whether a name is bound to a dict once, and then only unpacked or made a configuration of: nothing can add to it. */
function isConstant(name: string, text: string): boolean {
  if (!/^\w+$/.test(name)) return false;
  const [bound, ...others] = [
    ...text.matchAll(new RegExp(`(\\*\\*|get_peft_config\\(\\s*)?\\b${name}\\b(?!\\s*=\\s*${name}\\b)`, "g")),
  ];
  if (bound === undefined || !others.every(([, unpacking]) => unpacking !== undefined)) return false;
  const value = /^\s*(?::[^=\n]*)?=\s*((?:\{|dict\()[^]*)/.exec(text.slice(bound.index + name.length))?.[1];
  return value !== undefined && written.test(value.slice(0, closing(value)));
}

/** Where the bracket that a text opens first is closed. */
function closing(text: string): number {
  let depth = 0;
  for (const { 0: bracket, index } of text.matchAll(/[([{}\])]/g)) {
    depth += "([{".includes(bracket) ? 1 : -1;
    if (depth === 0) return index;
  }
  return text.length;
}

function textOf(value: Value): string {
  switch (value.kind) {
    case "string":
      return JSON.stringify(value.value);
    case "number":
      return String(value.value);
    case "boolean":
      return value.value ? "True" : "False";
    case "none":
      return "None";
    case "list":
      return `[${value.items.map(textOf).join(", ")}]`;
    case "reference":
      return value.qualified.split(".").slice(-2).join(".");
    case "dict":
    case "unknown":
      return "…";
  }
}
