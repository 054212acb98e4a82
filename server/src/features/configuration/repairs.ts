/** What the quick fixes of a rule do to a configuration file, as edits. */
import { edit, insertion } from "../../adapters/edits";
import type { Entry } from "../../configuration/tree";
import type { Rule, RuleFix } from "../../literature/catalogue";
import { yamlNotation } from "../notation";
import type { CallArguments } from "../rules/callArguments";
import { underlined } from "../rules/declared";
import { meantValue, renameArgument } from "../rules/repairs";
import type { Repair } from "../rules/rule";
import type { Section } from "./document";

export function configurationRepairs(
  rule: Rule,
  found: CallArguments,
  { mapping }: Section,
  text: string,
): Repair[] {
  const entryOf = (name: string): Entry | undefined =>
    mapping.entries.findLast(({ key }) => key.name === name);
  const repair = (fix: RuleFix): Repair | undefined => {
    if (fix.rename !== undefined && fix.as !== undefined) return renameArgument(found, fix.rename, fix.as);
    if (fix.remove !== undefined) return removal(entryOf(fix.remove), text);
    if (fix.set !== undefined && fix.to !== undefined)
      return setting(
        fix.set,
        fix.to,
        entryOf(fix.set),
        entryOf(underlined(rule, found) ?? "") ?? mapping.entries.at(-1),
        text,
      );
    const spelt = fix.spell === undefined ? undefined : meantValue(rule, found.setting(fix.spell), fix.spell);
    return fix.spell === undefined || spelt === undefined
      ? undefined
      : setting(fix.spell, `"${spelt}"`, entryOf(fix.spell), undefined, text);
  };
  return rule.fixes.flatMap((fix) => repair(fix) ?? []);
}

/** Gives a key a value: in place of the one it has, else on a line of its own below another key. */
function setting(
  name: string,
  python: string,
  present: Entry | undefined,
  neighbour: Entry | undefined,
  text: string,
): Repair | undefined {
  const written = yamlNotation.setting(name, python);
  const title = `Set \`${written}\``;
  if (present !== undefined) {
    const { key, range } = present;
    return { title, edits: [edit(key.range.from, range.to, written)] };
  }
  if (neighbour === undefined) return undefined;
  const indentation = indentationAt(text, neighbour.key.range.from);
  if (indentation === undefined) return undefined;
  const end = endOfLine(text, neighbour.range.to);
  return { title, edits: [insertion(end, `\n${indentation}${written}`)] };
}

/** Takes out the lines that a key and its value stand on. */
function removal(entry: Entry | undefined, text: string): Repair | undefined {
  if (entry === undefined) return undefined;
  const { key, range } = entry;
  const indentation = indentationAt(text, key.range.from);
  if (indentation === undefined) return undefined;
  const end = endOfLine(text, range.to);
  const next = text.startsWith("\r\n", end) ? end + 2 : Math.min(end + 1, text.length);
  return { title: `Remove \`${key.name}\``, edits: [edit(key.range.from - indentation.length, next)] };
}

const endOfLine = (text: string, from: number): number => {
  const length = text.slice(from).search(/\r?\n|$/);
  return from + Math.max(length, 0);
};

/** The blanks before a key that begins its line; undefined where something else stands before it. */
const indentationAt = (text: string, at: number): string | undefined =>
  /(?:^|\n)([ \t]*)$/.exec(text.slice(0, at))?.[1];
