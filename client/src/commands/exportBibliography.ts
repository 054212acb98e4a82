import { languages, window, workspace, type QuickPickItem } from "vscode";
import type { BibliographyParams } from "../../../server/src/protocol";
import { activeEditor } from "../editor";
import type { Session } from "../session";

interface Format extends QuickPickItem {
  readonly style: BibliographyParams["style"];
  readonly language: string;
}

const formats: readonly Format[] = [
  { label: "BibTeX", description: ".bib", style: "bibtex", language: "bibtex" },
  { label: "CSL JSON", description: "Zotero, pandoc", style: "csl-json", language: "json" },
  { label: "RIS", description: "EndNote, Mendeley", style: "ris", language: "plaintext" },
];

/** The papers that the active file names, as a new document to be saved where one likes. */
export async function exportBibliography({ server }: Session): Promise<void> {
  const { document } = activeEditor("a bibliography from");
  const format = await window.showQuickPick(formats, { title: "Litlens: Export Bibliography" });
  if (!format) return;
  const textDocument = { uri: document.uri.toString() };
  const { text } = await server.request("bibliography", { textDocument, style: format.style });
  if (text.trim() === "" || text.trim() === "[]")
    throw new Error(
      `${document.fileName} names no paper of the library; cite one with “Litlens: Insert Citation”.`,
    );
  const language = await knownLanguage(format.language);
  await window.showTextDocument(await workspace.openTextDocument({ content: text, language }));
}

/** BibTeX is no language of VS Code's own without an extension for it in older versions. */
async function knownLanguage(language: string): Promise<string> {
  return (await languages.getLanguages()).includes(language) ? language : "plaintext";
}
