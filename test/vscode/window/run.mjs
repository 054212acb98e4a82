// Drives a real VS Code as a person does, by mouse and keyboard, and looks at what stands on the screen: lists, menus,
// links, messages and pages, which no API of VS Code tells. Arguments name tests; the last line is `N passed, N failed`.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as host from "../host.mjs";
import { openVsCode } from "../window.mjs";
import { tests } from "./tests.mjs";

const wanted = process.argv.slice(2);
const scratch = host.temporaryFolder("examples");
const folder = join(scratch.path, "examples");
cpSync(join(host.repository, "examples"), folder, { recursive: true });
const vscode = await openVsCode(host, folder);
mkdirSync(join(host.repository, "out"), { recursive: true });

/** Why a test failed, with a picture of the window then; undefined where it passed. */
async function attempt({ file, run, size = { width: 1400, height: 900 } }, picture) {
  const page = await vscode.openWindow(file, { size });
  try {
    await run(page, { folder });
    return undefined;
  } catch (error) {
    writeFileSync(picture, await page.screenshot());
    return `${String(error.message).replaceAll("\n", "\n    ")}\n    ${picture}`;
  } finally {
    await page.context().close();
  }
}

let passed = 0;
let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const start = Date.now();
  const picture = join(host.repository, `out/window-${passed + failed + 1}-failed.png`);
  const first = await attempt(test, picture);
  if (first !== undefined) console.log(`  … ${name}, again in a new window after\n    ${first}`);
  // a window that lost a key or a click to the machine's load is none the user meets twice
  const reason = first === undefined ? undefined : await attempt(test, picture);
  if (reason === undefined) passed += 1;
  else failed += 1;
  console.log(reason === undefined ? `  ✓ ${name} (${Date.now() - start} ms)` : `  ✗ ${name}\n    ${reason}`);
}
await vscode.close();
scratch.remove();
if (passed + failed === 0) {
  console.error(`no test is called ${wanted.join(" or ")}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
