/** Every command `litlens.<name>`. */
import type { Session } from "../session";
import { copyDebugInformation } from "./copyDebugInformation";
import { exportBibliography } from "./exportBibliography";
import { importPapers } from "./importPapers";
import { insertAdapter } from "./insertAdapter";
import { insertCitation } from "./insertCitation";
import { restartServer } from "./restartServer";
import { searchPapers } from "./searchPapers";
import { showLogs } from "./showLogs";
import { showPaper } from "./showPaper";

/** `argument` comes from hovers, other extensions or keybindings, so it may be anything. */
export type CommandHandler = (session: Session, argument: unknown) => unknown;

export const commandHandlers: Readonly<Record<string, CommandHandler>> = {
  searchPapers,
  showPaper,
  insertAdapter,
  importPapers,
  insertCitation,
  exportBibliography,
  restartServer,
  showLogs,
  copyDebugInformation,
};
