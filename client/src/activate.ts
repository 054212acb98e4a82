/** What desktop, remote and web share: the server's options, the commands, the paper page. */
import {
  commands,
  ProgressLocation,
  window,
  workspace,
  type ExtensionContext,
  type LogOutputChannel,
  type TextDocument,
} from "vscode";
import type { LanguageClientOptions } from "vscode-languageclient";
import configurationKeys from "litlens:configurations.json";
import type { InitializationOptions } from "../../server/src/protocol";
import { commandHandlers, type CommandHandler } from "./commands";
import { Comparison } from "./compareView";
import { concerns } from "./configurations";
import { PaperPage } from "./paperView";
import { Previews } from "./preview";
import { RecentPapers } from "./recentPapers";
import { Server, type Connected } from "./server";
import { reasonOf, type Session } from "./session";
import { serveStorage } from "./storage";
import { currentTheme } from "./theme";

/** What only desktop and remote, or only the web, can do. */
export interface Platform {
  connect(options: LanguageClientOptions): Promise<Connected>;
  /** Folder of the user's library; absent where the server asks this extension for it. */
  readonly storage?: string;
}

/** Exported to tests: activation does not wait for the server, which is not started for YAML that is nothing to it. */
export interface Exports {
  readonly started: Promise<void>;
}

export function activate(context: ExtensionContext, platform: Platform): Exports & { server: Server } {
  const log = window.createOutputChannel("Litlens", { log: true });
  const server = new Server(async () => {
    // Making a client takes longer than all else here: other extensions may activate first.
    await new Promise((go) => setTimeout(go, 0));
    const connected = await platform.connect(clientOptions(platform, log));
    serveStorage(connected.client, context.globalStorageUri);
    return connected;
  });
  const recent = new RecentPapers(context.globalState);
  const page = new PaperPage(context.extensionUri, server, recent);
  const previews = new Previews();
  const comparison = new Comparison(context.extensionUri);
  const session: Session = { context, server, log, page, recent, previews, comparison };
  context.subscriptions.push(
    log,
    page,
    previews,
    comparison,
    ...Object.entries(commandHandlers).map(([name, handler]) =>
      commands.registerCommand(`litlens.${name}`, (...given: unknown[]) => run(session, handler, given)),
    ),
    window.onDidChangeActiveColorTheme(() => void server.sendTheme(currentTheme())),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("litlens.hover.formulas")) void report(log, server.restart());
    }),
  );
  const started = whenNeeded(context, () => begin(server, log));
  // told to the user already
  started.catch(() => undefined);
  return { started, server };
}

function begin(server: Server, log: LogOutputChannel): Promise<void> {
  const start = server.start();
  void report(log, start);
  return start;
}

/** Starts at once, except where YAML is open and nothing that the server has an answer for; then with the first such document. */
function whenNeeded({ subscriptions }: ExtensionContext, start: () => Promise<void>): Promise<void> {
  const parsed: unknown = JSON.parse(configurationKeys);
  const keys = Array.isArray(parsed) ? parsed.map(String) : [];
  const open = workspace.textDocuments;
  const isIdle =
    open.some(({ languageId }) => languageId === "yaml") && !open.some((each) => concerns(each, keys));
  if (!isIdle) return start();
  return new Promise((resolve, reject) => {
    const look = (document: TextDocument) => {
      if (!concerns(document, keys)) return;
      for (const listener of listeners) listener.dispose();
      start().then(resolve, reject);
    };
    const listeners = [
      workspace.onDidOpenTextDocument(look),
      workspace.onDidChangeTextDocument(({ document }) => look(document)),
    ];
    subscriptions.push(...listeners);
  });
}

function clientOptions(platform: Platform, log: LogOutputChannel): LanguageClientOptions {
  return {
    documentSelector: [{ language: "python" }, { language: "yaml" }],
    outputChannel: log,
    markdown: {
      isTrusted: { enabledCommands: Object.keys(commandHandlers).map((name) => `litlens.${name}`) },
      supportHtml: false,
    },
    initializationOptions: (): InitializationOptions => ({
      formulas: formulas(),
      theme: currentTheme(),
      commandLinks: true,
      ...(platform.storage !== undefined && { storage: platform.storage }),
    }),
  };
}

function formulas(): "image" | "latex" | "none" {
  const chosen = workspace.getConfiguration("litlens").get<unknown>("hover.formulas");
  return chosen === "latex" || chosen === "none" ? chosen : "image";
}

/** One wrapper around every command: a throw becomes a message. */
async function run(session: Session, handler: CommandHandler, given: readonly unknown[]): Promise<unknown> {
  try {
    return await handler(session, ...given);
  } catch (error) {
    session.log.error(error instanceof Error ? error : String(error));
    void window.showErrorMessage(`Litlens: ${reasonOf(error)}`);
    return undefined;
  }
}

async function report(log: LogOutputChannel, start: Promise<void>): Promise<void> {
  try {
    await window.withProgress({ location: ProgressLocation.Window, title: "Starting Litlens" }, () => start);
  } catch (error) {
    log.error(error instanceof Error ? error : String(error));
    const logs = "Show Logs";
    const chosen = await window.showErrorMessage(
      `Litlens: the language server did not start: ${reasonOf(error)}`,
      logs,
    );
    if (chosen === logs) log.show();
  }
}
