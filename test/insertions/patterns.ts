/**
 * Methods at every place of every model file, put in by the language service: for Python to judge. At each place one
 * method takes its turn and is taken out again; beside these every method goes once to each kind of place.
 * Usage: node patterns.mjs <out.json> <file.py>…
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { setImmediate } from "node:timers/promises";
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
  /** Whether it was the method's turn; the others are only parsed. */
  readonly turn: boolean;
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

/** The kind of a place and how far it reaches: `linear:@:` for layers all over a model, `linear:*` for those of a class. */
const kindOf = (place: string): string =>
  place.replace(/^(\w[\w-]*):(@?)\w*:(.*)$/s, (_all, kind: string, whole: string, names: string) =>
    [kind, whole, /^\*$|,/.exec(names)?.[0] ?? ""].join(":"),
  );

async function applying(
  service: ReturnType<typeof serviceWith>,
  text: string,
  action: CodeAction,
): Promise<Required<Pick<Tried, "edited" | "edits">>> {
  const { edit } = await service.resolveCodeAction(action);
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
  return { edited: applied(edit, { [uri]: text })[uri] ?? "", edits };
}

const tried: Tried[] = [];
const met = new Set<string>();
for (const [fileIndex, path] of files.entries()) {
  const text = readFileSync(path, "utf8");
  const { service, actions } = actionsOn(text);
  const places = new Map<string, CodeAction[]>();
  for (const action of actions) {
    const place = siteOf(action)?.site.replace(/^\w+@/, "");
    if (place !== undefined && !/^free::[^0]/.test(place))
      places.set(place, [...(places.get(place) ?? []), action]);
  }
  for (const [placeIndex, [place, offered]] of [...places].entries()) {
    // the methods of a place take turns, so that all come to stand somewhere
    const enabled = offered.filter(({ disabled }) => disabled === undefined);
    const chosen = (enabled.length === 0 ? offered : enabled).at(
      (placeIndex * 7 + fileIndex * 3) % Math.max(1, enabled.length || offered.length),
    );
    for (const action of new Set([...(chosen === undefined ? [] : [chosen]), ...enabled])) {
      const known = siteOf(action);
      if (known === undefined) continue;
      const pair = `${kindOf(place)} ${known.method} ${known.site.replace(/@.*/s, "")}`;
      if (action !== chosen && met.has(pair)) continue;
      const entry = { file: basename(path), ...known, turn: action === chosen };
      if (action.disabled !== undefined) {
        tried.push({ ...entry, disabled: action.disabled.reason });
        continue;
      }
      met.add(pair);
      const made = await applying(service, text, action);
      // what services have put off holds them until its turn comes
      await setImmediate();
      tried.push({
        ...entry,
        ...made,
        ...(entry.turn ? { removed: await withoutAdapters(made.edited) } : {}),
      });
    }
  }
}
writeFileSync(out, JSON.stringify(tried));
console.log(`${tried.length} actions on ${files.length} files`);
