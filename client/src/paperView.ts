/** The paper page: one webview panel beside the editor, used again for every paper. */
import { commands, env, ViewColumn, window, type Disposable, type Uri, type WebviewPanel } from "vscode";
import type { PaperView } from "../../server/src/protocol";
import { assetsOf, fillPanel } from "./page";
import type { RecentPapers } from "./recentPapers";
import type { Server } from "./server";
import { readMessage, type FromPage, type ToPage } from "./webview/messages";

const viewType = "litlens.paper";

export class PaperPage implements Disposable {
  readonly #assets: Uri;
  readonly #server: Server;
  readonly #recent: RecentPapers;
  readonly #serializer: Disposable;
  #panel: WebviewPanel | undefined;
  #paper: PaperView | undefined;
  /** The page's script listens; what it is told before is lost. */
  #ready = false;
  #newest = 0;

  constructor(extension: Uri, server: Server, recent: RecentPapers) {
    this.#assets = assetsOf(extension);
    this.#server = server;
    this.#recent = recent;
    this.#serializer = window.registerWebviewPanelSerializer(viewType, {
      deserializeWebviewPanel: (panel) => {
        this.#panel?.dispose();
        this.#adopt(panel);
        return Promise.resolve();
      },
    });
  }

  get isOpen(): boolean {
    return this.#panel !== undefined;
  }

  /** A preview leaves the focus where it is and is not remembered as opened. */
  async show(id: string, { preview = false } = {}): Promise<void> {
    const call = ++this.#newest;
    const paper = await this.#server.request("paper", { id });
    // A slower answer to an earlier call must not replace a newer paper.
    if (call !== this.#newest) return;
    if (!paper)
      throw new Error(`There is no paper ${id} in the library; “Litlens: Search Papers” finds what is.`);
    this.#paper = paper;
    const panel = this.#panel ?? this.#create();
    panel.title = paper.title;
    panel.reveal(panel.viewColumn ?? ViewColumn.Beside, preview);
    this.#send();
    if (!preview) await this.#recent.add(paper);
  }

  close(): void {
    this.#newest += 1;
    this.#panel?.dispose();
  }

  dispose(): void {
    this.#serializer.dispose();
    this.close();
  }

  #create(): WebviewPanel {
    const place = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    return this.#adopt(window.createWebviewPanel(viewType, "Paper", place));
  }

  #adopt(panel: WebviewPanel): WebviewPanel {
    this.#panel = panel;
    this.#ready = false;
    panel.webview.onDidReceiveMessage((message: unknown) => {
      const known = readMessage(message);
      if (known) void this.#answer(known);
    });
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = undefined;
    });
    fillPanel(panel, this.#assets, "paperPage", "Paper");
    return panel;
  }

  #send(): void {
    if (!this.#ready || !this.#paper) return;
    const message: ToPage = { kind: "paper", paper: this.#paper };
    void this.#panel?.webview.postMessage(message);
  }

  async #answer(message: FromPage): Promise<void> {
    switch (message.kind) {
      case "ready":
        this.#ready = true;
        this.#send();
        return;
      case "open":
        await commands.executeCommand("litlens.showPaper", message.paper);
        return;
      case "insert":
        await commands.executeCommand("litlens.insertAdapter", { method: message.method });
        return;
      case "cite":
        await commands.executeCommand("litlens.insertCitation", message.paper);
        return;
      case "copy":
        await env.clipboard.writeText(message.text);
        window.setStatusBarMessage("Litlens: copied", 2000);
    }
  }
}
