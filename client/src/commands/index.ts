/** Every command `litlens.<name>`. */
import type { Session } from "../session";
import { compareAdapters } from "./compareAdapters";
import { copyBibtex } from "./copyBibtex";
import { copyDebugInformation } from "./copyDebugInformation";
import { exportBibliography } from "./exportBibliography";
import { importPapers } from "./importPapers";
import { insertAdapter } from "./insertAdapter";
import { insertCitation } from "./insertCitation";
import { restartServer } from "./restartServer";
import { searchPapers } from "./searchPapers";
import { showLogs } from "./showLogs";
import { showPaper } from "./showPaper";

/** Arguments come from hovers, code actions, other extensions or keybindings, so they may be anything. */
export type CommandHandler = (session: Session, ...given: readonly unknown[]) => unknown;

export const commandHandlers: Readonly<Record<string, CommandHandler>> = {
  searchPapers,
  showPaper,
  insertAdapter,
  compareAdapters,
  importPapers,
  insertCitation,
  copyBibtex,
  exportBibliography,
  restartServer,
  showLogs,
  copyDebugInformation,
};
