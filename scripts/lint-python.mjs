// Checks the Python of the project: format and lint by ruff (WebAssembly), types by pyright.
// `--write` formats in place; paths limit the check to files under them.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { PositionEncoding, Workspace } from "@astral-sh/ruff-wasm-nodejs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const write = process.argv.includes("--write");
const chosen = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

/** The values of one table of pyproject.toml, which keeps to strings, numbers and lists of strings. */
function table(name) {
  const text = readFileSync(join(root, "pyproject.toml"), "utf8");
  const after = text.split(`[${name}]\n`)[1] ?? "";
  const body = after.split(/^\[/m)[0] ?? "";
  const pairs = body.matchAll(/^([\w-]+) = (.+)$/gm);
  return Object.fromEntries([...pairs].map(([, key, value]) => [key, JSON.parse(value)]));
}

function* pythonFiles(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "__pycache__")
      yield* pythonFiles(path);
    else if (entry.name.endsWith(".py")) yield path;
  }
}

const workspace = new Workspace(
  { ...table("tool.ruff"), lint: table("tool.ruff.lint") },
  PositionEncoding.Utf16,
);
const roots = chosen.length > 0 ? chosen : ["corpus/methods", "examples", "scripts", "test/python"];
const files = roots.flatMap((path) =>
  path.endsWith(".py") ? [join(root, path)] : [...pythonFiles(join(root, path))],
);
const problems = [];
for (const path of files) {
  const name = relative(root, path);
  const source = readFileSync(path, "utf8");
  try {
    const formatted = workspace.format(source);
    if (formatted !== source && write) writeFileSync(path, formatted);
    else if (formatted !== source)
      problems.push(`${name}: not formatted; run node scripts/lint-python.mjs --write`);
    for (const found of workspace.check(write ? formatted : source))
      problems.push(`${name}:${found.start_location.row}: ${found.code ?? "syntax"} ${found.message}`);
  } catch (error) {
    problems.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
for (const problem of problems) console.error(problem);
console.log(`${files.length} Python files: ${problems.length} problems of format and lint`);

/** Types need PyTorch: pyright reads it from the interpreter. */
function checkTypes() {
  const candidates = [process.env.LITLENS_PYTHON, join(root, ".cache/python/bin/python"), "/usr/bin/python3"];
  const python = candidates.find(
    (path) => path !== undefined && spawnSync(path, ["-c", "import torch"]).status === 0,
  );
  if (python === undefined) {
    console.error("types: no Python with PyTorch; npm test installs one, or set LITLENS_PYTHON");
    return false;
  }
  const arguments_ = ["--pythonpath", python, "--project", join(root, "pyproject.toml")];
  const pyright = join(dirname(require.resolve("pyright/package.json")), "index.js");
  const ran = spawnSync(process.execPath, [pyright, ...arguments_], { cwd: root, encoding: "utf8" });
  console.log(ran.stdout.trim().replaceAll(`${root}/`, ""));
  if (ran.stderr.trim() !== "") console.error(ran.stderr.trim());
  return ran.status === 0;
}

const typed = process.argv.includes("--no-types") || checkTypes();
process.exitCode = problems.length === 0 && typed ? 0 : 1;
