/** The bundled server as an editor runs it, over stdio. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  StreamMessageReader,
  StreamMessageWriter,
  createMessageConnection,
} from "vscode-languageserver-protocol/node";

/** Starts the server and initialises it as VS Code does. */
export async function startServer(storage: string) {
  const child = spawn(process.execPath, ["dist/server/node.js", "--stdio"], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const connection = createMessageConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  connection.onRequest("workspace/configuration", ({ items }: { items: unknown[] }) => items.map(() => null));
  connection.onRequest("client/registerCapability", () => null);
  connection.onRequest("window/workDoneProgress/create", () => null);
  connection.onRequest("workspace/diagnostic/refresh", () => null);
  connection.onRequest("workspace/inlayHint/refresh", () => null);
  connection.listen();
  await connection.sendRequest("initialize", {
    processId: process.pid,
    rootUri: null,
    initializationOptions: { formulas: "image", theme: "dark", storage, commandLinks: true },
    capabilities: {
      textDocument: {
        hover: { contentFormat: ["markdown"] },
        completion: { completionItem: { snippetSupport: true } },
        codeAction: {
          codeActionLiteralSupport: { codeActionKind: { valueSet: ["refactor", "quickfix"] } },
          resolveSupport: { properties: ["edit"] },
          dataSupport: true,
        },
      },
      workspace: { workspaceEdit: { documentChanges: true } },
    },
  });
  await connection.sendNotification("initialized", {});

  return {
    request: (method: string, parameters: unknown): Promise<unknown> =>
      connection.sendRequest(method, parameters),
    open: (uri: string, text: string): Promise<void> =>
      connection.sendNotification("textDocument/didOpen", {
        textDocument: { uri, languageId: "python", version: 1, text },
      }),
    change: (uri: string, version: number, contentChanges: readonly unknown[]): Promise<void> =>
      connection.sendNotification("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges,
      }),
    /** Resident memory in megabytes (10^6); undefined where the system does not tell. */
    memory: (): number | undefined => {
      if (process.platform !== "linux") return undefined;
      const status = readFileSync(`/proc/${String(child.pid)}/status`, "utf8");
      const kibibytes = /VmRSS:\s+(\d+)/.exec(status)?.[1];
      return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1e6;
    },
    stop: async (): Promise<void> => {
      await connection.sendRequest("shutdown");
      const ended = once(child, "exit");
      await connection.sendNotification("exit");
      await ended;
      connection.dispose();
    },
  };
}

export type Server = Awaited<ReturnType<typeof startServer>>;
