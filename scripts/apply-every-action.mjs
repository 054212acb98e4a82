// Every adapter that is offered in the given model files: node scripts/apply-every-action.mjs <out.jsonl> <file.py>…
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/everyAction.ts", process.argv.slice(2));
