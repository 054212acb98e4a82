#!/usr/bin/env node
// Takes the arguments of `code` that test-electron passes, and runs the suite in the VS Code of host.mjs instead of a desktop one.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  isNoise,
  launchBrowser,
  quietSettings,
  remote,
  runSuite,
  startServer,
  temporaryFolder,
  workbenchAddress,
} from "./host.mjs";

const options = new Map();
const folders = [];
for (const argument of process.argv.slice(2)) {
  const match = /^--([\w-]+)(?:=(.*))?$/.exec(argument);
  if (match) options.set(match[1], match[2] ?? "");
  else folders.push(argument);
}
for (const name of ["extensionTestsPath", "extensionDevelopmentPath"])
  if (!options.get(name)) {
    console.error(`${pathToFileURL(process.argv[1])}: --${name}=PATH is missing`);
    process.exit(2);
  }

const scratch = temporaryFolder("code");
const profile = options.get("user-data-dir") ?? join(scratch.path, "profile");
const settingsFile = join(profile, "User/settings.json");
const settings = existsSync(settingsFile) ? JSON.parse(readFileSync(settingsFile, "utf8")) : quietSettings;
// The workbench says much; LITLENS_TEST_LOG names a file that keeps it
const log = (text) =>
  process.env.LITLENS_TEST_LOG && appendFileSync(process.env.LITLENS_TEST_LOG, `${text}\n`);
const server = await startServer({
  data: join(profile, "server"),
  extensions: options.get("extensions-dir") ?? join(scratch.path, "extensions"),
  settings,
  trust: !options.has("disable-workspace-trust"),
  automation: true,
});
const browser = await launchBrowser();
let code = 1;
try {
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  const address = workbenchAddress(server.port, folders[0] ?? process.cwd(), {
    extensionDevelopmentPath: remote(server.port, options.get("extensionDevelopmentPath")),
    extensionTestsPath: remote(server.port, options.get("extensionTestsPath")),
    enableProposedApi: "",
    skipWelcome: "true",
  });
  code = await runSuite(page, address, {
    log: (type, parameters) => {
      const text = [type, parameters].flat().join(" ");
      if (!isNoise(text)) log(text);
    },
    timeout: Number(process.env.LITLENS_SUITE_TIMEOUT ?? 300) * 1000,
  });
} catch (error) {
  console.error(String(error));
  log(`${String(error)}`);
} finally {
  await browser.close();
  await server.stop();
  scratch.remove();
}
process.exit(code);
