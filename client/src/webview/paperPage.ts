/** Runs in the webview: shows the paper it is sent, and keeps it for when VS Code takes the page away and brings it back. */
import type { FromPage, ToPage } from "./messages";
import { paperSections } from "./sections";

declare function acquireVsCodeApi(): {
  postMessage(message: FromPage): void;
  getState(): ToPage | undefined;
  setState(state: ToPage): void;
};

const vscode = acquireVsCodeApi();

function show({ paper }: ToPage): void {
  const page = document.getElementById("page");
  if (!page) return;
  document.title = paper.title;
  page.replaceChildren(...paperSections(paper, send));
}

function send(message: FromPage): void {
  vscode.postMessage(message);
  const status = document.getElementById("status");
  if (status) status.textContent = message.kind === "copy" ? "Copied." : "";
}

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  vscode.setState(data);
  show(data);
  window.scrollTo(0, 0);
});

const kept = vscode.getState();
if (kept) show(kept);
send({ kind: "ready" });
