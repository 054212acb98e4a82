// Runs the web suite: the extension is served over HTTP and loaded by the workbench's worker extension host, as vscode.dev does.
// The last line is `N passed, N failed`.
import { createReadStream, existsSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { bundleSuite, printResult } from "./bundle.mjs";
import {
  isNoise,
  launchBrowser,
  quietSettings,
  repository,
  runSuite,
  startServer,
  temporaryFolder,
} from "./host.mjs";

const types = { ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml" };

/** Serves the repository's package.json, dist/ and the suite, to any origin. */
async function serveExtension() {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const file = join(repository, path);
    const allowed = /^\/(package\.json|package\.nls\.json|dist\/|out\/vscode\/)/.test(path);
    response.setHeader("Access-Control-Allow-Origin", "*");
    response.setHeader("Access-Control-Allow-Headers", "*");
    if (!allowed || !existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream");
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  return { port: server.address().port, stop: () => server.close() };
}

/** The page's configuration with our extension and suite in it. */
function rewrite(html, port) {
  const component = (path) => ({ scheme: "http", authority: `localhost:${port}`, path });
  return html.replace(
    /(id="vscode-workbench-web-configuration" data-settings=")([^"]*)"/,
    (_, head, text) => {
      const configuration = JSON.parse(text.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
      configuration.developmentOptions = {
        ...configuration.developmentOptions,
        extensions: [component("/")],
        extensionTestsPath: component("/out/vscode/web.js"),
      };
      configuration.configurationDefaults = quietSettings;
      const settings = JSON.stringify(configuration).replaceAll("&", "&amp;").replaceAll('"', "&quot;");
      return `${head}${settings}"`;
    },
  );
}

await bundleSuite("web", "browser");
const scratch = temporaryFolder("web");
const extension = await serveExtension();
const server = await startServer({
  data: join(scratch.path, "data"),
  extensions: join(scratch.path, "extensions"),
  automation: true,
});
const browser = await launchBrowser("--disable-features=LocalNetworkAccessChecks");
let result;
let log = "";
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.route(
    (url) => url.pathname === "/",
    async (route) => {
      const response = await route.fetch();
      const policy = response.headers()["content-security-policy"] ?? "";
      const headers = {
        ...response.headers(),
        "content-security-policy": policy.replace(
          "connect-src",
          `connect-src http://localhost:${extension.port}`,
        ),
      };
      await route.fulfill({ response, headers, body: rewrite(await response.text(), extension.port) });
    },
  );
  const read = (text) => {
    if (!isNoise(text)) log += `${text}\n`;
    const match = /LITLENS_TEST_RESULT (\{.*\})/s.exec(text);
    if (match) result = JSON.parse(match[1]);
  };
  page.on("console", (message) => read(message.text()));
  await runSuite(page, `http://127.0.0.1:${server.port}/`, {
    log: () => undefined,
    timeout: Number(process.env.LITLENS_SUITE_TIMEOUT ?? 180) * 1000,
  });
} catch (error) {
  log += `${error}`;
} finally {
  await browser.close();
  await server.stop();
  extension.stop();
  scratch.remove();
}
if (process.env.LITLENS_TEST_LOG) writeFileSync(process.env.LITLENS_TEST_LOG, log);
const { passed, failed } = printResult("web", result, log);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
