/** Code of the file that takes every parameter to be one that trains, or to be in a list of its own. */
import { closingBracket } from "./brackets";
import { lineEnd } from "./callSites/callSite";
import type { SourceFile } from "./definitions";
import { edit, type Edit, insertion } from "./edits";

/** What is written once an adapter is in the file, and what takes it back. */
interface Rewriting {
  readonly made: Edit;
  readonly undone?: Edit;
}

/** Edits that let such code meet frozen weights and an adapter's factors. */
export const meetFrozenWeights = (file: SourceFile): Edit[] =>
  [...optimizerGroups(file), ...checkpoints(file)].flatMap(({ made, undone }) =>
    undone === undefined ? [made] : [],
  );

/** The same taken back, when the last adapter leaves. */
export const forgetFrozenWeights = (file: SourceFile): Edit[] =>
  [...optimizerGroups(file), ...checkpoints(file)].flatMap(({ undone }) => undone ?? []);

/** Where a function asserts that two sets of names cover every parameter: what is in neither is decayed. */
function optimizerGroups({ text, facts }: SourceFile): Rewriting[] {
  const functions = [...facts.functions, ...facts.modules.flatMap(({ methods }) => methods)];
  return functions.flatMap(({ range }): Rewriting[] => {
    const body = text.slice(range.from, range.to);
    const checked = /^[ \t]*assert\s+len\(\s*(\w+)\.keys\(\)\s*-\s*(\w+)\s*\)\s*==\s*0/m.exec(body);
    if (checked === null) return [];
    const [, parameters = "", union = ""] = checked;
    const united = new RegExp(`^[ \\t]*${union}\\s*=\\s*(\\w+)\\s*\\|\\s*(\\w+)`, "m").exec(body);
    const listed = new RegExp(`^([ \\t]*)${parameters}\\s*=.*$`, "m").exec(body);
    if (united === null || listed === null || listed.index > united.index) return [];
    const [one = "", two = ""] = united.slice(1);
    const [decayed, other] = /^no|non/.test(one) ? [two, one] : [one, two];
    const written = `\n${listed[1] ?? ""}${decayed} |= ${parameters}.keys() - ${decayed} - ${other}`;
    const at = lineEnd(text, range.from + listed.index + listed[0].length);
    const made = insertion(at, written);
    const lines = text.slice(at).replaceAll("\r\n", "\n");
    const extra = text.startsWith("\r\n", at) ? 1 : 0;
    return [lines.startsWith(written) ? { made, undone: edit(at, at + written.length + extra) } : { made }];
  });
}

/**
 * `checkpoint(self._forward, (x,), self.parameters(), flag)`, as latent diffusion has it: it differentiates with
 * respect to what it is given, which frozen weights refuse.
 */
function checkpoints({ text }: SourceFile): Rewriting[] {
  const trained = "(p for p in self.parameters() if p.requires_grad)";
  return [...text.matchAll(/(?<![\w.]|def )checkpoint\(/g)].flatMap(({ 0: callee, index }): Rewriting[] => {
    const open = index + callee.length - 1;
    const close = closingBracket(text, open);
    const list = text.slice(open, close ?? open);
    const match =
      /,\s*(self\.parameters\(\)|\(p for p in self\.parameters\(\) if p\.requires_grad\))\s*,/.exec(list);
    const [whole = "", given = ""] = match ?? [];
    if (match === null) return [];
    const from = open + match.index + whole.indexOf(given);
    const to = from + given.length;
    return [
      given === trained
        ? { made: edit(from, to, trained), undone: edit(from, to, "self.parameters()") }
        : { made: edit(from, to, trained) },
    ];
  });
}
