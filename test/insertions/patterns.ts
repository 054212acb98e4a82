/**
 * One method at every place of every model file, put in and taken out again by the language service: for Python to judge.
 * Usage: node patterns.mjs <out.json> <file.py>…
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import { applied, serviceWith, uri } from "../unit/adapters/check";

interface Tried {
  readonly file: string;
  readonly method: string;
  readonly site: string;
  readonly disabled?: string;
  readonly edited?: string;
  /** What the edit writes between which offsets of the original. */
  readonly edits?: readonly { readonly from: number; readonly to: number; readonly text: string }[];
  /** After "Remove …" for everything that was put in. */
  readonly removed?: string;
}

const only = ["refactor.rewrite.adapter"];
const [out = "", ...files] = process.argv.slice(2);

function actionsOn(text: string): { service: ReturnType<typeof serviceWith>; actions: CodeAction[] } {
  const service = serviceWith(text);
  const end = TextDocument.create(uri, "python", 1, text).positionAt(text.length);
  const range = { start: { line: 0, character: 0 }, end };
  return { service, actions: service.codeActions(uri, range, { diagnostics: [], only }) };
}

function siteOf({ data }: CodeAction): { method: string; site: string } | undefined {
  const known: unknown = data;
  if (typeof known !== "object" || known === null || !("site" in known) || !("method" in known))
    return undefined;
  return { method: String(known.method), site: String(known.site) };
}

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

const tried: Tried[] = [];
for (const [fileIndex, path] of files.entries()) {
  const text = readFileSync(path, "utf8");
  const { service, actions } = actionsOn(text);
  const places = new Map<string, CodeAction[]>();
  for (const action of actions) {
    const place = siteOf(action)?.site.replace(/^\w+@/, "");
    if (place !== undefined && !/^free::[^0]/.test(place))
      places.set(place, [...(places.get(place) ?? []), action]);
  }
  for (const [placeIndex, [, offered]] of [...places].entries()) {
    // the methods of a place take turns, so that all come to stand somewhere
    const enabled = offered.filter(({ disabled }) => disabled === undefined);
    const chosen = (enabled.length === 0 ? offered : enabled).at(
      (placeIndex * 7 + fileIndex * 3) % Math.max(1, enabled.length || offered.length),
    );
    const known = chosen && siteOf(chosen);
    if (chosen === undefined || known === undefined) continue;
    const entry = { file: basename(path), ...known };
    if (chosen.disabled !== undefined) {
      tried.push({ ...entry, disabled: chosen.disabled.reason });
      continue;
    }
    const { edit } = await service.resolveCodeAction(chosen);
    const edited = applied(edit, { [uri]: text })[uri] ?? "";
    const document = TextDocument.create(uri, "python", 1, text);
    const edits = (edit?.documentChanges ?? []).flatMap((change) =>
      "edits" in change
        ? change.edits.map((each) => ({
            from: document.offsetAt(each.range.start),
            to: document.offsetAt(each.range.end),
            text: "newText" in each ? each.newText : each.snippet.value,
          }))
        : [],
    );
    tried.push({ ...entry, edited, edits, removed: await withoutAdapters(edited) });
  }
}
writeFileSync(out, JSON.stringify(tried));
console.log(`${tried.length} places of ${files.length} files`);
