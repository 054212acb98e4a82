/** Papers from a text that the user has: the format is told, or recognised. */
import { bibtexPapers, looksLikeBibtex } from "./bibtex";
import { huggingFacePapers } from "./huggingFacePapers";
import { ImportError, type Imported } from "./imported";

export type ImportFormat = "huggingface-papers" | "bibtex" | "auto";

export { ImportError, type Imported };

/** Reads papers; records that cannot be read are told by line. @throws ImportError where the text holds none */
export function importPapers(text: string, format: ImportFormat = "auto"): Imported {
  if (text.trim() === "") throw new ImportError("The text is empty: there is nothing to import.");
  if (text.includes("\0"))
    throw new ImportError("This is not a text file: save the page as text and import that.");
  const bibtex = format === "bibtex" || (format === "auto" && looksLikeBibtex(text));
  const imported = bibtex ? bibtexPapers(text) : huggingFacePapers(text);
  if (imported.papers.length > 0 || imported.skipped.length > 0) return imported;
  throw new ImportError(
    bibtex
      ? "No BibTeX entry was found: an entry looks like @article{key, title = {…}}."
      : "No papers were found: Litlens reads a Hugging Face papers page saved as text, or BibTeX.",
  );
}
