import { window } from "vscode";
import type { Session } from "../session";

/** Stops the language server and starts it again; restarts asked for meanwhile wait their turn. */
export async function restartServer({ server, log }: Session): Promise<void> {
  log.info("Restarting the language server.");
  await server.restart();
  window.setStatusBarMessage("Litlens: restarted", 3000);
}
