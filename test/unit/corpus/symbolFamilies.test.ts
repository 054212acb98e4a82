import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LibrarySymbol } from "../../../server/src/literature/catalogue";
import { compile } from "../../../server/src/literature/source/compile";
import { formatProblem } from "../../../server/src/literature/source/problems";

const base = `library: own
fields:
  - { name: rank, type: int, default: "8", meaning: The rank. }
  - { name: seed, meaning: The seed. }
symbols:
  - name: Config
    qualified: [own.Config, own.config.Config]
    kind: config
    summary: Base of all.
    fields: [seed, { name: name, meaning: The name. }]
  - name: Model
    qualified: [own.Model]
    kind: class
    summary: A model.
`;
const more = `library: own
symbols:
  - name: HoseConfig
    qualified: [own.HoseConfig]
    kind: config
    summary: A hose.
    extends: Config
    fields: [rank, { name: name, meaning: Its own name. }]
  - name: HoseModel
    qualified: [own.HoseModel, own.hoses.HoseModel]
    kind: class
    summary: A model of hoses.
    extends: Model
  - { name: Model.save, of: [Model], kind: method, summary: Saves it. }
  - { name: Model.load, of: [Model], kind: method, summary: Loads one., returns: Model }
  - { name: HoseModel.save, of: [HoseModel], kind: method, summary: Saves the hose. }
  - name: Kind
    qualified: [own.Kind]
    kind: class
    summary: Kinds.
    values: [{ value: SHORT, meaning: A short one. }]
`;

const compiled = (text: string) =>
  compile([
    { path: "symbols/base.yaml", text: base },
    { path: "symbols/more.yaml", text },
  ]);

function symbol(name: string): LibrarySymbol {
  const { corpus, problems } = compiled(more);
  assert.deepEqual(problems.map(formatProblem), []);
  const found = corpus.symbols.find((each) => each.name === name);
  assert.ok(found, name);
  return found;
}

describe("a symbol", () => {
  it("has its own fields, those it shares, then those of what it extends", () => {
    assert.deepEqual(symbol("HoseConfig").fields, [
      { name: "rank", type: "int", default: "8", meaning: "The rank." },
      { name: "name", meaning: "Its own name." },
      { name: "seed", meaning: "The seed." },
    ]);
  });

  it("has the methods of the class it extends, but for those it brings itself", () => {
    assert.deepEqual(symbol("Model.load").qualified, [
      "own.Model.load",
      "own.HoseModel.load",
      "own.hoses.HoseModel.load",
    ]);
    assert.deepEqual(symbol("Model.save").qualified, ["own.Model.save"]);
    assert.deepEqual(symbol("HoseModel.save").qualified, ["own.HoseModel.save", "own.hoses.HoseModel.save"]);
    assert.equal(symbol("Model.load").returns, "own.Model");
  });

  it("brings the members of an enumeration as symbols", () => {
    const { qualified, kind, summary } = symbol("Kind.SHORT");
    assert.deepEqual([qualified, kind, summary], [["own.Kind.SHORT"], "value", "A short one."]);
  });

  it("may extend a symbol of the corpus below", () => {
    const { corpus } = compiled(more);
    const text = `library: own
symbols:
  - { name: PipeConfig, qualified: [own.PipeConfig], kind: config, summary: A pipe., extends: HoseConfig }
`;
    const { corpus: above, problems } = compile([{ path: "symbols/above.yaml", text }], { base: corpus });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      above.symbols[0]?.fields.map(({ name }) => name),
      ["rank", "name", "seed"],
    );
  });

  const faults: readonly (readonly [change: readonly [string, string], problem: string])[] = [
    [
      ["extends: Config", "extends: Confg"],
      'symbols/more.yaml:7: symbols[0].extends names the symbol "Confg", which this library does not have: write its name, or add it',
    ],
    [
      ["fields: [rank,", "fields: [rnk,"],
      'symbols/more.yaml:8: symbols[0].fields[0] names the field "rnk": add it to the fields of the library',
    ],
    [
      ["of: [HoseModel]", "of: [HseModel]"],
      'symbols/more.yaml:16: symbols[4].of[0] names the symbol "HseModel", which this library does not have: write its name, or add it',
    ],
    [
      ["returns: Model", "returns: Modl"],
      'symbols/more.yaml:15: symbols[3].returns names the symbol "Modl", which this library does not have: write its name, or add it',
    ],
    [
      ["    qualified: [own.HoseConfig]\n", ""],
      "symbols/more.yaml:3: symbols[0] needs qualified, every path by which HoseConfig can be imported",
    ],
    [
      ["extends: Model", "extends: HoseModel"],
      "symbols/more.yaml:13: symbols[1].extends leads back to the symbol itself",
    ],
  ];
  for (const [[from, to], problem] of faults)
    it(`is refused with ${to === "" ? "no path" : to}`, () => {
      assert.ok(more.includes(from));
      assert.deepEqual(compiled(more.replace(from, to)).problems.map(formatProblem), [problem]);
    });
});
