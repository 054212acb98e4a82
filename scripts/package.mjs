// `npm run package`: builds the VSIX and checks what is in it: bundles only, and no larger than its budget.
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { ensureHost, ensureNodePackages } from "./install.mjs";
import { StepError, explain, must, repository, step } from "./steps.mjs";

const budget = 2_000_000;

/** What a user's VS Code gets; everything else is a mistake in .vscodeignore. */
const allowed = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|package\.nls\.json|readme\.md|changelog\.md|LICENSE(\.txt|\.md)?)$/i,
  /^extension\/(images|media)\/[\w.-]+\.(png|svg)$/,
  /^extension\/icon\.png$/,
  /^extension\/dist\/[\w./-]+\.(js|json|css|svg|py|md|txt|wasm)$/,
  /^extension\/corpus\/schema\/[\w.-]+\.json$/,
];

/** What it cannot do without. */
const required = [
  "extension/package.json",
  "extension/dist/client/node.js",
  "extension/dist/client/browser.js",
  "extension/dist/server/node.js",
  "extension/dist/server/browser.js",
];

/** Names of the files in a ZIP archive, from its central directory. */
export function namesInZip(file) {
  const bytes = readFileSync(file);
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  const names = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
    names.push(bytes.toString("utf8", at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}

function check(file) {
  const names = namesInZip(file).filter((name) => !name.endsWith("/"));
  const foreign = names.filter((name) => !allowed.some((pattern) => pattern.test(name)));
  if (foreign.length > 0)
    throw new StepError(`the VSIX holds ${foreign.slice(0, 10).join(", ")}`, "add them to .vscodeignore.");
  const missing = required.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw new StepError(`the VSIX lacks ${missing.join(", ")}`, "see .vscodeignore and scripts/build.mjs.");
  const { size } = statSync(file);
  console.log(`  ${names.length} files, ${(size / 1000).toFixed(0)} kB of ${budget / 1000} kB`);
  if (size > budget)
    throw new StepError(`the VSIX has ${size} bytes, its budget is ${budget}`, "see what grew in dist/.");
}

try {
  await ensureNodePackages();
  if (!process.argv.includes("--built"))
    await step("Building Litlens", () =>
      must("read the message above; it names the file.", process.execPath, ["scripts/build.mjs"]),
    );
  if (process.platform === "linux") await ensureHost();
  const { newNodeFolder } = await import("../test/vscode/host.mjs");
  const { name, version } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8"));
  const file = join(repository, `${name}-${version}.vsix`);
  await step("Packing the VSIX", async () => {
    for (const old of readdirSync(repository).filter((entry) => entry.endsWith(".vsix")))
      rmSync(join(repository, old));
    // The README's pictures are as large as the budget: it goes without them, so what is packed is gathered first
    const staging = join(repository, "out/vsix");
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { recursive: true });
    for (const part of [".vscodeignore", "package.json", "CHANGELOG.md", "LICENSE", "images", "dist"])
      cpSync(join(repository, part), join(staging, part), { recursive: true });
    const readme = readFileSync(join(repository, "README.md"), "utf8");
    writeFileSync(join(staging, "README.md"), readme.replace(/^!\[.*\]\(docs\/images\/.*\)\n/gm, ""));
    await must(
      "read the message above; it comes from @vscode/vsce.",
      join(repository, "node_modules/.bin/vsce"),
      [
        ...["package", "--no-dependencies", "--allow-missing-repository", "--out", file],
        "--no-rewrite-relative-links",
      ],
      { folder: staging, environment: { PATH: `${newNodeFolder}${delimiter}${process.env.PATH}` } },
    );
    check(file);
  });
  console.log(file);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
