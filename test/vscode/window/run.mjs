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
let passed = 0;
let failed = 0;
for (const [name, { file, run, size = { width: 1400, height: 900 } }] of Object.entries(tests)) {
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  const start = Date.now();
  const page = await vscode.openWindow(file, { size });
  try {
    await run(page, { folder });
    passed += 1;
    console.log(`  ✓ ${name} (${Date.now() - start} ms)`);
  } catch (error) {
    failed += 1;
    mkdirSync(join(host.repository, "out"), { recursive: true });
    const picture = join(host.repository, `out/window-${failed}-failed.png`);
    writeFileSync(picture, await page.screenshot());
    console.log(`  ✗ ${name}\n    ${String(error.message).replaceAll("\n", "\n    ")}\n    ${picture}`);
  } finally {
    await page.context().close();
  }
}
await vscode.close();
scratch.remove();
if (passed + failed === 0) {
  console.error(`no test is called ${wanted.join(" or ")}`);
  failed = 1;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
