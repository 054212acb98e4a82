/** What every command is given. */
import type { ExtensionContext, LogOutputChannel } from "vscode";
import type { PaperPage } from "./paperView";
import type { Comparison } from "./compareView";
import type { Previews } from "./preview";
import type { RecentPapers } from "./recentPapers";
import type { Server } from "./server";

export interface Session {
  readonly context: ExtensionContext;
  readonly server: Server;
  readonly log: LogOutputChannel;
  readonly page: PaperPage;
  readonly recent: RecentPapers;
  readonly previews: Previews;
  readonly comparison: Comparison;
}

/** `found` as text for a message. */
export function reasonOf(found: unknown): string {
  return found instanceof Error ? found.message : String(found);
}
