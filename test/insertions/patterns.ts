/**
 * A method at every place of every model file, put in and taken out by the language service: for Python to judge.
 * The methods of a place take turns; where a family of methods comes to stand nowhere in a file so, one of it does
 * besides.
 * Usage: node patterns.mjs <out.json> <file.py>…
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { CodeAction } from "vscode-languageserver-types";
import { parseCorpus } from "../../server/src/lsp/assets";
import { applied, uri } from "../unit/adapters/check";
import { actionsOn, isRepeated, siteOf } from "./offered";

interface Tried {
  readonly file: string;
  readonly method: string;
  readonly site: string;
  readonly disabled?: string;
  readonly edited?: string;
  /** After "Remove …" for everything that was put in. */
  readonly removed?: string;
}

const [out = "", ...files] = process.argv.slice(2);
const { methods } = parseCorpus(readFileSync("dist/corpus.json", "utf8"));
const families = new Map(methods.map(({ id, family }) => [id, family]));

/** Takes out what can be taken out, as long as there is something. */
async function withoutAdapters(text: string): Promise<string> {
  let current = text;
  for (let round = 0; round < 40; round++) {
    const { service, actions } = actionsOn(current);
    const removal = actions.find(({ kind }) => kind?.endsWith(".remove") === true);
    if (removal === undefined) return current;
    current = applied((await service.resolveCodeAction(removal)).edit, { [uri]: current })[uri] ?? "";
  }
  return current;
}

/** The actions of each place. */
function byPlace(actions: readonly CodeAction[]): CodeAction[][] {
  const places = new Map<string, CodeAction[]>();
  for (const action of actions) {
    const known = siteOf(action);
    const place = known?.site.replace(/^\w+@/, "");
    if (known !== undefined && place !== undefined && !isRepeated(known))
      places.set(place, [...(places.get(place) ?? []), action]);
  }
  return [...places.values()];
}

const isOn = ({ disabled }: CodeAction): boolean => disabled === undefined;
const familyOf = (action: CodeAction): string | undefined => families.get(siteOf(action)?.method ?? "");

const tried: Tried[] = [];
for (const [fileIndex, path] of files.entries()) {
  const text = readFileSync(path, "utf8");
  const { service, actions } = actionsOn(text);
  const places = byPlace(actions);
  const turns = places.flatMap((offered, placeIndex) => {
    const enabled = offered.filter(isOn);
    const some = enabled.length > 0 ? enabled : offered;
    return some.at((placeIndex * 7 + fileIndex * 3) % some.length) ?? [];
  });
  const met = new Set(turns.filter(isOn).map(familyOf));
  for (const action of places.flat().filter(isOn)) {
    if (met.has(familyOf(action))) continue;
    met.add(familyOf(action));
    turns.push(action);
  }
  for (const action of turns) {
    const known = siteOf(action);
    if (known === undefined) continue;
    const entry = { file: basename(path), ...known };
    if (action.disabled !== undefined) {
      tried.push({ ...entry, disabled: action.disabled.reason });
      continue;
    }
    const edited = applied((await service.resolveCodeAction(action)).edit, { [uri]: text })[uri] ?? "";
    tried.push({ ...entry, edited, removed: await withoutAdapters(edited) });
    // what services have put off holds them until its turn comes
    await setImmediate();
  }
}
writeFileSync(out, JSON.stringify(tried));
console.log(`${tried.length} actions on ${files.length} files`);
