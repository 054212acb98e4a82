/** `npm run bench`: what the product takes, against the budgets. Figures, never a verdict: machines differ. `--json` for programs. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { generateModel, numbers } from "./model";
import { startServer, type Server } from "./server";

interface Row {
  readonly what: string;
  readonly unit: "ms" | "MB";
  readonly budget: number;
  readonly measured: number;
  readonly median?: number;
}

const rows: Row[] = [];
const storage = mkdtempSync(join(tmpdir(), "litlens-bench-"));

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b);
const percentile = (values: readonly number[], share: number) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
const worst = (values: readonly number[]) => Math.max(...values);
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Times each of `inputs` after a warm-up with the first few. */
async function times<T>(inputs: readonly T[], work: (input: T) => Promise<unknown>): Promise<number[]> {
  for (const input of inputs.slice(0, 20)) await work(input);
  const values: number[] = [];
  for (const input of inputs) values.push(await time(() => work(input)));
  return values;
}

function report(
  what: string,
  budget: number,
  values: readonly number[],
  figure = percentile(values, 0.95),
): void {
  rows.push({ what, unit: "ms", budget, measured: figure, median: percentile(values, 0.5) });
}

interface Place {
  readonly line: number;
  readonly character: number;
}

/** Every place of a pattern in a text, just inside it. */
function places(text: string, pattern: RegExp, inside = 1): Place[] {
  return text
    .split("\n")
    .flatMap((content, line) =>
      [...content.matchAll(pattern)].map((match) => ({ line, character: match.index + inside })),
    );
}

/** `count` of them, spread by the generator. */
function sample<T>(all: readonly T[], count: number): T[] {
  const next = numbers(7);
  return Array.from({ length: count }, () => all[next(all.length)]).filter((one) => one !== undefined);
}

const uri = "file:///bench/model.py";
const text = generateModel(3000);
const lineCount = text.split("\n").length;

const hoverAt = (server: Server, position: Place, document = uri) =>
  server.request("textDocument/hover", { textDocument: { uri: document }, position });

/** What an empty Node process takes, where the budgets were set and here: what is over by this much is the machine's. */
const emptyProcessOfBudgets = 62;
const emptyProcess = percentile(
  Array.from({ length: 11 }, () => {
    const start = performance.now();
    execFileSync(process.execPath, ["-e", "0"]);
    return performance.now() - start;
  }),
  0.5,
);
const pace = emptyProcess / emptyProcessOfBudgets;

