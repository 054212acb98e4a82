// Puts adapters all over the model of examples/train.py by the built server: node scripts/apply-whole-model.mjs <out>.
import { runTypeScript } from "./build.mjs";

await runTypeScript("test/insertions/wholeModel.ts", process.argv.slice(2));
