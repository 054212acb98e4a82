// One method at every place of the given model files, put in and taken out: node scripts/apply-patterns.mjs <out.json> <file.py>…
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/patterns.ts", process.argv.slice(2));
