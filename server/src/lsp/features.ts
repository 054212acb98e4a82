/** Everything an editor asks by itself about an open document. */
import type { CodeAction, CodeActionParams, Connection } from "vscode-languageserver";
import type { Service } from "../service";
import type { Client } from "./capabilities";
import { answering, reasonOf, type Log } from "./guard";
import { showError } from "./messages";

/** The answer about a document: at once, unless it is a configuration file whose reader is still being loaded. */
function whenReady<Answer>(
  service: Service,
  uri: string,
  answer: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const ready = service.ready(uri);
  return ready === undefined ? answer() : ready.then(answer);
}

export function provideFeatures(connection: Connection, service: Service, client: Client): void {
  const log: Log = connection.console;
  connection.onHover(
    answering(
      log,
      "hover",
      () => null,
      ({ textDocument: { uri }, position }) => whenReady(service, uri, () => service.hover(uri, position)),
    ),
  );
  connection.onCompletion(
    answering(
      log,
      "completion",
      () => ({ isIncomplete: false, items: [] }),
      ({ textDocument: { uri }, position }) => whenReady(service, uri, () => service.complete(uri, position)),
    ),
  );
  connection.onCompletionResolve(
    answering(
      log,
      "completionItem/resolve",
      (item) => item,
      (item) => service.resolveCompletion(item),
    ),
  );
  connection.onCodeAction(
    answering(
      log,
      "codeAction",
      () => [],
      (params) =>
        whenReady(service, params.textDocument.uri, () => codeActions(service, client, log, params)),
    ),
  );
  connection.onCodeActionResolve(
    answering(
      log,
      "codeAction/resolve",
      (action) => action,
      async (action) => {
        try {
          return await service.resolveCodeAction(action);
        } catch (error) {
          // The user chose this action and waits for its edit, so the reason is theirs too.
          showError(connection, reasonOf(error));
          throw error;
        }
      },
    ),
  );
  connection.languages.inlayHint.on(
    answering(
      log,
      "inlayHint",
      () => [],
      ({ textDocument, range }) => service.inlayHints(textDocument.uri, range),
    ),
  );
}

/** Older clients know neither literal actions, nor greyed-out ones, nor edits computed on choice. */
async function codeActions(
  service: Service,
  { codeActions: can }: Client,
  log: Log,
  { textDocument, range, context }: CodeActionParams,
): Promise<CodeAction[]> {
  if (!can.literals) return [];
  const actions = service
    .codeActions(textDocument.uri, range, context)
    .filter(({ disabled }) => can.disabled || disabled === undefined);
  if (can.resolve) return actions;
  const resolved = actions.map(async (action) => {
    if (action.disabled || action.edit || action.data === undefined) return [action];
    try {
      return [await service.resolveCodeAction(action)];
    } catch (error) {
      log.info(`${action.title}: ${reasonOf(error)}`);
      return [];
    }
  });
  return (await Promise.all(resolved)).flat();
}
