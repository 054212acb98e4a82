/** Messages that the client shows to the user; nobody waits for an answer. */
import { MessageType, ShowMessageNotification, type Connection } from "vscode-languageserver";

export function showError(connection: Connection, message: string): void {
  show(connection, MessageType.Error, message);
}

export function showWarning(connection: Connection, message: string): void {
  show(connection, MessageType.Warning, message);
}

// A notification: `window.showErrorMessage` would be a request, which some clients refuse.
function show(connection: Connection, type: MessageType, message: string): void {
  void connection.sendNotification(ShowMessageNotification.type, { type, message: `Litlens: ${message}` });
}
