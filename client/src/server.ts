/** The language server as commands see it: typed requests, and starts and stops one after the other. */
import type { CancellationToken } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import {
  requests,
  type AdapterChoice,
  type AdapterChoicesParams,
  type BibliographyParams,
  type ImportParams,
  type ImportResult,
  type InsertAdapterParams,
  type PaperView,
  type SearchParams,
  type SearchResult,
  type Status,
  type Theme,
  type WorkspaceEdit,
} from "../../server/src/protocol";

/** What each request takes and gives. */
interface Requests {
  searchPapers: { params: SearchParams; result: SearchResult };
  paper: { params: { id: string }; result: PaperView | null };
  adapterChoices: { params: AdapterChoicesParams; result: AdapterChoice[] };
  insertAdapter: { params: InsertAdapterParams; result: WorkspaceEdit };
  importPapers: { params: ImportParams; result: ImportResult };
  bibliography: { params: BibliographyParams; result: { text: string } };
  status: { params: Record<string, never>; result: Status };
}

/** A client with its server, made anew at each start. */
export interface Connected {
  readonly client: BaseLanguageClient;
  /** Ends what the client leaves running: a Worker. */
  dispose(): void;
}

export class Server {
  readonly #create: () => Promise<Connected>;
  #current: Connected | undefined;
  #last: Promise<void> = Promise.resolve();
  #begun = false;

  constructor(create: () => Promise<Connected>) {
    this.#create = create;
  }

  /** Starts it, unless that was done before. */
  start(): Promise<void> {
    if (this.#begun) return this.#last;
    this.#begun = true;
    return this.#inTurn(() => this.#start());
  }

  restart(): Promise<void> {
    this.#begun = true;
    return this.#inTurn(async () => {
      await this.#stop();
      await this.#start();
    });
  }

  stop(): Promise<void> {
    return this.#inTurn(() => this.#stop());
  }

  /** Starts the server if nothing did yet. Rejects with the server's reason, fit to be shown. */
  async request<Name extends keyof Requests>(
    name: Name,
    params: Requests[Name]["params"],
    token?: CancellationToken,
  ): Promise<Requests[Name]["result"]> {
    await this.start().catch(() => undefined);
    const { client } = this;
    // An absent token given as `undefined` would count as a second parameter.
    return token
      ? client.sendRequest<Requests[Name]["result"]>(requests[name], params, token)
      : client.sendRequest<Requests[Name]["result"]>(requests[name], params);
  }

  /** Nothing to tell a server that is not there: it hears of the theme when it starts. */
  async sendTheme(theme: Theme): Promise<void> {
    if (this.#current?.client.isRunning()) await this.client.sendNotification(requests.theme, { theme });
  }

  get client(): BaseLanguageClient {
    if (!this.#current)
      throw new Error("The language server is not running; “Litlens: Restart Server” starts it.");
    return this.#current.client;
  }

  /** Two restarts at once would otherwise stop what the other just started. */
  #inTurn(step: () => Promise<void>): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(step);
    return this.#last;
  }

  async #start(): Promise<void> {
    const connected = await this.#create();
    this.#current = connected;
    try {
      await connected.client.start();
    } catch (error) {
      this.#current = undefined;
      connected.dispose();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    const connected = this.#current;
    this.#current = undefined;
    if (!connected) return;
    try {
      await connected.client.dispose();
    } finally {
      connected.dispose();
    }
  }
}
