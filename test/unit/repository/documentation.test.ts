/** Documentation says what is there: paths exist, settings and scripts are listed, pictures are made by a script. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as v from "valibot";

const read = (path: string): string => readFileSync(path, "utf8");
const manifest = v.parse(
  v.object({
    scripts: v.record(v.string(), v.string()),
    contributes: v.object({
      commands: v.array(v.object({ command: v.string() })),
      configuration: v.object({ properties: v.record(v.string(), v.unknown()) }),
      keybindings: v.optional(v.array(v.unknown())),
    }),
  }),
  JSON.parse(read("package.json")),
);

/** Paths in backticks, and the tree at the top: `server/src/python/`, `node/main.ts` below `server/src/`. */
function pathsNamed(text: string): string[] {
  const quoted = [...text.matchAll(/`([\w.-]+(?:\/[\w.<>*-]*)+)`/g)].map((match) => match[1] ?? "");
  const tree = /```\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  let top = "";
  const drawn = tree.split("\n").flatMap((line) => {
    const named = /^( *)(\S.*?)(?: {2,}.*)?$/.exec(line);
    if (named === null) return [];
    const entries = (named[2] ?? "").split(/,? +/).filter((entry) => /[/.]/.test(entry));
    if (named[1] === "") {
      [top = ""] = entries;
      return entries.map((entry) => entry.replace(/<.*/, ""));
    }
    return entries.map((entry) => `${top}${entry.replace(/<.*/, "")}`);
  });
  return [...quoted, ...drawn];
}

const exists = (path: string): boolean =>
  existsSync(path) ||
  [
    "server/src/",
    "server/src/adapters/",
    "server/src/python/",
    "server/src/literature/",
    "server/src/lsp/",
  ].some((folder) => existsSync(folder + path));

test("every path that the architecture names exists", () => {
  const text = read("docs/ARCHITECTURE.md");
  const paths = pathsNamed(text).filter((path) => !/[<*]/.test(path) && !path.startsWith("dist/"));
  assert.ok(paths.length > 40, `only ${paths.length} paths were found: the page's form has changed`);
  assert.deepEqual(
    paths.filter((path) => !exists(path)),
    [],
  );
});

test("the README lists every setting, and there are at most fifteen", () => {
  const readme = read("README.md");
  const settings = Object.keys(manifest.contributes.configuration.properties);
  assert.deepEqual(
    settings.filter((name) => !readme.includes(`\`${name}\``)),
    [],
  );
  assert.ok(settings.length <= 15);
});

test("no key is taken from the user", () => assert.deepEqual(manifest.contributes.keybindings ?? [], []));

test("every picture of the README is there, and every command of the docs is a script", () => {
  const pages = ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md"].map(read).join("\n");
  const pictures = [...pages.matchAll(/\]\((docs\/images\/[^)]+)\)/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    pictures.filter((picture) => !existsSync(picture)),
    [],
  );
  const scripts = [...pages.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? "");
  assert.deepEqual(
    scripts.filter((script) => !(script in manifest.scripts)),
    [],
  );
});
