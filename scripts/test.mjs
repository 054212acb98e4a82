// `npm test`: installs what the tests need, runs everything, and ends with one line: N passed, N failed.
// `npm test -- unit vscode` runs the named steps alone.
import { join } from "node:path";
import { ensureChromium, ensureHost, ensureNeovim, ensureNodePackages, ensurePython } from "./install.mjs";
import { execute, explain, repository } from "./steps.mjs";

const bin = (name) => join(repository, "node_modules/.bin", name);
const node = (...parameters) => [process.execPath, ...parameters];

/** Reads the last counts that a runner printed; a check that counts nothing is one test. */
const counts = {
  check: (output, code) => ({ passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 }),
  nodeTest: (output) => ({
    passed: Number(/^\S+ pass (\d+)$/m.exec(output)?.[1] ?? 0),
    failed: Number(/^\S+ fail (\d+)$/m.exec(output)?.[1] ?? 0),
  }),
  pytest: (output) => {
    const last = output.trim().split("\n").at(-1) ?? "";
    const count = (word) => Number(new RegExp(`(\\d+) ${word}`).exec(last)?.[1] ?? 0);
    return { passed: count("passed"), failed: count("failed") + count("errors?") };
  },
  line: (output) => {
    const match = [...output.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
    return { passed: Number(match?.[1] ?? 0), failed: Number(match?.[2] ?? 0) };
  },
};

/** In order; the build comes before what runs bundles. `needs` is installed before the step. */
const steps = [
  { name: "typecheck", command: [bin("tsc"), "--noEmit"], count: counts.check },
  { name: "eslint", command: [bin("eslint"), "."], count: counts.check },
  { name: "format", command: [bin("prettier"), "--check", ".", "--log-level", "warn"], count: counts.check },
  { name: "build", command: node("scripts/build.mjs"), count: counts.check },
  { name: "python-lint", command: node("scripts/lint-python.mjs"), count: counts.check, needs: ["python"] },
  { name: "methods-table", command: node("scripts/methods-table.mjs", "--check"), count: counts.check },
  { name: "unit", command: node("scripts/test-unit.mjs"), count: counts.nodeTest, needs: ["python"] },
  {
    name: "python",
    command: (tools) => [tools.python, "-m", "pytest", "-p", "no:cacheprovider", "test/python"],
    count: counts.pytest,
    needs: ["python"],
  },
  {
    name: "insertions",
    command: (tools) => [tools.python, "-m", "pytest", "-p", "no:cacheprovider", "test/insertions"],
    count: counts.pytest,
    needs: ["python"],
  },
  { name: "neovim", command: node("test/neovim/run.mjs"), count: counts.line, needs: ["neovim"] },
  { name: "package", command: node("scripts/package.mjs", "--built"), count: counts.check, needs: ["host"] },
  { name: "vscode", command: node("test/vscode/run.mjs"), count: counts.line, needs: ["host", "chromium"] },
  { name: "web", command: node("test/vscode/web.mjs"), count: counts.line, needs: ["host", "chromium"] },
  {
    name: "window",
    command: node("test/vscode/window/run.mjs"),
    count: counts.line,
    needs: ["host", "chromium"],
  },
];

const installers = {
  host: ensureHost,
  chromium: ensureChromium,
  neovim: ensureNeovim,
  python: ensurePython,
};

/** Installs one thing at most once; what it gives (a path) or the error why not. */
const tools = {};
const problems = {};
async function provide(name) {
  if (name in tools || name in problems) return;
  try {
    tools[name] = (await installers[name]()) ?? true;
  } catch (error) {
    problems[name] = explain(error);
    console.error(problems[name]);
  }
}

async function runStep({ name, command, count, needs = [] }) {
  const start = Date.now();
  for (const need of needs) await provide(need);
  const missing = needs.filter((need) => need in problems);
  let counted = { passed: 0, failed: 1 };
  if (missing.length > 0) console.error(`✗ ${name} cannot run without ${missing.join(" and ")}`);
  else {
    console.log(`\n▸ ${name}`);
    const [program, ...parameters] = typeof command === "function" ? command(tools) : command;
    const environment = { LITLENS_PYTHON: tools.python, FORCE_COLOR: "0", NO_COLOR: "1" };
    const { code, output } = await execute(program, parameters, { echo: true, environment });
    counted = count(output, code);
    // A runner that died, or ran nothing, has not passed
    if ((code !== 0 || counted.passed === 0) && counted.failed === 0) counted.failed = 1;
  }
  return { name, ...counted, seconds: (Date.now() - start) / 1000 };
}

const wanted = process.argv.slice(2);
const known = steps.map(({ name }) => name);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`No step is called ${unknown.join(", ")}. Steps: ${known.join(", ")}.`);
  process.exit(2);
}

try {
  await ensureNodePackages();
} catch (error) {
  console.error(`${explain(error)}\n0 passed, 1 failed`);
  process.exit(1);
}
const results = [];
for (const step of steps)
  if (wanted.length === 0 || wanted.includes(step.name)) results.push(await runStep(step));

const total = (field) => results.reduce((sum, result) => sum + result[field], 0);
console.log("\nstep            passed  failed  seconds");
for (const { name, passed, failed, seconds } of results)
  console.log(
    `${failed > 0 ? "✗" : "✓"} ${name.padEnd(13)} ${String(passed).padStart(6)}  ${String(failed).padStart(6)}  ${seconds.toFixed(0).padStart(7)}`,
  );
console.log(`${total("passed")} passed, ${total("failed")} failed`);
process.exitCode = total("failed") > 0 ? 1 : 0;
