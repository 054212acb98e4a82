// Applies every code action of the built server to the given model files: node scripts/apply-insertions.mjs <out> <file.py>…
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/apply.ts", process.argv.slice(2));
