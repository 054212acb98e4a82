// Every action on the configurations of fixture files: node scripts/apply-configs.mjs <out.json> <file.py>…
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/configs.ts", process.argv.slice(2));
