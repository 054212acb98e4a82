/** Edits of a notebook land in the cells that they belong to. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import { readPython } from "../../../server/src/python/document";
import { applied, serviceWith } from "./check";

test("a fix in a later cell of a notebook lands in that cell", async () => {
  const service = serviceWith("");
  const [first, second] = ["notebook-cell:/a#1", "notebook-cell:/a#2"];
  const text = "from peft import BoneConfig\n\nconfig = BoneConfig(r=8)\n";
  service.setNotebook("file:///a.ipynb", [
    { uri: first, languageId: "python", version: 1, text: "%matplotlib inline\nx = 1\n" },
    { uri: second, languageId: "python", version: 1, text },
  ]);
  assert.deepEqual(await service.diagnose(first), []);
  const diagnostics = (await service.diagnose(second)) ?? [];
  assert.deepEqual(
    diagnostics.map(({ range }) => range),
    [{ start: { line: 0, character: 17 }, end: { line: 0, character: 27 } }],
  );
  const range = { start: { line: 0, character: 20 }, end: { line: 0, character: 20 } };
  const [fix] = service.codeActions(second, range, { diagnostics, only: ["quickfix"] });
  assert.deepEqual(applied(fix?.edit, { [second]: text }), {
    [second]: "from peft import MissConfig\n\nconfig = MissConfig(r=8)\n",
  });
});

type Cells = Readonly<Record<string, string>>;

/** A program as a notebook: a cell for each class and function, one for the imports, one for the rest of a line of code. */
function cellsOf(program: string): Cells {
  const parts = program.split(/\n{3,}(?=\S)/).map((part) => part.replace(/\n+$/, ""));
  return Object.fromEntries(parts.map((text, index) => [`notebook-cell:/a#${index}`, text]));
}

function serviceOn(cells: Cells): ReturnType<typeof serviceWith> {
  const service = serviceWith("");
  service.setNotebook(
    "file:///a.ipynb",
    Object.entries(cells).map(([cell, text]) => ({ uri: cell, languageId: "python", version: 1, text })),
  );
  return service;
}

/** All that is offered in a cell. */
function offered(service: ReturnType<typeof serviceWith>, cells: Cells, cell: string): CodeAction[] {
  const end = TextDocument.create(cell, "python", 1, cells[cell] ?? "").positionAt(Infinity);
  const range = { start: { line: 0, character: 0 }, end };
  return service.codeActions(cell, range, { diagnostics: [], only: ["refactor.rewrite.adapter"] });
}

const joined = (cells: Cells): string => Object.values(cells).join("\n\n\n");

for (const [name, built] of [
  ["gpt", "model = GPT(GPTConfig())"],
  ["unet", "model = UNet()"],
] as const) {
  test(`what is offered in the cells of a notebook goes in and out again: ${name}`, async () => {
    const cells = cellsOf(`${readFileSync(`examples/${name}.py`, "utf8").trimEnd()}\n\n\n${built}`);
    const last = Object.keys(cells).length - 1;
    const tried: string[] = [];
    for (const cell of Object.keys(cells)) {
      const service = serviceOn(cells);
      const one = new Map(offered(service, cells, cell).map((each) => [placeOf(each), each]));
      for (const action of one.values()) {
        if (action.disabled !== undefined || !isRecord(action.data)) continue;
        const { edit } = await service.resolveCodeAction(action);
        const after = { ...cells, ...applied(edit, cells) };
        assert.deepEqual(Object.keys(after), Object.keys(cells), action.title);
        assert.notDeepEqual(after, cells, action.title);
        assert.deepEqual(readPython(joined(after)).facts.unread, [], action.title);
        tried.push(`${cell.slice(cell.indexOf("#") + 1)} ${action.title}`);
        if (!/^(?:linear|conv|embedding|block-output|skip):/.test(placeOf(action))) continue;
        assert.deepEqual(await withoutAdapters(after), cells, `${action.title}, taken out again`);
      }
    }
    const across = tried.filter((each) => /^\d+ Adapt .* across `model`/.test(each));
    assert.deepEqual([...new Set(across.map((each) => Number.parseInt(each)))], [last], tried.join("\n"));
    assert.ok(tried.length > 12, tried.join("\n"));
  });
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** `linear:Block:c_fc` of an action's data. */
const placeOf = ({ data }: CodeAction): string =>
  isRecord(data) && typeof data["site"] === "string" ? data["site"].replace(/^\w+@/, "") : "";

async function withoutAdapters(cells: Cells): Promise<Cells> {
  let current = cells;
  for (let round = 0; round < 30; round++) {
    const service = serviceOn(current);
    const removals = Object.keys(current).flatMap((cell) =>
      offered(service, current, cell).filter(({ kind }) => kind?.endsWith(".remove") === true),
    );
    const [removal] = removals;
    if (removal === undefined) return current;
    const { edit } = await service.resolveCodeAction(removal);
    current = { ...current, ...applied(edit, current) };
  }
  return current;
}
