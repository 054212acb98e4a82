// `npm run bench`: runs test/bench/main.ts on the built server; `npm run bench -- retrieval` runs another file of test/bench.
import { existsSync } from "node:fs";
import { ensureNodePackages } from "./install.mjs";
import { execute } from "./steps.mjs";

await ensureNodePackages();
const { runTypeScript } = await import("./build.mjs");
const [first, ...rest] = process.argv.slice(2);
const named = first && !first.startsWith("--");
const entry = `test/bench/${named ? first : "main"}.ts`;
if (!existsSync(entry)) {
  console.error(`There is no ${entry}.`);
  process.exit(2);
}
if (!existsSync("dist/server/node.js")) {
  const { code, output } = await execute(process.execPath, ["scripts/build.mjs"]);
  if (code !== 0) {
    console.error(output);
    process.exit(code);
  }
}
await runTypeScript(entry, named ? rest : process.argv.slice(2));
