/** What every command is given. */
import type { ExtensionContext, LogOutputChannel } from "vscode";
import type { PaperPage } from "./paperView";
import type { RecentPapers } from "./recentPapers";
import type { Server } from "./server";

export interface Session {
  readonly context: ExtensionContext;
  readonly server: Server;
  readonly log: LogOutputChannel;
  readonly page: PaperPage;
  readonly recent: RecentPapers;
}

/** `found` as text for a message. */
export function reasonOf(found: unknown): string {
  return found instanceof Error ? found.message : String(found);
}
