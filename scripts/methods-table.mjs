// Writes docs/METHODS.md and docs/RULES.md from the corpus; --check compares instead.
import { runTypeScript } from "./build.mjs";

await runTypeScript("corpus/build/methodsTable.ts", process.argv.slice(2));
