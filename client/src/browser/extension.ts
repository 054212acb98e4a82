/** The web: the server is a Worker. */
import { Uri, type ExtensionContext } from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient/browser";
import { activate as activateShared, type Exports } from "../activate";
import type { Connected, Server } from "../server";

let server: Server | undefined;

export function activate(context: ExtensionContext): Exports {
  const script = Uri.joinPath(context.extensionUri, "dist/server/browser.js");
  const connect = async (options: LanguageClientOptions): Promise<Connected> => {
    // By far the largest part of this bundle, evaluated only now to keep activation short.
    const { BrowserMessageReader, BrowserMessageWriter, LanguageClient } =
      await import("vscode-languageclient/browser");
    let worker: Worker | undefined;
    // Transports rather than the Worker: VS Code replaces the global class, so the client would not recognise it
    const start = async () => {
      worker = await startWorker(script);
      return { reader: new BrowserMessageReader(worker), writer: new BrowserMessageWriter(worker) };
    };
    return {
      client: new LanguageClient("litlens", "Litlens", start, options),
      dispose: () => worker?.terminate(),
    };
  };
  const activated = activateShared(context, { connect });
  ({ server } = activated);
  return { started: activated.started };
}

/** A Worker may not be started from the address of an extension, but from a blob of what stands there. */
async function startWorker(script: Uri): Promise<Worker> {
  const response = await fetch(script.toString());
  if (!response.ok) throw new Error(`${script.toString()} cannot be loaded (${response.status})`);
  const address = URL.createObjectURL(new Blob([await response.text()], { type: "text/javascript" }));
  const worker = new Worker(address, { name: "Litlens" });
  worker.addEventListener("message", () => URL.revokeObjectURL(address), { once: true });
  return worker;
}

export function deactivate(): Promise<void> | undefined {
  return server?.stop();
}
