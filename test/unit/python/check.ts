/** Reading marked Python: `|` is the cursor, a line of `^^^` marks the range above it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type PythonDocument, readPython } from "../../../server/src/python/document";
import type { Layer, ModuleClass, PythonFacts, Range } from "../../../server/src/python/facts";

/** The facts of a text. */
export function read(text: string): PythonFacts {
  return readPython(text).facts;
}

/** A text whose `|` is the cursor. */
export function cursor(marked: string): { text: string; offset: number; facts: PythonFacts } {
  const offset = marked.indexOf("|");
  assert.notEqual(offset, -1, "no cursor in the text");
  const text = marked.slice(0, offset) + marked.slice(offset + 1);
  return { text, offset, facts: read(text) };
}

/** The source of a range. */
export function source(text: string, range: Range | undefined): string | undefined {
  return range && text.slice(range.from, range.to);
}

/** The module class of this name. */
export function moduleOf(facts: PythonFacts, name: string): ModuleClass {
  const found = facts.modules.find((module) => module.name === name);
  assert.ok(found, `no module class ${name} among ${facts.modules.map((module) => module.name).join(", ")}`);
  return found;
}

/** Layers as `path: type(size=…)`, one a line, with form, count and a mark for an obstacle or a tie. */
export function layerLines(module: ModuleClass): string[] {
  return module.layers.map(layerLine);
}

function layerLine({ path, type, sizes, form, count, obstacle, tie }: Layer): string {
  const written = Object.entries(sizes).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const times = count === undefined ? "" : ` ×${count}`;
  return `${path}: ${type.replace("torch.nn.", "nn.")}(${written.join(", ")}) ${form}${times}${obstacle === undefined ? "" : " !"}${tie === undefined ? "" : ` tied to ${tie.layer}`}`;
}

/** Residual branches as `role form layer: branch | width`. */
export function residualLines(text: string, module: ModuleClass): string[] {
  return module.residuals.map(
    ({ role, form, layer, branch, width, obstacle }) =>
      `${role} ${form} ${layer}: ${text.slice(branch.from, branch.to)} | ${width?.text ?? "?"}${obstacle === undefined ? "" : " !"}`,
  );
}

/** A file of test/fixtures/python. */
export function fixture(name: string): string {
  return readFileSync(`test/fixtures/python/${name}`, "utf8");
}

/** Edited facts must be those of the new text read afresh. */
export function sameAsFresh(document: PythonDocument): void {
  assert.deepStrictEqual(plain(document.facts), plain(readPython(document.text).facts));
}

function plain(facts: PythonFacts): PythonFacts {
  return { ...facts };
}
