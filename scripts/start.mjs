// `npm start`: installs, builds, and opens VS Code with Litlens on examples/.
// Desktop VS Code where there is a `code` command, else the VS Code of test/vscode/host served on 127.0.0.1.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureHost, ensureNodePackages, onPath } from "./install.mjs";
import { explain, must, repository, step } from "./steps.mjs";

const examples = join(repository, "examples");
const state = join(repository, ".cache/start");
const exitAfterReady = process.argv.includes("--exit-after-ready");

/** Desktop VS Code runs the extension from this folder, in a window of its own. */
async function openDesktop(code) {
  await step("Opening VS Code on examples/", () =>
    must("run the command by hand, or start VS Code and press F5 in this folder.", code, [
      `--extensionDevelopmentPath=${repository}`,
      "--new-window",
      examples,
      join(examples, "finetune_peft.py"),
    ]),
  );
}

/** Settings of a first start; what the person changes later stays. */
function firstSettings(quietSettings) {
  const file = join(state, "data/data/User/settings.json");
  if (existsSync(file)) return;
  mkdirSync(join(file, ".."), { recursive: true });
  // examples/ is a folder of this repository: VS Code would ask
  const git = { "git.enabled": true, "git.openRepositoryInParentFolders": "always" };
  writeFileSync(file, JSON.stringify({ ...quietSettings, ...git }, null, 2));
}

async function serve() {
  await ensureHost();
  const { installExtension, quietSettings, startServer } = await import("../test/vscode/host.mjs");
  const extensions = join(state, "extensions");
  const token = randomBytes(16).toString("hex");
  const server = await step("Starting VS Code's server", () => {
    installExtension(extensions);
    firstSettings(quietSettings);
    const data = join(state, "data");
    return startServer({ data, extensions, port: "4170-4199", token, openFolder: examples });
  });
  console.log(`\nVS Code with Litlens on examples/:\n\n  http://127.0.0.1:${server.port}/?tkn=${token}\n`);
  if (exitAfterReady) return server.stop();
  console.log("Open it in a browser. Ctrl+C ends it.");
  for (const signal of ["SIGINT", "SIGTERM"])
    process.prependListener(signal, () => server.process.kill("SIGTERM"));
  await new Promise((resolve) => server.process.once("exit", resolve));
}

try {
  await ensureNodePackages();
  await step("Building Litlens", () =>
    must("read the message above; it names the file.", process.execPath, ["scripts/build.mjs"]),
  );
  const code = process.argv.includes("--served") ? undefined : onPath("code", "code.cmd");
  await (code ? openDesktop(code) : serve());
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
