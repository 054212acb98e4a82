/** A language client for tests: over the bundled server as a process, or over any service in this process. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PassThrough } from "node:stream";
import {
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type CancellationToken,
  type ClientCapabilities,
  type Diagnostic,
  type InitializeResult,
  type Position,
  type ProtocolConnection,
} from "vscode-languageserver-protocol/node";
import { createConnection } from "vscode-languageserver/node";
import type { Runtime } from "../../server/src/runtime";
import { connectionStrategy, startServer } from "../../server/src/server";
import type { Service, ServiceOptions } from "../../server/src/service";

export const serverPath = resolve("dist/server/node.js");

export interface ClientOptions {
  readonly capabilities?: ClientCapabilities;
  readonly initializationOptions?: unknown;
  /** The section `litlens`, as `workspace/configuration` answers it. */
  readonly settings?: () => unknown;
  /** Called between the answer to `initialize` and `initialized`. */
  readonly beforeInitialized?: () => void;
}

/** What VS Code says of itself, as far as this server listens. */
export const fullCapabilities: ClientCapabilities = {
  workspace: {
    configuration: true,
    didChangeConfiguration: { dynamicRegistration: true },
    diagnostics: { refreshSupport: true },
    workspaceEdit: { documentChanges: true, snippetEditSupport: true, resourceOperations: ["create"] },
    applyEdit: true,
  },
  textDocument: {
    diagnostic: {},
    completion: { completionItem: { snippetSupport: true } },
    codeAction: {
      codeActionLiteralSupport: { codeActionKind: { valueSet: [] } },
      dataSupport: true,
      disabledSupport: true,
      resolveSupport: { properties: ["edit"] },
    },
  },
  window: { workDoneProgress: true },
};

export class TestClient {
  readonly connection: ProtocolConnection;
  readonly #options: ClientOptions;
  readonly #shown: string[] = [];
  readonly #logged: string[] = [];
  readonly #progress: string[] = [];
  readonly #published = new Map<string, readonly Diagnostic[]>();
  #asked = false;
  readonly #waiting = new Set<() => void>();

  constructor(connection: ProtocolConnection, options: ClientOptions) {
    this.connection = connection;
    this.#options = options;
    const note = (list: string[]) => (message: string) => {
      list.push(message);
      this.#wake();
    };
    const [shown, logged, progressed] = [note(this.#shown), note(this.#logged), note(this.#progress)];
    connection.onNotification("window/showMessage", ({ message }: { message: string }) => shown(message));
    connection.onNotification("window/logMessage", ({ message }: { message: string }) => logged(message));
    connection.onNotification("$/progress", ({ value }: { value: { kind: string; title?: string } }) =>
      progressed(value.title ?? value.kind),
    );
    connection.onRequest("window/workDoneProgress/create", () => null);
    connection.onRequest("client/registerCapability", () => null);
    connection.onRequest("workspace/configuration", ({ items }: { items: unknown[] }) => {
      this.#asked = true;
      this.#wake();
      return items.map(() => options.settings?.() ?? null);
    });
    connection.onRequest("workspace/diagnostic/refresh", () => {
      progressed("diagnostic refresh");
      return null;
    });
    connection.onNotification(
      "textDocument/publishDiagnostics",
      ({ uri, diagnostics }: { uri: string; diagnostics: Diagnostic[] }) => {
        this.#published.set(uri, diagnostics);
        this.#wake();
      },
    );
    connection.listen();
  }

  async initialize(): Promise<InitializeResult> {
    const result = await this.connection.sendRequest<InitializeResult>("initialize", {
      processId: null,
      rootUri: null,
      capabilities: this.#options.capabilities ?? fullCapabilities,
      initializationOptions: this.#options.initializationOptions,
    });
    this.#options.beforeInitialized?.();
    await this.connection.sendNotification("initialized", {});
    if ((this.#options.capabilities ?? fullCapabilities).workspace?.configuration)
      await this.#eventually(() => this.#asked || undefined, "the server to ask for its settings");
    return result;
  }

  request<R = unknown>(method: string, params: unknown, token?: CancellationToken): Promise<R> {
    return token
      ? this.connection.sendRequest<R>(method, params, token)
      : this.connection.sendRequest<R>(method, params);
  }

  notify(method: string, params: unknown): Promise<void> {
    return this.connection.sendNotification(method, params);
  }

  open(uri: string, text: string, languageId = "python"): Promise<void> {
    return this.notify("textDocument/didOpen", { textDocument: { uri, languageId, version: 1, text } });
  }

  /** Replaces `length` characters at `position` within its line. */
  change(uri: string, version: number, position: Position, length: number, text: string): Promise<void> {
    const end = { line: position.line, character: position.character + length };
    return this.notify("textDocument/didChange", {
      textDocument: { uri, version },
      contentChanges: [{ range: { start: position, end }, text }],
    });
  }

  close(uri: string): Promise<void> {
    return this.notify("textDocument/didClose", { textDocument: { uri } });
  }

  /** The next message shown to the user that matches, also one that came already. */
  shown(pattern: RegExp): Promise<string> {
    return this.#find(this.#shown, pattern);
  }

  logged(pattern: RegExp): Promise<string> {
    return this.#find(this.#logged, pattern);
  }

  progressed(pattern: RegExp): Promise<string> {
    return this.#find(this.#progress, pattern);
  }

  /** Diagnostics as pushed for `uri`, once they are as wanted. */
  published(
    uri: string,
    wanted: (diagnostics: readonly Diagnostic[]) => boolean,
  ): Promise<readonly Diagnostic[]> {
    return this.#eventually(() => {
      const found = this.#published.get(uri);
      return found && wanted(found) ? found : undefined;
    }, `diagnostics of ${uri}`);
  }

  #find(list: readonly string[], pattern: RegExp): Promise<string> {
    return this.#eventually(
      () => list.find((message) => pattern.test(message)),
      () => `a message like ${String(pattern)} among ${JSON.stringify(list)}`,
    );
  }

