/** The comparison of adapters: one webview panel beside the editor. */
import { commands, ViewColumn, window, type Disposable, type Uri, type WebviewPanel } from "vscode";
import { assetsOf, fillPanel } from "./page";
import { readComparisonMessage, type ComparisonData, type ToComparison } from "./webview/comparisonMessages";

export class Comparison implements Disposable {
  readonly #assets: Uri;
  #panel: WebviewPanel | undefined;
  #data: ComparisonData | undefined;
  #ready = false;

  constructor(extension: Uri) {
    this.#assets = assetsOf(extension);
  }

  show(data: ComparisonData): void {
    this.#data = data;
    const panel = this.#panel ?? this.#create();
    panel.reveal(panel.viewColumn ?? ViewColumn.Beside, true);
    this.#send();
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  #create(): WebviewPanel {
    const place = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    const panel = window.createWebviewPanel("litlens.comparison", "Compare Adapters", place);
    this.#panel = panel;
    this.#ready = false;
    panel.webview.onDidReceiveMessage((message: unknown) => void this.#answer(message));
    panel.onDidDispose(() => {
      this.#panel = undefined;
    });
    fillPanel(panel, this.#assets, "comparisonPage", "Compare Adapters");
    return panel;
  }

  #send(): void {
    if (!this.#ready || !this.#data) return;
    const message: ToComparison = { kind: "comparison", ...this.#data };
    void this.#panel?.webview.postMessage(message);
  }

  async #answer(message: unknown): Promise<void> {
    const known = readComparisonMessage(message);
    if (known?.kind === "ready") {
      this.#ready = true;
      this.#send();
    }
    if (known?.kind === "insert" && this.#data) {
      const { method, site } = known;
      await commands.executeCommand("litlens.insertAdapter", { ...this.#data.place, method, site });
    }
    if (known?.kind === "open") await commands.executeCommand("litlens.showPaper", known.paper);
  }
}
