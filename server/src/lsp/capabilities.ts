/** What the client can do, and what the server offers in turn. */
import {
  CodeActionKind,
  PositionEncodingKind,
  TextDocumentSyncKind,
  type ClientCapabilities,
  type ServerCapabilities,
} from "vscode-languageserver";
import type { ClientAbilities } from "../protocol";

/** The prefix of all insertions; a request with `only` of it gets every one that applies. */
export const adapterKind = `${CodeActionKind.RefactorRewrite}.adapter`;

/** The prefix of all that is done to a configuration. */
export const configKind = `${CodeActionKind.RefactorRewrite}.config`;

/** The part of the client's capabilities on which the wiring depends. */
export interface Client extends ClientAbilities {
  readonly pullsDiagnostics: boolean;
  readonly refreshesDiagnostics: boolean;
  readonly refreshesInlayHints: boolean;
  readonly pullsSettings: boolean;
  readonly registersSettings: boolean;
  /** Tells of files that change on disk. */
  readonly watchesFiles: boolean;
  /** Tells of folders that come to the workspace or go. */
  readonly changesFolders: boolean;
  readonly showsProgress: boolean;
  readonly codeActions: { readonly literals: boolean; readonly resolve: boolean; readonly disabled: boolean };
}

export function clientOf({ general, textDocument, window, workspace }: ClientCapabilities): Client {
  const encodings = general?.positionEncodings;
  if (encodings && !encodings.includes(PositionEncodingKind.UTF16))
    throw new Error(`positions must be countable in utf-16, the client offers ${encodings.join(", ")}`);
  const { completion, codeAction, diagnostic } = textDocument ?? {};
  const edits = workspace?.workspaceEdit;
  return {
    snippetCompletions: completion?.completionItem?.snippetSupport ?? false,
    snippetEdits: edits?.snippetEditSupport ?? false,
    documentChanges: edits?.documentChanges ?? false,
    createFile: edits?.resourceOperations?.includes("create") ?? false,
    pullsDiagnostics: diagnostic !== undefined,
    refreshesDiagnostics: workspace?.diagnostics?.refreshSupport ?? false,
    refreshesInlayHints: workspace?.inlayHint?.refreshSupport ?? false,
    pullsSettings: workspace?.configuration ?? false,
    registersSettings: workspace?.didChangeConfiguration?.dynamicRegistration ?? false,
    watchesFiles: workspace?.didChangeWatchedFiles?.dynamicRegistration ?? false,
    changesFolders: workspace?.workspaceFolders ?? false,
    showsProgress: window?.workDoneProgress ?? false,
    codeActions: {
      literals: codeAction?.codeActionLiteralSupport !== undefined,
      resolve:
        (codeAction?.dataSupport ?? false) &&
        (codeAction?.resolveSupport?.properties.includes("edit") ?? false),
      disabled: codeAction?.disabledSupport ?? false,
    },
  };
}

export function serverCapabilities(client: Client, commands: readonly string[]): ServerCapabilities {
  return {
    positionEncoding: PositionEncodingKind.UTF16,
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    notebookDocumentSync: { notebookSelector: [{ notebook: "*", cells: [{ language: "python" }] }] },
    hoverProvider: true,
    completionProvider: {
      resolveProvider: true,
      triggerCharacters: ["(", ",", "=", '"', "'"],
      completionItem: { labelDetailsSupport: true },
    },
    codeActionProvider: {
      codeActionKinds: [adapterKind, configKind, CodeActionKind.QuickFix],
      resolveProvider: true,
    },
    inlayHintProvider: true,
    ...(client.changesFolders && {
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    }),
    executeCommandProvider: { commands: [...commands] },
    ...(client.pullsDiagnostics && {
      diagnosticProvider: {
        identifier: "litlens",
        interFileDependencies: true,
        workspaceDiagnostics: false,
      },
    }),
  };
}
