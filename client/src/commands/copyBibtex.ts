import { env, window } from "vscode";
import { pickPaper } from "../paperPicker";
import type { Session } from "../session";

/** Copies the BibTeX entry of the paper with the id given, or of one that the user picks. */
export async function copyBibtex(session: Session, argument: unknown): Promise<void> {
  const id =
    typeof argument === "string"
      ? argument
      : await pickPaper(session, { title: "Litlens: Copy BibTeX", preview: false });
  if (id === undefined) return;
  const { text } = await session.server.request("bibliography", { papers: [id], style: "bibtex" });
  await env.clipboard.writeText(text);
  window.setStatusBarMessage("Litlens: BibTeX entry copied", 3000);
}