  #eventually<T>(look: () => T | undefined, what: string | (() => string)): Promise<T> {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(attempt);
        fail(new Error(`waited 10 s for ${typeof what === "string" ? what : what()}`));
      }, 10_000);
      const attempt = () => {
        const found = look();
        if (found === undefined) return;
        clearTimeout(timer);
        this.#waiting.delete(attempt);
        done(found);
      };
      this.#waiting.add(attempt);
      attempt();
    });
  }

  #wake(): void {
    for (const attempt of [...this.#waiting]) attempt();
  }
}

/** The bundled server, talking over stdio. `use` gets it initialised; afterwards it is gone. */
export async function withServer(
  options: ClientOptions & { storage?: string; server?: string },
  use: (client: TestClient, initialized: InitializeResult) => Promise<void>,
): Promise<void> {
  if (!existsSync(serverPath)) throw new Error("dist/server/node.js is missing: run `npm run build` first");
  const storage = options.storage ?? temporaryFolder();
  const server = spawn(process.execPath, [options.server ?? serverPath, "--stdio"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolveCode) => server.on("exit", resolveCode));
  const connection = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  const given = { storage, ...(options.initializationOptions ?? {}) };
  const client = new TestClient(connection, { ...options, initializationOptions: given });
  try {
    await use(client, await client.initialize());
    await client.request("shutdown", undefined);
    await client.notify("exit", undefined);
    const code = await ended;
    if (code !== 0) throw new Error(`the server ended with code ${String(code)}`);
  } finally {
    connection.dispose();
    server.kill();
    if (options.storage === undefined) rmSync(storage, { recursive: true, force: true });
  }
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "litlens-lsp-"));
}

/** A corpus with nothing in it, and a library that forgets. */
export const emptyRuntime: Runtime = {
  version: "0.0.0-test",
  readAsset: (name) =>
    Promise.resolve(
      name === "corpus.json"
        ? JSON.stringify({ version: "0", papers: [], methods: [], shared: [], symbols: [] })
        : "{}",
    ),
  storage: () => ({ read: () => Promise.resolve(null), write: () => Promise.resolve() }),
  readFile: (uri) => Promise.reject(new Error(`${uri} cannot be read`)),
  listFolder: () => Promise.resolve([]),
};

/** `startServer` over a pair of real streams, with a service of the test's own. */
export async function withService(
  service: Service | ((options: ServiceOptions) => Service),
  options: ClientOptions,
  use: (client: TestClient, initialized: InitializeResult) => Promise<void>,
  runtime: Runtime = emptyRuntime,
): Promise<void> {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createConnection(new StreamMessageReader(toServer), new StreamMessageWriter(toClient), {
    connectionStrategy,
  });
  startServer(server, runtime, typeof service === "function" ? service : () => service);
  const connection = createProtocolConnection(
    new StreamMessageReader(toClient),
    new StreamMessageWriter(toServer),
  );
  const client = new TestClient(connection, options);
  try {
    await use(client, await client.initialize());
  } finally {
    connection.dispose();
    server.dispose();
  }
}

/** A service that knows nothing; a test replaces what it is about. */
export function quietService(replaced: Partial<Service> = {}): Service {
  return {
    configure: () => undefined,
    setTheme: () => undefined,
    setWorkspaceFolders: () => undefined,
    filesChanged: () => undefined,
    openDocument: () => undefined,
    changeDocument: () => undefined,
    closeDocument: () => undefined,
    setNotebook: () => undefined,
    closeNotebook: () => undefined,
    ready: () => undefined,
    hover: () => null,
    complete: () => ({ isIncomplete: false, items: [] }),
    resolveCompletion: (item) => item,
    codeActions: () => [],
    resolveCodeAction: (action) => Promise.resolve(action),
    diagnose: () => Promise.resolve([]),
    inlayHints: () => [],
    search: () => Promise.resolve({ hits: [], total: 0 }),
    paper: () => null,
    adapterChoices: () => Promise.resolve([]),
    insertAdapter: () => Promise.resolve({}),
    bibliography: () => "",
    importPapers: () => Promise.resolve({ added: 0, updated: 0, unchanged: 0, skipped: [] }),
    status: () => ({
      corpusVersion: "0",
      papers: 0,
      userPapers: 0,
      methods: 0,
      symbols: 0,
      index: "not loaded",
      documents: 0,
      problems: [],
    }),
    ...replaced,
  };
}
