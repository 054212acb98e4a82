/** The command `litlens-language-server`. */
import { join } from "node:path";
import * as v8 from "node:v8";
import { version } from "../../../package.json";
import { runKept } from "./codeCache";

const help = `litlens-language-server ${version}: papers and adapters for PyTorch model code, over the Language Server Protocol

  --stdio     talk over standard input and output
  --node-ipc  talk over the channel of a parent Node process
  --version   print the version
  --help      print this text
`;

/** Given by clients so that the server ends with them; the connection reads it. */
const parentProcess = /^--clientProcessId=\d+$/;
const transports = ["--stdio", "--node-ipc"];

function main(options: readonly string[]): void {
  if (options.includes("--help")) process.stdout.write(help);
  else if (options.includes("--version")) process.stdout.write(`${version}\n`);
  else {
    const unknown = options.find((option) => !transports.includes(option) && !parentProcess.test(option));
    if (unknown !== undefined) refuse(`unknown option ${unknown}`);
    else if (!options.some((option) => transports.includes(option)))
      refuse("--stdio or --node-ipc is missing");
    else serve();
  }
}

function refuse(reason: string): void {
  process.stderr.write(`litlens-language-server: ${reason}\n\n${help}`);
  process.exitCode = 2;
}

/**
 * Each edit makes a new text and drops the old one. Left alone, V8 lets such garbage pile up to several times what
 * lives: a young generation that keeps its size and an old one that grows by two fifths at a time keep the process small.
 */
function staySmall(): void {
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  v8.setFlagsFromString("--heap-growing-percent=40");
}

function serve(): void {
  staySmall();
  runKept(join(__dirname, "serve.js"), require);
}

main(process.argv.slice(2));
