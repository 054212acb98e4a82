import { commands, env, Uri } from "vscode";
import { pickPaper, type PaperButton } from "../paperPicker";
import type { Session } from "../session";

/** Searches the literature as one types, from the words given if any; Enter opens the paper beside the editor. */
export async function searchPapers(session: Session, argument?: unknown): Promise<void> {
  const buttons: PaperButton[] = [
    {
      icon: "insert",
      tooltip: "Insert into the model at the cursor",
      fits: ({ methods }) => methods.length > 0,
      run: ({ methods }) => commands.executeCommand("litlens.insertAdapter", { methods }),
    },
    {
      icon: "quote",
      tooltip: "Cite at the cursor",
      fits: () => true,
      run: ({ id }) => commands.executeCommand("litlens.insertCitation", id),
    },
    {
      icon: "link-external",
      tooltip: "Open on arXiv",
      fits: () => true,
      run: ({ id }) => openOnArxiv(session, id),
    },
  ];
  const query = typeof argument === "string" ? argument : "";
  const id = await pickPaper(session, { title: "Litlens: Search Papers", preview: true, buttons, query });
  if (id !== undefined) await session.page.show(id);
}

/** The paper itself, or a search by its title where its arXiv id is unknown. */
async function openOnArxiv(session: Session, id: string): Promise<void> {
  const paper = await session.server.request("paper", { id });
  if (!paper) return;
  const query = new URLSearchParams({ query: paper.title, searchtype: "title" });
  const address = paper.arxiv
    ? `https://arxiv.org/abs/${encodeURI(paper.arxiv)}`
    : `https://arxiv.org/search/?${query.toString()}`;
  await env.openExternal(Uri.parse(address));
}