async function startUp(): Promise<void> {
  const values: number[] = [];
  const example = readFileSync("examples/finetune_peft.py", "utf8");
  const [position] = places(example, /LoraConfig\(/g);
  if (!position) throw new Error("examples/finetune_peft.py has no LoraConfig(");
  for (let round = 0; round < 11; round++) {
    const start = performance.now();
    const server = await startServer(storage);
    await server.open("file:///bench/finetune_peft.py", example);
    const answer = await hoverAt(server, position, "file:///bench/finetune_peft.py");
    values.push(performance.now() - start);
    if (answer === null) throw new Error("no hover over LoraConfig in examples/finetune_peft.py");
    await server.stop();
  }
  report("start of the process to first useful hover, median of 11", 220, values, percentile(values, 0.5));
}

async function examples(server: Server): Promise<void> {
  const values: number[] = [];
  for (const name of readdirSync("examples").filter((entry) => entry.endsWith(".py"))) {
    const source = readFileSync(join("examples", name), "utf8");
    const document = `file:///bench/examples/${name}`;
    await server.open(document, source);
    const found = places(source, /\b(?:nn\.\w+|LoraConfig|get_peft_model|\w+\.forward)\b/g, 3);
    if (found.length > 0)
      values.push(...(await times(sample(found, 100), (position) => hoverAt(server, position, document))));
  }
  report("hover, examples, p95", 5, values);
}

async function longFile(server: Server): Promise<void> {
  await server.open(uri, text);
  const layers = places(text, /nn\.(?:Linear|Conv2d|Embedding|LayerNorm)\(/g, 4);
  const calls = places(text, /LoraConfig\(/g, "LoraConfig(".length);
  const names = places(text, /LoraConfig|get_peft_model/g);
  await hoverAt(server, layers[0] ?? { line: 0, character: 0 });

  const hovered = sample([...layers, ...names], 500);
  report(`hover, ${lineCount} lines, p95`, 5, await times(hovered, (position) => hoverAt(server, position)));

  const completed = sample([...calls, ...layers], 200);
  report(
    `completion, ${lineCount} lines, p95`,
    10,
    await times(completed, (position) =>
      server.request("textDocument/completion", { textDocument: { uri }, position }),
    ),
  );

  const actionsAt = (position: Place) =>
    server.request("textDocument/codeAction", {
      textDocument: { uri },
      range: { start: position, end: position },
      context: { diagnostics: [], only: ["refactor.rewrite.adapter"] },
    });
  const linears = places(text, /nn\.Linear\(/g, 4);
  report(`code actions, ${lineCount} lines, p95`, 10, await times(sample(linears, 200), actionsAt));

  const unresolved: unknown[] = [];
  for (const position of sample(linears, 15)) {
    const answer = await actionsAt(position);
    const actions: readonly object[] = Array.isArray(answer) ? answer : [];
    unresolved.push(...actions.filter((action) => !("disabled" in action)));
  }
  if (unresolved.length === 0) throw new Error("no code action at nn.Linear in the generated file");
  report(
    `resolving an insertion, ${lineCount} lines, p95`,
    30,
    await times(sample(unresolved, 60), (action) => server.request("codeAction/resolve", action)),
  );
}

/** One who types a character at the start of some line, takes it back, and looks at some layer. */
function typist(server: Server) {
  let version = 1;
  const next = numbers(99);
  const layers = places(text, /nn\.(?:Linear|Conv2d)\(/g, 4);
  return {
    edit: (line: number) => {
      version++;
      const start = { line, character: 0 };
      const typed = version % 2 === 0;
      const end = typed ? start : { line, character: 1 };
      return server.change(uri, version, [{ range: { start, end }, text: typed ? "#" : "" }]);
    },
    hover: () => hoverAt(server, layers[next(layers.length)] ?? { line: 0, character: 0 }),
  };
}

async function edits(server: Server): Promise<void> {
  const next = numbers(101);
  const { edit, hover } = typist(server);
  const editThenHover = async (line: number) => {
    await edit(line);
    await hover();
  };
  const lines = Array.from({ length: 150 }, () => next(lineCount - 1)).flatMap((line) => [line, line]);
  report(`edit then hover at once, ${lineCount} lines, p95`, 8, await times(lines, editThenHover));

  const paused: number[] = [];
  for (let round = 0; round < 20; round++) {
    await edit(lines[round] ?? 0);
    await pause(100 + next(500));
    paused.push(await time(hover));
  }
  report("hover after a pause of 0.1 to 0.6 s, worst of 20", 15, paused, worst(paused));
}

/** Resident memory of a server that did nothing else: the bundled corpus, the long file, 1,000 edits, a hover after every tenth. */
async function memory(): Promise<void> {
  const values: number[] = [];
  for (let run = 0; run < 3; run++) {
    const server = await startServer(storage);
    await server.open(uri, text);
    const { edit, hover } = typist(server);
    const next = numbers(4711 + run);
    for (let round = 0; round < 500; round++) {
      const line = next(lineCount - 1);
      await edit(line);
      await edit(line);
      if (round % 5 === 0) await hover();
    }
    await hover();
    const resident = server.memory();
    if (resident !== undefined) values.push(resident);
    await server.stop();
  }
  if (values.length > 0)
    rows.push({
      what: "server memory after 1,000 edits, median of 3",
      unit: "MB",
      budget: 110,
      measured: percentile(values, 0.5),
    });
}

async function palette(server: Server): Promise<void> {
  const phrases = [
    "compacter kronecker layers",
    "low rank adaptation",
    "prompt tuning",
    "diffusion edit skip",
  ];
  const typed = phrases.flatMap((phrase) => Array.from(phrase, (_, index) => phrase.slice(0, index + 1)));
  const search = (query: string) => server.request("litlens/searchPapers", { query, limit: 20 });
  report("palette keystroke, bundled corpus, p95", 5, await times(typed, search));
}

function size(): void {
  const name = readdirSync(".").find((entry) => entry.endsWith(".vsix"));
  if (name)
    rows.push({ what: `size of ${name}`, unit: "MB", budget: 2, measured: statSync(name).size / 1e6 });
  else console.error("VSIX size left out: run `npm run package` first.");
}

/** activate() in a real extension host; needs the VS Code host that `npm test` installs. */
function activation(): void {
  const file = join(storage, "figures.json");
  try {
    execFileSync(process.execPath, ["test/vscode/run.mjs", "activation"], {
      env: { ...process.env, LITLENS_FIGURES: file },
      stdio: "ignore",
    });
    const figures: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (typeof figures === "object" && figures !== null && "activate" in figures)
      rows.push({ what: "activate()", unit: "ms", budget: 30, measured: Number(figures.activate) });
  } catch (error) {
    console.error(`activate() left out: ${error instanceof Error ? error.message : String(error)}`);
  }
}

await startUp();
const server = await startServer(storage);
await examples(server);
await longFile(server);
await palette(server);
await edits(server);
await server.stop();
await memory();
size();
activation();
rmSync(storage, { recursive: true, force: true });

// Other work on the machine spoils the figures: the reader has to see it
const machine = `Node ${process.version}, ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1) ?? "?"} at the end
An empty Node process takes ${emptyProcess.toFixed(0)} ms here, ${emptyProcessOfBudgets} ms where the budgets were set; "paced" is the ratio at that speed.`;
if (process.argv.includes("--json")) console.log(JSON.stringify(rows, null, 2));
else {
  console.log(machine);
  const width = Math.max(...rows.map(({ what }) => what.length));
  const cell = (value: string) => value.padStart(10);
  console.log(`${"".padEnd(width)}${["budget", "measured", "ratio", "paced", "median"].map(cell).join("")}`);
  for (const { what, unit, budget, measured, median } of rows) {
    const figures = [
      `${budget} ${unit}`,
      `${measured.toFixed(1)} ${unit}`,
      (measured / budget).toFixed(2),
      unit === "ms" ? (measured / budget / pace).toFixed(2) : "",
      median === undefined ? "" : `${median.toFixed(1)} ${unit}`,
    ];
    console.log(`${what.padEnd(width)}${figures.map(cell).join("")}${measured > budget ? "  over" : ""}`);
  }
}
