import { ProgressLocation, Uri, window, workspace } from "vscode";
import type { ImportResult } from "../../../server/src/protocol";
import { reasonOf, type Session } from "../session";

/** Reads a saved page or a BibTeX file into the user's own library. */
export async function importPapers(session: Session, argument: unknown): Promise<ImportResult | undefined> {
  const uri = argumentUri(argument) ?? (await askForFile());
  if (!uri) return undefined;
  const text = await read(uri);
  const result = await window.withProgress(
    { location: ProgressLocation.Window, title: "Litlens: importing papers" },
    () => session.server.request("importPapers", { text, uri: uri.toString() }),
  );
  void tell(session, uri, result);
  return result;
}

function argumentUri(argument: unknown): Uri | undefined {
  if (argument instanceof Uri) return argument;
  return typeof argument === "string" ? Uri.parse(argument) : undefined;
}

async function askForFile(): Promise<Uri | undefined> {
  const files = await window.showOpenDialog({
    title: "Papers to import: a saved Hugging Face papers page, or BibTeX",
    openLabel: "Import",
    canSelectMany: false,
  });
  return files?.[0];
}

async function read(uri: Uri): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await workspace.fs.readFile(uri));
  } catch (error) {
    if (error instanceof TypeError)
      throw new Error(`${uri.fsPath} is not text in UTF-8; save the page as text first.`);
    throw new Error(`${uri.fsPath} cannot be read: ${reasonOf(error)}`);
  }
}

async function tell({ log }: Session, uri: Uri, result: ImportResult): Promise<void> {
  const message = importMessage(result);
  const [first, ...others] = result.skipped;
  if (!first) {
    await window.showInformationMessage(message);
    return;
  }
  for (const { line, reason } of result.skipped) log.warn(`${uri.fsPath}:${line}: ${reason}`);
  const details = "Show All";
  const chosen = await window.showWarningMessage(message, ...(others.length > 0 ? [details] : []));
  if (chosen === details) log.show();
}

/** "Imported 54 of 55 papers (50 new, 4 known already); line 412: the record has no title." */
export function importMessage({ added, updated, unchanged, skipped }: ImportResult): string {
  const taken = added + updated + unchanged;
  const kinds = [
    added > 0 && `${added} new`,
    updated > 0 && `${updated} updated`,
    unchanged > 0 && `${unchanged} known already`,
  ].filter(Boolean);
  const count = skipped.length > 0 ? `${taken} of ${taken + skipped.length}` : `${taken}`;
  const papers = taken + skipped.length === 1 ? "paper" : "papers";
  const head = `Imported ${count} ${papers}${kinds.length > 0 ? ` (${kinds.join(", ")})` : ""}`;
  const [first, ...others] = skipped;
  if (!first) return `${head}.`;
  const rest = others.length > 0 ? ` (and ${others.length} more)` : "";
  return `${head}; line ${first.line}: ${first.reason}${rest}`;
}
