import type { Session } from "../session";

/** Shows what server and extension logged. */
export function showLogs({ log }: Session): void {
  log.show();
}
