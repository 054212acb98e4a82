/** The workspace around the open documents: its folders, and Python files that change on disk. */
import {
  DidChangeWatchedFilesNotification,
  type Connection,
  type InitializeParams,
} from "vscode-languageserver";
import type { Service } from "../service";
import type { Client } from "./capabilities";
import { quietly } from "./guard";

export function followWorkspace(
  connection: Connection,
  service: Service,
  client: Client,
  params: InitializeParams,
  initialized: Promise<void>,
): void {
  const log = connection.console;
  // What clients said before there were workspace folders, and some still do.
  const root: unknown = Reflect.get(params, "rootUri");
  let folders = params.workspaceFolders?.map(({ uri }) => uri) ?? (typeof root === "string" ? [root] : []);
  service.setWorkspaceFolders(folders);
  const addresses = (list: readonly { readonly uri: string }[]) => list.map(({ uri }) => uri);
  const begin = quietly(log, "initialized", async () => {
    if (client.changesFolders)
      connection.workspace.onDidChangeWorkspaceFolders(
        quietly(log, "didChangeWorkspaceFolders", ({ added, removed }) => {
          const gone = new Set(addresses(removed));
          folders = [...folders.filter((uri) => !gone.has(uri)), ...addresses(added)];
          service.setWorkspaceFolders(folders);
        }),
      );
    if (client.watchesFiles)
      await connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: [{ globPattern: "**/*.py" }],
      });
  });
  void initialized.then(begin);
  connection.onDidChangeWatchedFiles(
    quietly(log, "didChangeWatchedFiles", ({ changes }) => service.filesChanged(addresses(changes))),
  );
}
