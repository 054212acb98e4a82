/** What the corpus says of a field agrees with itself: its default and its values are of its type. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { compileCorpus } from "../../../corpus/build/compileCorpus";
import type { LibrarySymbol, SymbolField } from "../../../server/src/literature/catalogue";

const { symbols } = compileCorpus("corpus").corpus;

/** How a value of a type that is certain begins and goes on, as Python writes it. */
const written: Readonly<Record<string, RegExp>> = {
  bool: /^(?:True|False)$/,
  int: /^-?[\d_]+$/,
  float: /^-?[\d_.]+(?:e-?\d+)?$/,
  str: /^["']/,
  list: /^\[/,
  dict: /^\{/,
};

/** `2 * lora_rank` and the like count as well where they name other fields. */
function isOfType(value: string, { type = "" }: SymbolField, { fields }: LibrarySymbol): boolean {
  const pattern = written[type.replace(/\[.*\]$/, "")];
  if (pattern === undefined || value === "None" || pattern.test(value)) return true;
  const names = value.match(/[a-z_]\w*/gi) ?? [];
  return names.length > 0 && names.every((name) => fields.some((field) => field.name === name));
}

function eachField(check: (symbol: LibrarySymbol, field: SymbolField, where: string) => void): void {
  for (const symbol of symbols)
    for (const field of symbol.fields)
      check(symbol, field, `${symbol.library}: ${symbol.name}(${field.name}: ${String(field.type)})`);
}

it("defaults are of the type of their field", () => {
  eachField((symbol, field, where) => {
    if (field.default !== undefined)
      assert.ok(isOfType(field.default, field, symbol), `${where} = ${field.default}`);
  });
});

it("values are of the type of their field, and stand once", () => {
  eachField((symbol, field, where) => {
    const values = (field.values ?? []).map(({ value }) => value);
    for (const value of values) assert.ok(isOfType(value, field, symbol), `${where}, value ${value}`);
    const alike = values.map((value) => value.replaceAll("'", '"'));
    assert.equal(new Set(alike).size, alike.length, `${where} lists a value twice: ${values.join(", ")}`);
  });
});
