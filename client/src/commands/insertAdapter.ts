import { commands, Uri, window, workspace, type TextDocument } from "vscode";
import type { AdapterChoicesParams } from "../../../server/src/protocol";
import { plainTitle } from "../adapterFacts";
import { chooseInsertion } from "../adapterPicker";
import { activeEditor, applyEdit, lineOf, placeIn } from "../editor";
import type { Session } from "../session";
import { Steps } from "../steps";

/** What a hover, a page or a list may ask for; everything is optional. */
interface Wanted {
  readonly place?: AdapterChoicesParams;
  readonly methods?: readonly string[];
  readonly site?: string;
}

/** Offers what can be adapted in the class at the cursor, shows the diff of the choice, and inserts it. */
export async function insertAdapter(session: Session, ...given: readonly unknown[]): Promise<void> {
  const { server } = session;
  const wanted = readWanted(given);
  const { place, document } = findPlace(wanted.place);
  const version = document?.version;
  const all = await server.request("adapterChoices", place);
  const choices = all.filter(
    ({ method, site }) =>
      (!wanted.methods || wanted.methods.includes(method)) && (!wanted.site || wanted.site === site),
  );
  if (choices.length === 0) throw new Error(nothingFits(place, all.length > 0, wanted.methods));
  const steps = new Steps();
  try {
    const chosen = await chooseInsertion(steps, choices);
    if (chosen === "compare") void commands.executeCommand("litlens.compareAdapters", place);
    if (chosen === undefined || chosen === "compare") return;
    const { choice, targets, extras } = chosen;
    const edit = await server.request("insertAdapter", {
      ...place,
      method: choice.method,
      site: choice.site,
      ...(targets.length > 0 && { targets }),
      ...(extras.length > 0 && { with: extras }),
    });
    const shows = workspace.getConfiguration("litlens").get<boolean>("insert.preview") ?? true;
    if (shows && !(await session.previews.confirm(steps, edit, plainTitle(choice)))) return;
    await applyEdit(server, edit, document, version);
  } finally {
    steps.dispose();
  }
}

export function findPlace(place: AdapterChoicesParams | undefined): {
  place: AdapterChoicesParams;
  document: TextDocument | undefined;
} {
  if (place) {
    const uri = Uri.parse(place.textDocument.uri);
    return {
      place,
      document: workspace.textDocuments.find((each) => each.uri.toString() === uri.toString()),
    };
  }
  // The paper page may have the focus while the model stands beside it.
  const visible = window.visibleTextEditors.filter(({ document }) => document.languageId === "python");
  const only = visible.length === 1 ? visible[0] : undefined;
  const { document, selection } = window.activeTextEditor ?? only ?? activeEditor("to insert an adapter");
  if (document.languageId !== "python")
    throw new Error(
      `Adapters go into Python model code; ${workspace.asRelativePath(document.uri)} is ${document.languageId}. Put the cursor in a class derived from nn.Module.`,
    );
  return { place: placeIn(document, selection.active), document };
}

function nothingFits(
  place: AdapterChoicesParams,
  othersFit: boolean,
  methods: readonly string[] | undefined,
): string {
  const move = "Put the cursor in a class derived from nn.Module whose layers are made in __init__.";
  if (!methods) return `${lineOf(place)}: nothing to adapt here. ${move}`;
  const names = methods.join(", ");
  return othersFit
    ? `${lineOf(place)}: ${names} has no place here; “Litlens: Insert Adapter” lists what has.`
    : `${lineOf(place)}: no place for ${names} here. ${move}`;
}

/** `"lora"`, `uri, position`, or `{textDocument, position, method, methods, site}` of which all may be missing. */
export function readWanted([first, second]: readonly unknown[]): Wanted {
  if (typeof first === "string") {
    const place = readPlace({ uri: first }, second);
    return place ? { place } : { methods: [first] };
  }
  if (typeof first !== "object" || first === null) return {};
  const field = (name: string): unknown => Reflect.get(first, name);
  const place = readPlace(field("textDocument"), field("position"));
  const [method, methods, site] = [field("method"), field("methods"), field("site")];
  const names = Array.isArray(methods) ? methods.filter((each) => typeof each === "string") : undefined;
  return {
    ...(place && { place }),
    ...(typeof method === "string" ? { methods: [method] } : names && { methods: names }),
    ...(typeof site === "string" && { site }),
  };
}

/** `textDocument` and `position` as in LSP. */
function readPlace(textDocument: unknown, position: unknown): AdapterChoicesParams | undefined {
  if (typeof textDocument !== "object" || textDocument === null || !("uri" in textDocument)) return undefined;
  if (typeof position !== "object" || position === null) return undefined;
  if (!("line" in position) || !("character" in position)) return undefined;
  const { uri } = textDocument;
  const { line, character } = position;
  if (typeof uri !== "string" || typeof line !== "number" || typeof character !== "number") return undefined;
  return { textDocument: { uri }, position: { line, character } };
}
