/** The frame of every page that Litlens shows: own script and style, nothing from elsewhere. */
import { Uri, type Webview, type WebviewPanel } from "vscode";

/** What `extension` ships for its pages. */
export const assetsOf = (extension: Uri): Uri => Uri.joinPath(extension, "dist", "client");

/** Lets a panel run `<name>.js` with `<name>.css` of the assets, and no more. */
export function fillPanel(panel: WebviewPanel, assets: Uri, name: string, title: string): void {
  panel.webview.options = { enableScripts: true, localResourceRoots: [assets] };
  panel.iconPath = Uri.joinPath(assets, "..", "..", "images", "icon.png");
  panel.webview.html = html(panel.webview, assets, name, title);
}

function html(webview: Webview, assets: Uri, name: string, title: string): string {
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  const asset = (file: string) => webview.asWebviewUri(Uri.joinPath(assets, file)).toString();
  const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${webview.cspSource}`;
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="UTF-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title}</title>
    <link rel="stylesheet" href="${asset(`${name}.css`)}" />
  </head>
  <body>
    <main id="page" tabindex="-1"></main>
    <p id="status" role="status" aria-live="polite"></p>
    <script nonce="${nonce}" src="${asset(`${name}.js`)}"></script>
  </body>
</html>`;
}
