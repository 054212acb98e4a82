import { workspace, type TextEditor } from "vscode";
import type { PaperView } from "../../../server/src/protocol";
import { activeEditor } from "../editor";
import { shortAuthors } from "../names";
import { pickPaper } from "../paperPicker";
import type { Session } from "../session";

/** Cites a paper at the cursor: a comment in code, an entry in BibTeX files. */
export async function insertCitation(session: Session, argument: unknown): Promise<void> {
  const editor = activeEditor("the citation");
  const id =
    typeof argument === "string"
      ? argument
      : await pickPaper(session, { title: "Litlens: Insert Citation", preview: false });
  if (id === undefined) return;
  const paper = await session.server.request("paper", { id });
  if (!paper) throw new Error(`There is no paper ${id} in the library.`);
  const style = workspace.getConfiguration("litlens").get<unknown>("citation.style");
  const { languageId } = editor.document;
  if (["bibtex", "latex", "tex"].includes(languageId) || /\.(bib|tex)$/.test(editor.document.fileName))
    return insert(editor, `${paper.bibtex}\n`);
  const text = style === "bibtex" ? paper.bibtex.trimEnd() : citation(paper);
  return insertComment(editor, text, commentMarks(languageId));
}

/** "Hu et al. 2022, LoRA: Low-Rank Adaptation of Large Language Models, ICLR, arXiv:2106.09685" */
export function citation({
  authors,
  authorCount,
  organisation,
  year,
  title,
  venue,
  arxiv,
  doi,
}: PaperView): string {
  const by = shortAuthors(authors, authorCount) ?? organisation;
  const who = [by, year].filter(Boolean).join(" ");
  // "ICLR 2022" names the year again
  const where = venue?.replace(/\s*\b\d{4}\b/, "");
  return [who, title, where, arxiv ? `arXiv:${arxiv}` : doi && `doi:${doi}`].filter(Boolean).join(", ");
}

/** What opens and closes a comment, by language; Python's where unknown. */
function commentMarks(languageId: string): readonly [open: string, close: string] {
  if (["markdown", "html", "xml"].includes(languageId)) return ["<!-- ", " -->"];
  if (["plaintext", "restructuredtext"].includes(languageId)) return ["", ""];
  if (["lua", "haskell", "sql"].includes(languageId)) return ["-- ", ""];
  const slashes = [
    "c",
    "cpp",
    "cuda-cpp",
    "csharp",
    "go",
    "java",
    "javascript",
    "jsonc",
    "rust",
    "typescript",
  ];
  return slashes.includes(languageId) ? ["// ", ""] : ["# ", ""];
}

/** On a line of its own above code or on the empty line of the cursor, indented like it. */
async function insertComment(editor: TextEditor, text: string, [open, close]: readonly [string, string]) {
  const line = editor.document.lineAt(editor.selection.active.line);
  const indentation = line.text.slice(0, line.firstNonWhitespaceCharacterIndex);
  const comment = text
    .split("\n")
    .map((each) => `${open}${each}${close}`)
    .join(`\n${indentation}`);
  const place = line.range.start.translate(0, indentation.length);
  await edit(editor, (builder) =>
    builder.insert(place, line.isEmptyOrWhitespace ? comment : `${comment}\n${indentation}`),
  );
}

async function insert(editor: TextEditor, text: string): Promise<void> {
  await edit(editor, (builder) => builder.insert(editor.selection.active, text));
}

async function edit(editor: TextEditor, change: Parameters<TextEditor["edit"]>[0]): Promise<void> {
  if (!(await editor.edit(change)))
    throw new Error(`${editor.document.fileName} cannot be edited; is it read-only?`);
}
