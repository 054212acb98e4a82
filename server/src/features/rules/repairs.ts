/** What quick fixes do to a call, as edits. */
import { appendArguments } from "../../adapters/callSites/arguments";
import { edit, type Edit } from "../../adapters/edits";
import type { Rule } from "../../literature/catalogue";
import type { Argument, Call } from "../../python/facts";
import type { OpenDocument } from "../context";
import type { CallArguments, Setting } from "./callArguments";
import { nearest } from "./nearest";
import type { Repair } from "./rule";

type Written = Pick<OpenDocument, "python">;

/** The fixes of a rule that its call lets be made. */
export function repairsOf(rule: Rule, found: CallArguments, document: Written): Repair[] {
  return rule.fixes
    .flatMap((fix): readonly (Repair | undefined)[] => {
      if (fix.set !== undefined && fix.to !== undefined)
        return [setArgument(found, document, fix.set, fix.to)];
      if (fix.remove !== undefined) return [removeArgument(found, document, fix.remove)];
      if (fix.rename !== undefined && fix.as !== undefined)
        return [renameArgument(found, fix.rename, fix.as)];
      if (fix.spell !== undefined) return [spellArgument(rule, found, fix.spell)];
      return [];
    })
    .filter((repair) => repair !== undefined);
}

/** Gives an argument a value: in place of the one it has, else after the last. */
export function setArgument(
  { call, setting }: CallArguments,
  { python: { text } }: Written,
  name: string,
  value: string,
): Repair | undefined {
  const title = `Set \`${name}=${value}\``;
  const found = setting(name);
  if (found.kind === "given" && found.unpacked === true) return undefined;
  if (found.kind === "given") {
    const { range } = found.argument.value;
    return { title, edits: [edit(range.from, range.to, value)] };
  }
  // what a dict is made into a configuration by takes no other arguments
  if (call.arguments.some(({ star, range }) => star === "**" && !text.startsWith("**", range.from)))
    return undefined;
  const appended = appendArguments(text, call, [[`${name}=${value}`]]);
  return appended === undefined ? undefined : { title, edits: [appended] };
}

/** Takes an argument out, with the comma and the blank that parted it from the next or the last. */
export function removeArgument(
  { call, setting }: CallArguments,
  { python: { text } }: Written,
  name: string,
): Repair | undefined {
  const found = setting(name);
  if (found.kind !== "given" || found.unpacked === true) return undefined;
  // it may be assigned to what the call gave
  if (!call.arguments.includes(found.argument)) return undefined;
  return { title: `Remove \`${name}\``, edits: [without(call, text, found.argument)] };
}

function without(call: Call, text: string, argument: Argument): Edit {
  const index = call.arguments.findIndex(({ range }) => range.from === argument.range.from);
  const next = call.arguments[index + 1];
  if (next !== undefined) return edit(argument.range.from, next.range.from);
  const before = call.arguments[index - 1];
  if (before !== undefined) return edit(before.range.to, argument.range.to);
  const comma = /^\s*,/.exec(text.slice(argument.range.to, call.argumentList.to))?.[0].length ?? 0;
  return edit(argument.range.from, argument.range.to + comma);
}

/** Calls an argument by its right name. */
export function renameArgument(
  { setting }: Pick<CallArguments, "setting">,
  name: string,
  as: string,
): Repair | undefined {
  const found = setting(name);
  const keyword = found.kind === "given" && found.unpacked !== true ? found.argument.keyword : undefined;
  if (keyword === undefined || setting(as).kind === "given") return undefined;
  return {
    title: `Rename \`${name}\` to \`${as}\``,
    edits: [edit(keyword.range.from, keyword.range.to, as)],
  };
}

/** The allowed value that is spelt most like the one given. */
function spellArgument(rule: Rule, { setting }: CallArguments, name: string): Repair | undefined {
  const found = setting(name);
  const meant = meantValue(rule, found, name);
  if (meant === undefined || found.kind !== "given" || found.unpacked === true) return undefined;
  const { text, range, value } = found.argument.value;
  const quote = text.startsWith("'") ? "'" : '"';
  // a member of an enumeration stays one: TaskType.CAUSAL_LM
  const written = value.kind === "reference" ? text.replace(/\w+$/, meant) : `${quote}${meant}${quote}`;
  return { title: `Set \`${name}=${written}\``, edits: [edit(range.from, range.to, written)] };
}

/** The text that a rule allows for an argument and that is spelt most like the one given. */
export function meantValue(rule: Rule, found: Setting, name: string): string | undefined {
  if (found.kind !== "given" || found.value.kind !== "string") return undefined;
  const allowed = (rule.when.find(({ argument }) => argument === name)?.isNot ?? []).flatMap(
    (text) => /^(["'])(.*)\1$/.exec(text)?.[2] ?? [],
  );
  return nearest(found.value.value, allowed);
}
