/** A quick pick over the literature: live results as one types, the paper beside the list while one moves through it. */
import {
  CancellationTokenSource,
  QuickPickItemKind,
  ThemeIcon,
  window,
  type QuickInputButton,
  type QuickPick,
  type QuickPickItem,
} from "vscode";
import type { SearchHit } from "../../server/src/protocol";
import { pythonPlace } from "./editor";
import { shortAuthors } from "./names";
import { reasonOf, type Session } from "./session";

/** What can be done with a paper right from the list. */
export interface PaperButton {
  readonly icon: string;
  readonly tooltip: string;
  fits(hit: SearchHit): boolean;
  run(hit: SearchHit): unknown;
}

interface PaperItem extends QuickPickItem {
  readonly paper?: { readonly id: string; readonly title: string };
  readonly actions?: ReadonlyMap<QuickInputButton, () => unknown>;
}

/** Milliseconds: a key is answered once no other follows, a preview once the selection rests. */
const typingPause = 60;
const previewPause = 150;

export interface PickOptions {
  readonly title: string;
  readonly preview: boolean;
  readonly buttons?: readonly PaperButton[];
  /** What the list opens with. */
  readonly query?: string;
}

/** The id of the paper chosen, `undefined` when the list was left. */
export function pickPaper(session: Session, options: PickOptions): Promise<string | undefined> {
  const pick = window.createQuickPick<PaperItem>();
  pick.title = options.title;
  pick.value = options.query ?? "";
  pick.placeholder = "Method, author, arXiv id or words of the abstract";
  // The preview must not close the list by taking the focus.
  pick.ignoreFocusOut = options.preview;
  // Results come ranked; without this VS Code would sort them by their labels. Not in the typed API.
  Reflect.set(pick, "sortByLabel", false);
  const search = liveSearch(session, pick, options.buttons ?? []);
  const preview = options.preview ? livePreview(session, pick) : undefined;
  return new Promise((resolve) => {
    let chosen: string | undefined;
    pick.onDidAccept(() => {
      const paper = pick.activeItems[0]?.paper;
      if (!paper) return;
      chosen = paper.id;
      pick.hide();
    });
    pick.onDidTriggerItemButton(({ item, button }) => {
      const action = item.actions?.get(button);
      pick.hide();
      action?.();
    });
    pick.onDidHide(() => {
      search.stop();
      preview?.stop(chosen !== undefined);
      pick.dispose();
      resolve(chosen);
    });
    pick.show();
    search.start();
  });
}

function liveSearch(session: Session, pick: QuickPick<PaperItem>, buttons: readonly PaperButton[]) {
  const context = pythonPlace();
  let running = new CancellationTokenSource();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const search = async (query: string): Promise<void> => {
    running.cancel();
    const source = (running = new CancellationTokenSource());
    pick.busy = true;
    try {
      const params = { query, limit: 50, ...(context && { context }) };
      const { hits } = await session.server.request("searchPapers", params, source.token);
      // An answer may arrive although its request was cancelled: only the newest counts.
      if (source !== running) return;
      pick.items = query.trim() === "" ? withRecent(session, hits, buttons) : found(query, hits, buttons);
    } catch (error) {
      if (source === running) pick.items = [notice(`The search gave no answer: ${reasonOf(error)}`)];
    } finally {
      if (source === running) pick.busy = false;
      source.dispose();
    }
  };
  pick.onDidChangeValue((query) => {
    clearTimeout(timer);
    timer = setTimeout(() => void search(query), typingPause);
  });
  return {
    start: () => void search(pick.value),
    stop() {
      clearTimeout(timer);
      running.cancel();
      running = new CancellationTokenSource();
    },
  };
}

function livePreview(session: Session, pick: QuickPick<PaperItem>) {
  const wasOpen = session.page.isOpen;
  let timer: ReturnType<typeof setTimeout> | undefined;
  pick.onDidChangeActive(([item]) => {
    clearTimeout(timer);
    const paper = item?.paper;
    // The first row is active before anyone chose it: a preview follows typing or moving.
    if (!paper || (pick.value === "" && item === pick.items.find((each) => each.paper))) return;
    timer = setTimeout(
      () => void session.page.show(paper.id, { preview: true }).catch(() => undefined),
      previewPause,
    );
  });
  return {
    stop(chosen: boolean) {
      clearTimeout(timer);
      if (!chosen && !wasOpen) session.page.close();
    },
  };
}

function found(query: string, hits: readonly SearchHit[], buttons: readonly PaperButton[]): PaperItem[] {
  if (hits.length > 0) return hits.map((hit) => hitItem(hit, buttons));
  return [notice(`Nothing in the library about “${query}”; “Litlens: Import Papers” adds to it.`)];
}

function withRecent(
  session: Session,
  hits: readonly SearchHit[],
  buttons: readonly PaperButton[],
): PaperItem[] {
  const shown = new Set(hits.map(({ id }) => id));
  const recent = session.recent.list().filter(({ id }) => !shown.has(id));
  return [
    ...(hits.length > 0 ? [separator("Fits this code")] : []),
    ...hits.map((hit) => hitItem(hit, buttons)),
    ...(recent.length > 0 ? [separator("Recent")] : []),
    ...recent.map((paper) => ({ label: paper.title, iconPath: new ThemeIcon("history"), paper })),
  ];
}

function hitItem(hit: SearchHit, buttons: readonly PaperButton[]): PaperItem {
  const actions = new Map<QuickInputButton, () => unknown>(
    buttons
      .filter((button) => button.fits(hit))
      .map((button) => [
        { iconPath: new ThemeIcon(button.icon), tooltip: button.tooltip },
        () => button.run(hit),
      ]),
  );
  return {
    label: hit.title,
    description: describe(hit),
    detail: hit.snippet.replaceAll("**", ""),
    iconPath: new ThemeIcon(hit.methods.length > 0 ? "symbol-class" : "book"),
    alwaysShow: true,
    buttons: [...actions.keys()],
    paper: hit,
    actions,
  };
}

/** "Karimi Mahabadi et al. · NeurIPS 2021 · insertable" */
export function describe({ authors, venue, year, methods }: Omit<SearchHit, "score" | "snippet">): string {
  const when = [venue?.replace(/\s*\b\d{4}\b/, ""), year].filter(Boolean).join(" ");
  return [shortAuthors(authors), when, methods.length > 0 ? "insertable" : undefined]
    .filter(Boolean)
    .join(" · ");
}

const separator = (label: string): PaperItem => ({ label, kind: QuickPickItemKind.Separator });
const notice = (label: string): PaperItem => ({ label, alwaysShow: true });
