// Compiles the corpus, then bundles client and server into dist/. `--watch` rebundles on change, `--dev` keeps source maps.
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import * as esbuild from "esbuild";

const development = process.argv.includes("--dev") || process.argv.includes("--watch");
const node = { platform: "node", target: "node20", format: "cjs" };
const browser = { platform: "browser", target: "es2022", format: "cjs" };

/** `import text from "litlens:corpus.json"` embeds dist/corpus.json as text, for what cannot read files: the worker, the extension. */
const embeddedAssets = {
  name: "embedded-assets",
  setup(bundle) {
    bundle.onResolve({ filter: /^litlens:/ }, ({ path }) => ({
      path: path.slice("litlens:".length),
      namespace: "litlens",
    }));
    bundle.onLoad({ filter: /.*/, namespace: "litlens" }, ({ path }) => ({
      contents: readFileSync(`dist/${path}`, "utf8"),
      loader: "text",
    }));
  },
};

/** Loads what libraries import for transports that the server does not have, when something of it is used. */
const lazyBuiltins = {
  name: "lazy-builtins",
  setup(bundle) {
    bundle.onResolve({ filter: /^(node:)?(child_process|crypto)$/ }, ({ path, namespace }) =>
      namespace === "lazy" ? { path, external: true } : { path, namespace: "lazy" },
    );
    bundle.onLoad({ filter: /.*/, namespace: "lazy" }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get: (_, name) => require(${JSON.stringify(path)})[name] });`,
    }));
  },
};

/** Entry → bundle; entries that do not exist yet are left out. */
const bundles = [
  {
    entry: "server/src/node/main.ts",
    outfile: "dist/server/node.js",
    ...node,
    banner: { js: "#!/usr/bin/env node" },
  },
  { entry: "server/src/node/serve.ts", outfile: "dist/server/serve.js", ...node, plugins: [lazyBuiltins] },
  {
    entry: "server/src/browser/main.ts",
    outfile: "dist/server/browser.js",
    ...browser,
    format: "iife",
    plugins: [embeddedAssets],
  },
  {
    entry: "client/src/node/extension.ts",
    outfile: "dist/client/node.js",
    ...node,
    external: ["vscode"],
    plugins: [embeddedAssets],
  },
  {
    entry: "client/src/browser/extension.ts",
    outfile: "dist/client/browser.js",
    ...browser,
    external: ["vscode"],
    plugins: [embeddedAssets],
  },
  {
    entry: "client/src/webview/paperPage.ts",
    outfile: "dist/client/paperPage.js",
    ...browser,
    format: "iife",
  },
  { entry: "client/src/webview/paperPage.css", outfile: "dist/client/paperPage.css" },
  {
    entry: "client/src/webview/comparisonPage.ts",
    outfile: "dist/client/comparisonPage.js",
    ...browser,
    format: "iife",
  },
  { entry: "client/src/webview/comparisonPage.css", outfile: "dist/client/comparisonPage.css" },
].filter(({ entry }) => existsSync(entry));

/** Runs a TypeScript program of this repository: bundle in memory, execute, pass its exit code on. */
export async function runTypeScript(entry, args = []) {
  const outfile = `out/${entry.replace(/[/.]/g, "-")}.mjs`;
  await esbuild.build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    sourcemap: "inline",
  });
  const { status } = spawnSync(process.execPath, ["--enable-source-maps", outfile, ...args], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** One letter beyond Latin 1 doubles what a process holds of a whole text. */
function toAscii(file) {
  const escape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  writeFileSync(file, readFileSync(file, "utf8").replace(/[\u0080-\uffff]/g, escape));
}

export async function build() {
  if (existsSync("corpus/build/main.ts"))
    await runTypeScript("corpus/build/main.ts", development ? ["--lenient"] : []);
  if (existsSync("dist/corpus.json")) toAscii("dist/corpus.json");
  const contexts = await Promise.all(
    bundles.map(({ entry, ...options }) =>
      esbuild.context({
        entryPoints: [entry],
        bundle: true,
        minify: !development,
        sourcemap: development ? "linked" : false,
        legalComments: "none",
        loader: { ".json": "json" },
        logLevel: "warning",
        ...options,
      }),
    ),
  );
  for (const context of contexts) {
    if (process.argv.includes("--watch")) await context.watch();
    else {
      await context.rebuild();
      await context.dispose();
    }
  }
  if (existsSync("dist/server/serve.js")) toAscii("dist/server/serve.js");
  if (existsSync("dist/server/node.js")) chmodSync("dist/server/node.js", 0o755);
}

if (import.meta.url === `file://${process.argv[1]}`) await build();
