// Bundles test/unit and test/lsp and runs them with node's own test runner. Arguments narrow by path: `npm run test:unit -- python`.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";

/** Test files under a folder, recursively. */
function testsUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

const wanted = process.argv.slice(2);
const entryPoints = ["test/unit", "test/lsp"]
  .flatMap(testsUnder)
  .filter((path) => wanted.length === 0 || wanted.some((part) => path.includes(part)));
if (entryPoints.length === 0) {
  console.error(`No test file has ${wanted.join(" or ")} in its path.`);
  process.exit(2);
}
const outdir = `out/tests-${process.pid}`;
await esbuild.build({
  entryPoints,
  outdir,
  outbase: "test",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  outExtension: { ".js": ".mjs" },
  packages: "external",
  sourcemap: "inline",
});
const files = entryPoints.map((path) => join(outdir, path.replace(/^test\//, "").replace(/\.ts$/, ".mjs")));
const { status } = spawnSync(
  process.execPath,
  ["--enable-source-maps", "--test", "--test-reporter=spec", ...files],
  { stdio: "inherit" },
);
rmSync(outdir, { recursive: true, force: true });
process.exit(status ?? 1);
