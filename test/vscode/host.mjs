// A real VS Code from the packages of host/: its server, its web workbench in headless Chromium. For tests, screenshots and `npm start`.
import { spawn } from "node:child_process";
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
export const hostFolder = join(repository, "test/vscode/host");
export const vscodeFolder = join(hostFolder, "node_modules/code-server/lib/vscode");

/** Folder with the Node that VS Code's server and vsce need; the system's own may be older. */
export const newNodeFolder = join(hostFolder, `node_modules/node-linux-${process.arch}/bin`);

/** No welcome page, no side bar of assistants, nothing that differs from one day to the next. */
export const quietSettings = {
  "chat.disableAIFeatures": true,
  "editor.minimap.enabled": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "git.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "workbench.enableExperiments": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
};

/** A folder that goes when `remove` is called; also TMPDIR and XDG_RUNTIME_DIR of what runs in it. */
export function temporaryFolder(name) {
  const path = mkdtempSync(join(tmpdir(), `litlens-${name}-`));
  const remove = () => {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      // A program on its way out may still write: the rest is for whoever clears the folder of temporary files
      if (error.code !== "ENOTEMPTY") throw error;
    }
  };
  return { path, remove };
}

/** Puts the built extension where VS Code looks for installed ones: what the VSIX holds. */
export function installExtension(extensions) {
  const { name, publisher, version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  rmSync(extensions, { recursive: true, force: true });
  const target = join(extensions, `${publisher}.${name}-${version}`);
  mkdirSync(target, { recursive: true });
  for (const part of ["package.json", "README.md", "CHANGELOG.md", "LICENSE", "images", "dist"])
    if (existsSync(join(repository, part)))
      cpSync(join(repository, part), join(target, part), { recursive: true });
}

/** Ends a process that we started, and waits for its end. */
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3000);
  await ended;
  clearTimeout(force);
}

/**
 * Starts VS Code's server; resolves when it listens. `data` holds its settings and state, `extensions` what is installed.
 * @param {{data: string, extensions: string, settings?: object, port?: string, token?: string, trust?: boolean,
 *          automation?: boolean, environment?: Record<string, string>, openFolder?: string}} options
 */
export async function startServer(options) {
  mkdirSync(join(options.data, "data/User"), { recursive: true });
  mkdirSync(options.extensions, { recursive: true });
  const settingsFile = join(options.data, "data/User/settings.json");
  if (options.settings) writeFileSync(settingsFile, JSON.stringify(options.settings, null, 2));
  const runtime = join(options.data, "run");
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const server = spawn(
    join(newNodeFolder, "node"),
    [
      join(vscodeFolder, "out/server-main.js"),
      ...["--host", "127.0.0.1", "--port", options.port ?? "0"],
      ...(options.token ? ["--connection-token", options.token] : ["--without-connection-token"]),
      "--accept-server-license-terms",
      ...["--server-data-dir", options.data, "--extensions-dir", options.extensions],
      ...["--telemetry-level", "off", "--reconnection-grace-time", "1"],
      ...(options.trust ? [] : ["--disable-workspace-trust"]),
      ...(options.automation ? ["--enable-smoke-test-driver"] : []),
      ...(options.openFolder ? ["--default-folder", options.openFolder] : []),
    ],
    {
      env: {
        ...process.env,
        ...options.environment,
        PATH: `${newNodeFolder}${delimiter}${process.env.PATH}`,
        TMPDIR: runtime,
        XDG_RUNTIME_DIR: runtime,
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let output = "";
  const port = await new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`VS Code's server did not listen within 60 s:\n${output}`)),
      60_000,
    );
    const read = (chunk) => {
      output += chunk;
      const match = /Extension host agent listening on (\d+)/.exec(output);
      if (!match) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`VS Code's server ended with ${code}:\n${output}`)));
  });
  return { port, process: server, output: () => output, stop: () => end(server) };
}

/** Address of the workbench: a folder and what the page is told beside it, such as where the extension lies. */
export function workbenchAddress(port, folder, payload = {}) {
  const parameters = new URLSearchParams({ folder });
  if (Object.keys(payload).length > 0) parameters.set("payload", JSON.stringify(Object.entries(payload)));
  return `http://127.0.0.1:${port}/?${parameters}`;
}

/** A file of this machine as the workbench of that server names it. */
export const remote = (port, path) => `vscode-remote://127.0.0.1:${port}${path}`;

/** Chromium on this machine: $LITLENS_CHROMIUM, a known name on the PATH, or the one playwright downloaded. */
export function findChromium() {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const onPath = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const downloaded = existsSync(join(hostFolder, "node_modules/playwright-core"))
    ? [playwright().chromium.executablePath()]
    : [];
  return [process.env.LITLENS_CHROMIUM, ...onPath, ...downloaded].find((path) => {
    try {
      accessSync(path ?? "", constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function playwright() {
  return createRequire(join(hostFolder, "package.json"))("playwright-core");
}

/** Headless Chromium. */
export function launchBrowser(...flags) {
  return playwright().chromium.launch({
    executablePath: findChromium(),
    args: [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...flags,
    ],
  });
}

/** What VS Code says about its native modules, which are not built here and not needed. */
export const isNoise = (text) => /spdlog|watchdog/i.test(text);

/**
 * Opens a workbench that runs a test suite; resolves with the suite's exit code.
 * What the suite logs goes to `log`. Rejects when nothing ended within `timeout` milliseconds.
 */
export async function runSuite(page, address, { log, timeout }) {
  let finish;
  const ended = new Promise((resolve) => (finish = resolve));
  await page.exposeFunction("codeAutomationLog", (type, parameters) => log(type, parameters));
  await page.exposeFunction("codeAutomationExit", (code) => finish(code));
  page.on("crash", () => finish(1));
  await page.goto(address);
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The suite did not end within ${timeout / 1000} s`)), timeout);
  });
  try {
    return await Promise.race([ended, late]);
  } finally {
    clearTimeout(timer);
  }
}
