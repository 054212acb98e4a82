// Bundles a suite for an extension host: Mocha, helpers and tests in one file.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as esbuild from "esbuild";
import { repository } from "./host.mjs";

/** Mocha's package says that its build for browsers is an ES module; bundled as one, it overwrites our exports. */
const mochaAsCommonJs = {
  name: "mocha-as-commonjs",
  setup(build) {
    const path = join(repository, "node_modules/mocha/mocha.js");
    build.onResolve({ filter: /^mocha\/mocha\.js$/ }, () => ({ path, namespace: "commonjs" }));
    build.onLoad({ filter: /.*/, namespace: "commonjs" }, () => ({ contents: readFileSync(path, "utf8") }));
  },
};

/** Gives the path of the bundle. */
export async function bundleSuite(entry, platform) {
  const outfile = join(repository, `out/vscode/${entry}.js`);
  await esbuild.build({
    entryPoints: [join(repository, `test/vscode/suite/${entry}.ts`)],
    outfile,
    bundle: true,
    platform,
    target: platform === "node" ? "node20" : "es2022",
    format: "cjs",
    external: ["vscode"],
    plugins: [mochaAsCommonJs],
    loader: { ".py": "text", ".txt": "text" },
    sourcemap: "inline",
    logLevel: "warning",
    // Mocha's build for browsers refers to them
    define: platform === "browser" ? { global: "globalThis" } : {},
  });
  return outfile;
}

/** Prints what a suite did, and gives its counts; a result that is missing is a failure, whatever the exit code said. */
export function printResult(name, result, log) {
  if (!result) {
    console.error(
      `✗ ${name}: the extension host ended without a result. The last of its log:\n${log.slice(-6000)}`,
    );
    return { passed: 0, failed: 1 };
  }
  console.log(`\n${name}`);
  for (const { title, milliseconds } of result.passed) console.log(`  ✓ ${title} (${milliseconds} ms)`);
  for (const { title, error } of result.failed)
    console.log(`  ✗ ${title}\n    ${error.replace(/\n/g, "\n    ")}`);
  for (const [figure, value] of Object.entries(result.figures))
    console.log(`  ${figure}: ${value.toFixed(1)} ms`);
  if (result.passed.length + result.failed.length === 0) {
    console.error(`✗ ${name}: the suite ran no test`);
    return { passed: 0, failed: 1 };
  }
  return { passed: result.passed.length, failed: result.failed.length };
}
