// Steps of a long command: each says what it does, that it is still at it, how long it took, and what to do when it failed.
// Node's own modules only: this runs before anything is installed.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const repository = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

/** A step that cannot go on: what happened, and what the person may do about it. */
export class StepError extends Error {
  constructor(message, remedy, output = "") {
    super(message);
    this.remedy = remedy;
    this.output = output;
  }
}

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`;

/** Processes that run now, so that Ctrl+C ends them too. */
const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });

/**
 * Runs a program in the repository and gives its output and exit code. `echo` shows the output as it comes.
 * @param {string} command
 * @param {readonly string[]} parameters
 * @param {{echo?: boolean, folder?: string, environment?: Record<string, string | undefined>}} options
 */
export function execute(command, parameters, { echo = false, folder = repository, environment = {} } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      shell: process.platform === "win32",
    });
    running.add(child);
    let output = "";
    const take = (chunk) => {
      output += chunk;
      if (echo) process.stdout.write(chunk);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    child.once("error", (error) => {
      running.delete(child);
      resolve({ code: 127, output: `${output}${error.message}\n` });
    });
    child.once("close", (code) => {
      running.delete(child);
      resolve({ code: code ?? 1, output });
    });
  });
}

/** As `execute`, but a failure ends the step with this remedy. */
export async function must(remedy, command, parameters, options) {
  const result = await execute(command, parameters, options);
  if (result.code !== 0)
    throw new StepError(
      `\`${[command, ...parameters].join(" ")}\` ended with ${result.code}`,
      remedy,
      result.output,
    );
  return result.output;
}

/** Runs work that may take long, with a sign of life every 15 seconds. */
export async function step(title, work) {
  const start = Date.now();
  console.log(`▸ ${title} …`);
  const life = setInterval(() => console.log(`  still at it: ${title}, ${seconds(start)}`), 15_000);
  try {
    const result = await work();
    console.log(`✓ ${title}, ${seconds(start)}`);
    return result;
  } catch (error) {
    console.error(`✗ ${title}, ${seconds(start)}`);
    throw error instanceof StepError ? Object.assign(error, { step: title }) : error;
  } finally {
    clearInterval(life);
  }
}

/** What a person reads when a step could not be done. */
export function explain(error) {
  if (!(error instanceof StepError)) return String(error?.stack ?? error);
  const tail = error.output.trim().split("\n").slice(-25).join("\n");
  return [tail, `${error.step ?? "This step"} did not work: ${error.message}.`, `What to do: ${error.remedy}`]
    .filter(Boolean)
    .join("\n");
}
