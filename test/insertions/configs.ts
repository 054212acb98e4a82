/**
 * Every action on every configuration of fixture files, carried out by the language service: for Python to judge.
 * Usage: node configs.mjs <out.json> <file.py>…
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { TextDocument } from "vscode-languageserver-textdocument";
import { applied, serviceWith, uri } from "../unit/adapters/check";

const [out = "", ...files] = process.argv.slice(2);
const tried: { readonly file: string; readonly title: string; readonly edited: string }[] = [];
for (const path of files) {
  const text = readFileSync(path, "utf8");
  const service = serviceWith(text);
  const document = TextDocument.create(uri, "python", 1, text);
  for (const { index } of text.matchAll(/Config\(|get_peft_model\(|from_pretrained\(|AdamW\(/g)) {
    const position = document.positionAt(index);
    const actions = service.codeActions(
      uri,
      { start: position, end: position },
      { diagnostics: [], only: ["refactor.rewrite.config"] },
    );
    for (const action of actions.filter(({ disabled }) => disabled === undefined)) {
      const { edit } = await service.resolveCodeAction(action);
      const edited = applied(edit, { [uri]: text })[uri] ?? "";
      tried.push({ file: basename(path), title: action.title, edited });
    }
  }
}
writeFileSync(out, JSON.stringify(tried));
console.log(`${tried.length} edits of ${files.length} files`);
