import { Uri, window, workspace, type QuickPickItem, type TextDocument } from "vscode";
import type { AdapterChoice, AdapterChoicesParams } from "../../../server/src/protocol";
import { activeEditor, applyEdit, placeIn } from "../editor";
import { percent } from "../names";
import type { Session } from "../session";

/** What a hover, the paper page or a list may ask for; everything is optional. */
interface Wanted {
  readonly place?: AdapterChoicesParams;
  readonly methods?: readonly string[];
  readonly site?: string;
}

/** Offers what can be adapted in the class at the cursor, and inserts the choice. */
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
  if (choices.length === 0) throw new Error(nothingFits(all.length > 0, wanted.methods));
  const choice = await choose(session, choices);
  if (!choice) return;
  if (choice.disabled !== undefined) throw new Error(choice.disabled);
  const { method, site } = choice;
  const edit = await server.request("insertAdapter", { ...place, method, site });
  await applyEdit(server, edit, document, version);
}

function findPlace(place: AdapterChoicesParams | undefined): {
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
      `Adapters go into Python model code; this file is ${document.languageId}. Put the cursor in a class derived from nn.Module.`,
    );
  return { place: placeIn(document, selection.active), document };
}

function nothingFits(othersFit: boolean, methods: readonly string[] | undefined): string {
  const move = "Put the cursor in a class derived from nn.Module whose layers are made in __init__.";
  if (!methods) return `Nothing to adapt at the cursor. ${move}`;
  const names = methods.join(", ");
  return othersFit
    ? `${names} has no place in the class at the cursor; “Litlens: Insert Adapter” lists what has.`
    : `No place for ${names} at the cursor. ${move}`;
}

interface ChoiceItem extends QuickPickItem {
  readonly choice: AdapterChoice;
}

async function choose(
  session: Session,
  choices: readonly AdapterChoice[],
): Promise<AdapterChoice | undefined> {
  if (choices.length === 1) return choices[0];
  const inOrder = [...choices.filter((each) => !each.disabled), ...choices.filter((each) => each.disabled)];
  const papers = [...new Set(choices.map(({ paper }) => paper))];
  const titles = new Map(
    await Promise.all(
      papers.map(async (id) => [id, (await session.server.request("paper", { id }))?.title] as const),
    ),
  );
  const items = inOrder.map((choice): ChoiceItem => ({
    label: choice.disabled ? `$(circle-slash) ${choice.title}` : choice.title,
    description: facts(choice),
    detail: choice.disabled ?? titles.get(choice.paper) ?? choice.paper,
    choice,
  }));
  const picked = await window.showQuickPick(items, {
    title: "Litlens: Insert Adapter",
    placeHolder: "What to adapt, and with which method",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.choice;
}

/** "24,576 trainable · 1.4 % of the class · mergeable · starts as the base model · reference" */
function facts({ trainable, share, mergeable, identityAtInit, fidelity }: AdapterChoice): string {
  return [
    trainable === undefined ? undefined : `${trainable.toLocaleString("en")} trainable`,
    share === undefined ? undefined : `${percent(share)} of the class`,
    mergeable ? "mergeable" : undefined,
    identityAtInit === "exact" ? "starts as the base model" : undefined,
    fidelity,
  ]
    .filter(Boolean)
    .join(" · ");
}

/** `"lora"`, `uri, position`, or `{textDocument, position, method, methods, site}` of which all may be missing. */
function readWanted([first, second]: readonly unknown[]): Wanted {
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
