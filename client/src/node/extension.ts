/** Desktop and remote: the server is a Node process that talks over IPC. */
import type { ExtensionContext } from "vscode";
import { LanguageClient, TransportKind, type LanguageClientOptions } from "vscode-languageclient/node";
import { activate as activateShared, type Exports } from "../activate";
import type { Connected, Server } from "../server";

let server: Server | undefined;

export function activate(context: ExtensionContext): Exports {
  const module = context.asAbsolutePath("dist/server/node.js");
  const run = { module, transport: TransportKind.ipc };
  const debug = { ...run, options: { execArgv: ["--nolazy", "--inspect=6009"] } };
  const connect = (options: LanguageClientOptions): Connected => ({
    client: new LanguageClient("litlens", "Litlens", { run, debug }, options),
    dispose: () => undefined,
  });
  const activated = activateShared(context, { connect, storage: context.globalStorageUri.fsPath });
  ({ server } = activated);
  return { started: activated.started };
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
