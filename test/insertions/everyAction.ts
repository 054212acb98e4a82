/**
 * Every adapter that the language service offers in every file, as edits: for Python to judge.
 * Usage: node everyAction.mjs <out.jsonl> <file.py>…; a line is {file, method, site, edits}.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { actionsOn, isRepeated, siteOf, writtenBy } from "./offered";

const [out = "", ...files] = process.argv.slice(2);
const stream = openSync(out, "w");
let count = 0;
for (const file of files) {
  const text = readFileSync(file, "utf8");
  const { service, actions } = actionsOn(text);
  for (const action of actions) {
    const known = siteOf(action);
    if (known === undefined || isRepeated(known) || action.disabled !== undefined) continue;
    const { edit } = await service.resolveCodeAction(action);
    writeSync(stream, `${JSON.stringify({ file, ...known, edits: writtenBy(edit, text) })}\n`);
    count++;
    // what services have put off holds them until its turn comes
    await setImmediate();
  }
}
closeSync(stream);
console.log(`${count} actions on ${files.length} files`);
