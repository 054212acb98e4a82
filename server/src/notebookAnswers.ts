/** Answers made for a notebook's joined module, given back in terms of its cells. */
import type {
  CodeAction,
  CodeActionContext,
  CompletionItem,
  CompletionList,
  Range,
  SnippetTextEdit,
  TextDocumentEdit,
  TextEdit,
  WorkspaceEdit,
} from "vscode-languageserver-types";
import { type Located, type Notebook, toCellRange, toDeletedRange, toJoinedRange } from "./documents";

/** A workspace edit with the notebook's edits sorted into cells; an edit that no cell holds makes the whole edit void. */
export function editInCells(edit: WorkspaceEdit, notebook: Notebook | undefined): WorkspaceEdit {
  if (notebook === undefined || edit.documentChanges === undefined) return edit;
  return {
    documentChanges: edit.documentChanges.flatMap((change) =>
      "textDocument" in change && change.textDocument.uri === notebook.uri
        ? byCell(change, notebook)
        : [change],
    ),
  };
}

function byCell({ edits }: TextDocumentEdit, notebook: Notebook): TextDocumentEdit[] {
  const cells = new Map<string, { version: number; edits: (TextEdit | SnippetTextEdit)[] }>();
  for (const each of edits) {
    const isDeletion = "newText" in each && each.newText === "";
    const cell =
      toCellRange(notebook, each.range) ?? (isDeletion ? toDeletedRange(notebook, each.range) : undefined);
    if (cell === undefined) throw new Error("This edit would reach over several cells of the notebook.");
    const known = cells.get(cell.uri) ?? { version: cell.version, edits: [] };
    known.edits.push(atCellStart({ ...each, range: cell.range }));
    cells.set(cell.uri, known);
  }
  return [...cells].map(([uri, { version, edits: ofCell }]) => ({
    textDocument: { uri, version },
    edits: ofCell,
  }));
}

/** Blank lines that set a class off from the code above mean nothing at the top of a cell. */
function atCellStart(edit: TextEdit | SnippetTextEdit): TextEdit | SnippetTextEdit {
  const { line, character } = edit.range.start;
  return line === 0 && character === 0 && "newText" in edit
    ? {
        ...edit,
        // a class at the top is parted from what follows as classes are
        newText: edit.newText.replace(/^[\r\n]+/, "").replace(/^((?:class|def|@)[^]*?)[\r\n]*$/, "$1\n\n\n"),
      }
    : edit;
}

export function actionInCell(action: CodeAction, notebook: Notebook): CodeAction {
  const diagnostics = action.diagnostics?.flatMap((each) => {
    const cell = toCellRange(notebook, each.range);
    return cell === undefined ? [] : [{ ...each, range: cell.range }];
  });
  return {
    ...action,
    ...(diagnostics === undefined ? {} : { diagnostics }),
    ...(action.edit === undefined ? {} : { edit: editInCells(action.edit, notebook) }),
  };
}

/** What the client says of a cell, said of the joined module. */
export function contextInModule(
  context: CodeActionContext,
  uri: string,
  notebook: Notebook,
): CodeActionContext {
  const diagnostics = context.diagnostics.flatMap((each) => {
    const range = toJoinedRange(notebook, uri, each.range);
    return range === undefined ? [] : [{ ...each, range }];
  });
  return { ...context, diagnostics };
}

export function completionsInCell(list: CompletionList, { notebook }: Located): CompletionList {
  if (notebook === undefined) return list;
  return { ...list, items: list.items.flatMap((item) => completionInCell(item, notebook) ?? []) };
}

/** Without the edits that would land in another cell: an item may change only the document it is asked for. */
function completionInCell(item: CompletionItem, notebook: Notebook): CompletionItem | undefined {
  const { textEdit, additionalTextEdits, ...rest } = item;
  if (textEdit === undefined) return item;
  const of = (range: Range) => toCellRange(notebook, range);
  const range = of("range" in textEdit ? textEdit.range : textEdit.replace);
  if (range === undefined) return undefined;
  const additional = additionalTextEdits?.flatMap((each) => {
    const cell = of(each.range);
    return cell?.uri === range.uri ? [{ ...each, range: cell.range }] : [];
  });
  return {
    ...rest,
    textEdit: { range: range.range, newText: textEdit.newText },
    ...(additional === undefined ? {} : { additionalTextEdits: additional }),
  };
}
