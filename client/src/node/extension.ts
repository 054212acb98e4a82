/** Desktop and remote: the server is a Node process that talks over IPC. */
import type { ExtensionContext } from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient/node";
import { activate as activateShared, type Exports } from "../activate";
import type { Connected, Server } from "../server";

let server: Server | undefined;

export function activate(context: ExtensionContext): Exports {
  const module = context.asAbsolutePath("dist/server/node.js");
  const connect = async (options: LanguageClientOptions): Promise<Connected> => {
    // By far the largest part of this bundle, evaluated only now to keep activation short.
    const { LanguageClient, TransportKind } = await import("vscode-languageclient/node");
    const run = { module, transport: TransportKind.ipc };
    const debug = { ...run, options: { execArgv: ["--nolazy", "--inspect=6009"] } };
    return {
      client: new LanguageClient("litlens", "Litlens", { run, debug }, options),
      dispose: () => undefined,
    };
  };
  const activated = activateShared(context, { connect, storage: context.globalStorageUri.fsPath });
  ({ server } = activated);
  return { started: activated.started };
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
