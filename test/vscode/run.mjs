// Runs the Mocha suite inside a real extension host through @vscode/test-electron: desktop VS Code where one can be had,
// else the served VS Code behind code.mjs. LITLENS_VSCODE=host or =desktop decides; arguments name suites; the last line is `N passed, N failed`.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { downloadAndUnzipVSCode, runTests } from "@vscode/test-electron";
import { bundleSuite, printResult } from "./bundle.mjs";
import { quietSettings, repository, temporaryFolder } from "./host.mjs";

/** Whether a desktop VS Code can run here and its downloads answer within two seconds. */
async function desktopWithinReach() {
  if (process.env.LITLENS_VSCODE) return process.env.LITLENS_VSCODE === "desktop";
  if (process.platform === "linux" && !process.env.DISPLAY) return false;
  try {
    const releases = "https://update.code.visualstudio.com/api/releases/stable";
    return (await fetch(releases, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}

/** Starts `code` without test-electron, which always switches workspace trust off. */
function runUntrusted(executable, parameters, environment) {
  return new Promise((resolve) => {
    const child = spawn(executable, parameters, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.on("data", () => undefined);
    child.stderr.on("data", () => undefined);
    child.once("close", resolve);
  });
}

const suite = await bundleSuite("index", "node");
const executable = (await desktopWithinReach())
  ? await downloadAndUnzipVSCode({ cachePath: join(repository, ".cache/vscode") })
  : join(repository, "test/vscode/code.mjs");
console.log(`VS Code: ${executable}`);

/** One run of one suite on a copy of examples/, with a profile of its own. */
async function run(name, settings) {
  const scratch = temporaryFolder(name);
  const workspace = join(scratch.path, "examples");
  cpSync(join(repository, "examples"), workspace, { recursive: true });
  const profile = join(scratch.path, "profile");
  mkdirSync(join(profile, "User"), { recursive: true });
  writeFileSync(join(profile, "User/settings.json"), JSON.stringify({ ...quietSettings, ...settings }));
  const resultFile = join(scratch.path, "result.json");
  const logFile = join(scratch.path, "log.txt");
  const environment = {
    LITLENS_SUITE: name,
    LITLENS_TEST_RESULT: resultFile,
    LITLENS_TEST_LOG: logFile,
    XDG_DATA_HOME: join(scratch.path, "share"),
  };
  const launchArgs = [
    workspace,
    `--extensions-dir=${join(scratch.path, "extensions")}`,
    `--user-data-dir=${profile}`,
  ];
  try {
    if (name === "untrusted")
      await runUntrusted(
        executable,
        [
          ...launchArgs,
          `--extensionTestsPath=${suite}`,
          `--extensionDevelopmentPath=${repository}`,
          ...["--no-sandbox", "--skip-welcome", "--disable-updates"],
        ],
        environment,
      );
    else
      await runTests({
        vscodeExecutablePath: executable,
        extensionDevelopmentPath: repository,
        extensionTestsPath: suite,
        extensionTestsEnv: environment,
        launchArgs,
      });
  } catch (error) {
    // Failed tests end it with an error too: the result file tells them from a dead host
    if (!existsSync(resultFile)) console.error(String(error));
  }
  const read = (file) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  const result = read(resultFile);
  const counts = printResult(name, result && JSON.parse(result), read(logFile) ?? "");
  scratch.remove();
  return { ...counts, figures: result ? JSON.parse(result).figures : {} };
}

const settingsOf = { untrusted: { "security.workspace.trust.startupPrompt": "never" } };
const wanted = process.argv.slice(2);
const results = [];
for (const name of wanted.length > 0 ? wanted : ["trusted", "untrusted"])
  results.push(await run(name, settingsOf[name] ?? {}));
if (process.env.LITLENS_FIGURES)
  writeFileSync(
    process.env.LITLENS_FIGURES,
    JSON.stringify(Object.assign({}, ...results.map(({ figures }) => figures))),
  );
const total = (field) => results.reduce((sum, result) => sum + result[field], 0);
console.log(`${total("passed")} passed, ${total("failed")} failed`);
process.exit(total("failed") > 0 ? 1 : 0);
