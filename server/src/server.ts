/** The language server: LSP wiring between a connection and the service. All that differs by platform is in `Runtime`. */
import {
  DidChangeConfigurationNotification,
  ErrorCodes,
  LSPErrorCodes,
  Message,
  ResponseError,
  type Connection,
  type ConnectionStrategy,
  type InitializeError,
  type InitializeResult,
} from "vscode-languageserver";
import { lazyFormulas, parseCorpus } from "./lsp/assets";
import { clientOf, serverCapabilities, type Client } from "./lsp/capabilities";
import { provideDiagnostics, type Diagnostics } from "./lsp/diagnostics";
import { synchronizeDocuments } from "./lsp/documents";
import { provideFeatures } from "./lsp/features";
import { quietly, reasonOf } from "./lsp/guard";
import { showWarning } from "./lsp/messages";
import { checkedInitialization } from "./lsp/params";
import { commands, provideRequests } from "./lsp/requests";
import { defaultSettings } from "./defaultSettings";
import { readSettings } from "./lsp/settings";
import { followWorkspace } from "./lsp/workspace";
import type { Runtime, TextStorage } from "./runtime";
import type { Service, ServiceOptions } from "./service";

/** Requests cancelled while they wait in the queue are answered without being computed. */
export const connectionStrategy: ConnectionStrategy = {
  cancelUndispatched: (message) =>
    Message.isRequest(message)
      ? {
          jsonrpc: "2.0",
          id: message.id,
          error: { code: LSPErrorCodes.RequestCancelled, message: "The request was cancelled." },
        }
      : undefined,
};

/** Wires everything up and starts to listen. The bootstraps pass `createService`; a test may pass a service that misbehaves. */
export function startServer(
  connection: Connection,
  runtime: Runtime,
  createService: (options: ServiceOptions) => Service,
): void {
  const initialized = new Promise<void>((resolve) => connection.onInitialized(() => resolve()));
  connection.onInitialize(async (params): Promise<InitializeResult | ResponseError<InitializeError>> => {
    try {
      const client = clientOf(params.capabilities);
      let refresh = (): void => undefined;
      const service = await makeService(
        connection,
        { ...runtime, storage: (folder) => storageAfter(initialized, runtime.storage(folder)) },
        client,
        params.initializationOptions,
        createService,
        () => refresh(),
      );
      const diagnostics = provideDiagnostics(connection, service, client);
      refresh = () => refreshAll(connection, client, diagnostics);
      synchronizeDocuments(connection, service, client, diagnostics);
      provideFeatures(connection, service, client);
      provideRequests(connection, service, runtime, client);
      followSettings(connection, service, client, diagnostics, initialized);
      followWorkspace(connection, service, client, params, initialized);
      setTimeout(() => void quietly(connection.console, "warm-up", () => warmUp(service))(), warmUpPause);
      return {
        capabilities: serverCapabilities(client, commands),
        serverInfo: { name: "litlens", version: runtime.version },
      };
    } catch (error) {
      return new ResponseError(ErrorCodes.InternalError, `Litlens cannot start: ${reasonOf(error)}`, {
        retry: false,
      });
    }
  });
  connection.listen();
}

async function makeService(
  connection: Connection,
  runtime: Runtime,
  client: Client,
  options: unknown,
  createService: (options: ServiceOptions) => Service,
  refresh: () => void,
): Promise<Service> {
  const given = checkedInitialization(options);
  const [corpus, formulas] = await Promise.all([
    runtime.readAsset("corpus.json"),
    runtime.readAsset("formulas.json"),
  ]);
  const service = createService({
    corpus: parseCorpus(corpus),
    formulas: lazyFormulas(formulas, (reason) => connection.console.error(reason)),
    loadIndex: () => runtime.readAsset("index.json"),
    storage: runtime.storage(given.storage),
    initialization: { formulas: "latex", theme: "light", commandLinks: false, ...given, client },
    readFile: (uri, maximumBytes) => runtime.readFile(uri, maximumBytes),
    listFolder: (uri) => runtime.listFolder(uri),
    ...(runtime.readCorpus && { readCorpus: runtime.readCorpus }),
    log: (message) => connection.console.info(message),
    warn: (message) => showWarning(connection, message),
    onLibraryChange: refresh,
    onNeighboursChange: refresh,
  });
  service.configure(defaultSettings);
  return service;
}

/** A client that keeps the library answers requests only once it is initialised. */
function storageAfter(initialized: Promise<void>, storage: TextStorage): TextStorage {
  return {
    read: (name) => initialized.then(() => storage.read(name)),
    write: (name, text) => initialized.then(() => storage.write(name, text)),
  };
}

/** Milliseconds after the start: what a client asks at once comes first. */
const warmUpPause = 100;

/** The first parse of a process costs ten times the second: pay for it before anyone waits. */
function warmUp(service: Service): void {
  const uri = "litlens-warm-up:model.py";
  const text =
    "import torch.nn as nn\n\n\nclass Block(nn.Module):\n" +
    "    def __init__(self, width=8):\n        super().__init__()\n        self.proj = nn.Linear(width, width)\n\n" +
    "    def forward(self, x):\n        return x + self.proj(x)\n";
  service.openDocument(uri, "python", 0, text);
  service.hover(uri, { line: 6, character: 25 });
  service.closeDocument(uri);
}

/** What the editor shows by itself may be out of date. */
function refreshAll(connection: Connection, client: Client, diagnostics: Diagnostics): void {
  diagnostics.refresh();
  if (client.refreshesInlayHints)
    void quietly(connection.console, "inlayHint refresh", () => connection.languages.inlayHint.refresh())();
}

function followSettings(
  connection: Connection,
  service: Service,
  client: Client,
  diagnostics: Diagnostics,
  initialized: Promise<void>,
): void {
  const log = connection.console;
  let current = defaultSettings;
  const warned = new Set<string>();
  const apply = (raw: unknown) => {
    const { settings, problems } = readSettings(raw, current);
    current = settings;
    service.configure(settings);
    for (const problem of problems) {
      log.warn(problem);
      if (!warned.has(problem)) showWarning(connection, problem);
      warned.add(problem);
    }
    refreshAll(connection, client, diagnostics);
  };
  const pull = async () => {
    const raw: unknown = await connection.workspace.getConfiguration("litlens");
    apply(raw);
  };
  const begin = quietly(log, "initialized", async () => {
    if (client.registersSettings)
      await connection.client.register(DidChangeConfigurationNotification.type, { section: "litlens" });
    if (client.pullsSettings) await pull();
  });
  void initialized.then(begin);
  connection.onDidChangeConfiguration(
    quietly(log, "didChangeConfiguration", async (params: { settings: unknown }) => {
      if (client.pullsSettings) return pull();
      const { settings } = params;
      if (typeof settings === "object" && settings !== null) apply(Reflect.get(settings, "litlens"));
    }),
  );
}
