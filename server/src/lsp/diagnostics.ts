/** Diagnostics: pulled where the client pulls, else pushed after a pause, one document a turn so that a hover never waits for more. */
import type { Connection } from "vscode-languageserver";
import type { Service } from "../service";
import type { Client } from "./capabilities";
import type { DocumentListener } from "./documents";
import { answering, quietly } from "./guard";

/** Milliseconds without a change before diagnostics are sent. */
const pause = 300;

export interface Diagnostics extends DocumentListener {
  /** Everything may read differently now: settings changed. */
  refresh(): void;
}

export function provideDiagnostics(connection: Connection, service: Service, client: Client): Diagnostics {
  return client.pullsDiagnostics
    ? pulled(connection, service, client.refreshesDiagnostics)
    : pushed(connection, service);
}

function pulled(connection: Connection, service: Service, refreshes: boolean): Diagnostics {
  connection.languages.diagnostics.on(
    answering(
      connection.console,
      "diagnostic",
      () => ({ kind: "full" as const, items: [] }),
      async ({ textDocument }, token) => ({
        kind: "full" as const,
        items: (await service.diagnose(textDocument.uri, () => token.isCancellationRequested)) ?? [],
      }),
    ),
  );
  const refresh = quietly(connection.console, "diagnostic refresh", async () => {
    if (refreshes) await connection.languages.diagnostics.refresh();
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    changed: () => undefined,
    closed: () => undefined,
    notebookChanged() {
      clearTimeout(timer);
      timer = setTimeout(() => void refresh(), pause);
    },
    refresh: () => void refresh(),
  };
}

function pushed(connection: Connection, service: Service): Diagnostics {
  const open = new Set<string>();
  const waiting = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const publishNext = quietly(connection.console, "publishDiagnostics", async () => {
    const [uri] = waiting;
    if (uri === undefined) return;
    waiting.delete(uri);
    schedule(0);
    // one that has changed again is looked at after the next pause
    const diagnostics = await service.diagnose(uri, () => waiting.has(uri) || !open.has(uri));
    if (diagnostics !== undefined) await connection.sendDiagnostics({ uri, diagnostics });
  });
  function schedule(delay: number): void {
    clearTimeout(timer);
    if (waiting.size > 0) timer = setTimeout(() => void publishNext(), delay);
  }
  return {
    changed(uri) {
      open.add(uri);
      waiting.add(uri);
      schedule(pause);
    },
    closed(uri) {
      open.delete(uri);
      waiting.delete(uri);
      void quietly(connection.console, "publishDiagnostics", () =>
        connection.sendDiagnostics({ uri, diagnostics: [] }),
      )();
    },
    notebookChanged: () => undefined,
    refresh() {
      for (const uri of open) waiting.add(uri);
      schedule(0);
    },
  };
}
