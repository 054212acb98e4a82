// Every quick fix of the rules' marked sources: node scripts/apply-fixes.mjs <out.json>
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/fixes.ts", process.argv.slice(2));
