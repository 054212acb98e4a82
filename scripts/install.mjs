// Installs what is missing, once: Node packages, the VS Code host, Chromium, Neovim, Python with PyTorch.
// Node's own modules only: this runs before anything is installed.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { StepError, execute, must, repository, step } from "./steps.mjs";

const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const network = "check that this machine reaches the npm registry (`npm ping`), then run the command again.";

/** Packages by path, as a lock file lists them. */
function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : undefined;
}

/** Whether node_modules holds each package of the lock file in its version; npm keeps its own list of what it installed. */
export function isInstalled(folder, lockName = "package-lock.json", { development = true } = {}) {
  const wanted = packagesOf(join(folder, lockName));
  const found = packagesOf(join(folder, "node_modules/.package-lock.json"));
  if (!wanted || !found) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional, dev, inBundle }]) =>
      path === "" ||
      optional ||
      inBundle ||
      (dev && !development) ||
      (found[path]?.version === version && existsSync(join(folder, path))),
  );
}

export async function ensureNodePackages() {
  if (isInstalled(repository)) return;
  await step("Installing Node packages (about half a minute)", () => must(network, npm, ["ci"]));
}

const hostFolder = join(repository, "test/vscode/host");
const vscodeFolder = join(hostFolder, "node_modules/code-server/lib/vscode");

/** Parts of VS Code that nothing here uses; 300 MB. */
const unused = [
  join(vscodeFolder, "node_modules/@github"),
  join(vscodeFolder, "node_modules/@microsoft/mxc-sdk"),
  join(vscodeFolder, "extensions/copilot"),
  join(hostFolder, `node_modules/node-linux-${process.arch}/include`),
];

/** VS Code's server and workbench, and the Node it runs on; in a folder of its own, so that users never pay for it. */
export async function ensureHost() {
  const supported = process.platform === "linux" && ["x64", "arm64"].includes(process.arch);
  if (!supported)
    throw new StepError(
      `the VS Code served in a browser runs on Linux x64 and arm64, this is ${process.platform} ${process.arch}`,
      "install desktop VS Code and its `code` command (in VS Code: Shell Command: Install 'code' command in PATH).",
    );
  if (!isInstalled(hostFolder))
    await step("Installing the VS Code host (about half a minute, 400 MB)", () =>
      must(network, npm, ["ci", "--ignore-scripts"], { folder: hostFolder }),
    );
  const trimmed = !existsSync(unused[0]);
  const complete =
    trimmed && existsSync(join(vscodeFolder, "node_modules/.package-lock.json")) && !existsSync(unused[1]);
  if (complete) return;
  await step("Installing VS Code's own packages (about 20 s)", async () => {
    // `npm ci` refuses the lock file that code-server carries
    await must(network, npm, ["install", "--omit=dev", "--ignore-scripts"], { folder: vscodeFolder });
    for (const path of unused) rmSync(path, { recursive: true, force: true });
  });
}

const isRootOnDebian = () =>
  process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");

/** Installs Debian packages; the package lists are fetched only when a first attempt finds none. */
async function installDebian(packages) {
  const remedy = `install them by hand (\`apt-get install ${packages.join(" ")}\`), then run the command again.`;
  const environment = { DEBIAN_FRONTEND: "noninteractive" };
  const parameters = ["-o", "DPkg::Lock::Timeout=600", "install", "-y", "--no-install-recommends"];
  const first = await execute("apt-get", [...parameters, ...packages], { environment });
  if (first.code === 0) return;
  await must(remedy, "apt-get", ["-o", "DPkg::Lock::Timeout=600", "update"], { environment });
  await must(remedy, "apt-get", [...parameters, ...packages], { environment });
}

/** Path of a program on the PATH. */
export function onPath(...names) {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

/** Chromium: from the system, from Debian, else the build that playwright downloads. Needs the host. */
export async function ensureChromium() {
  const { findChromium } = await import("../test/vscode/host.mjs");
  if (findChromium()) return;
  if (isRootOnDebian())
    await step("Installing Chromium (Debian)", () => installDebian(["chromium", "fonts-dejavu-core"]));
  else
    await step("Downloading Chromium", () =>
      must(
        "install Chromium or Chrome with your system's packages, or name one in LITLENS_CHROMIUM.",
        process.execPath,
        [join(hostFolder, "node_modules/playwright-core/cli.js"), "install", "chromium"],
      ),
    );
  if (!findChromium())
    throw new StepError("no Chromium found after its installation", "name one in LITLENS_CHROMIUM.");
}

export async function ensureNeovim() {
  if (onPath("nvim")) return;
  const remedy = "install Neovim 0.7 or later with your system's packages, so that `nvim` is on the PATH.";
  if (!isRootOnDebian()) throw new StepError("nvim is not on the PATH", remedy);
  await step("Installing Neovim (Debian)", () => installDebian(["neovim"]));
}

const needed = "import torch, numpy, pytest, yaml";
const virtualEnvironment = join(repository, ".cache/python");

/** First Python that has all of `needed`. */
async function findPython() {
  const candidates = [
    process.env.LITLENS_PYTHON,
    join(virtualEnvironment, "bin/python"),
    "/usr/bin/python3",
    "python3",
    "python",
  ].filter(Boolean);
  for (const candidate of candidates)
    if ((await execute(candidate, ["-c", needed])).code === 0) return candidate;
  return undefined;
}

/** A Python with PyTorch, NumPy, pytest and PyYAML: the system's, Debian's, else one in .cache/python. */
export async function ensurePython() {
  const found = await findPython();
  if (found) return found;
  if (isRootOnDebian()) {
    await step("Installing PyTorch and pytest (Debian)", () =>
      installDebian(["python3-torch", "python3-numpy", "python3-pytest", "python3-yaml"]),
    );
  } else {
    const remedy =
      "install Python 3.10 or later with torch, numpy, pytest and pyyaml, or name such a Python in LITLENS_PYTHON.";
    const python = join(virtualEnvironment, "bin/python");
    await step("Installing PyTorch and pytest (virtual environment in .cache/python)", async () => {
      await must(remedy, "python3", ["-m", "venv", virtualEnvironment]);
      const install = [...["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]];
      // The build without CUDA is a tenth of the size, but has an index of its own
      const light = await execute(python, [
        ...install,
        "torch",
        "--index-url",
        "https://download.pytorch.org/whl/cpu",
      ]);
      await must(remedy, python, [
        ...install,
        ...(light.code === 0 ? [] : ["torch"]),
        "numpy",
        "pytest",
        "pyyaml",
      ]);
    });
  }
  const installed = await findPython();
  if (!installed)
    throw new StepError(
      "no Python with torch, numpy, pytest and yaml after their installation",
      "name one in LITLENS_PYTHON.",
    );
  return installed;
}
