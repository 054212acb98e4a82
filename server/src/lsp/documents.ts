/** Open documents and notebooks: what the client tells goes on to the service as it is. */
import {
  NotebookCellKind,
  NotebookDocuments,
  type Connection,
  type NotebookDocument,
} from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Service } from "../service";
import type { Client } from "./capabilities";
import { quietly } from "./guard";

/** Told after the service knows of the change. */
export interface DocumentListener {
  changed(uri: string): void;
  closed(uri: string): void;
  /** The cells of a notebook are one module: a change in one may change what another says. */
  notebookChanged(): void;
}

export function synchronizeDocuments(
  connection: Connection,
  service: Service,
  { watchesFiles }: Client,
  listener: DocumentListener,
): void {
  const log = connection.console;
  connection.onDidOpenTextDocument(
    quietly(log, "didOpen", ({ textDocument }) => {
      const { uri, languageId, version, text } = textDocument;
      // Who goes to another document may have changed files outside the editor.
      if (!watchesFiles) service.filesChanged("any");
      service.openDocument(uri, languageId, version, text);
      listener.changed(uri);
    }),
  );
  connection.onDidChangeTextDocument(
    quietly(log, "didChange", ({ textDocument: { uri, version }, contentChanges }) => {
      const changes = contentChanges.map((change) =>
        "range" in change ? { range: change.range, text: change.text } : { text: change.text },
      );
      service.changeDocument(uri, version, changes);
      listener.changed(uri);
    }),
  );
  connection.onDidCloseTextDocument(
    quietly(log, "didClose", ({ textDocument: { uri } }) => {
      service.closeDocument(uri);
      listener.closed(uri);
    }),
  );
  synchronizeNotebooks(connection, service, listener);
}

function synchronizeNotebooks(connection: Connection, service: Service, listener: DocumentListener): void {
  const log = connection.console;
  const notebooks = new NotebookDocuments(TextDocument);
  const pythonCells = (notebook: NotebookDocument) =>
    notebook.cells
      .filter(({ kind }) => kind === NotebookCellKind.Code)
      .flatMap((cell) => notebooks.getCellTextDocument(cell) ?? [])
      .filter(({ languageId }) => languageId === "python");
  const update = (notebook: NotebookDocument) => {
    const cells = pythonCells(notebook);
    service.setNotebook(
      notebook.uri,
      cells.map((cell) => ({
        uri: cell.uri,
        languageId: cell.languageId,
        version: cell.version,
        text: cell.getText(),
      })),
    );
    for (const { uri } of cells) listener.changed(uri);
    listener.notebookChanged();
  };
  notebooks.onDidOpen(quietly(log, "notebook didOpen", update));
  notebooks.onDidChange(
    quietly(log, "notebook didChange", ({ notebookDocument, cells }) => {
      update(notebookDocument);
      for (const { document } of cells?.removed ?? []) listener.closed(document);
    }),
  );
  notebooks.onDidClose(
    quietly(log, "notebook didClose", (notebook) => {
      service.closeNotebook(notebook.uri);
      for (const { document } of notebook.cells) listener.closed(document);
    }),
  );
  notebooks.listen(connection);
}
