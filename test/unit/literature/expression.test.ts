import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { evaluate, expressionProblem } from "../../../server/src/literature/expression";

describe("expressions of trainable parameters", () => {
  // values as Python prints them
  const values: readonly (readonly [string, number])[] = [
    ["rank * (in_features + out_features)", 24576],
    ["-7 // 2", -4],
    ["-7 % 3", 2],
    ["7 % -3", -2],
    ["-2 ** 2", -4],
    ["2 ** -1", 0.5],
    ["2 ** 3 ** 2", 512],
    ["1 + 2 * 3 - 4 / 2", 5],
    ["max(4, in_features // 2 // 100 * 100)", 300],
    ["int(-2.7)", -2],
    ["ceil(1.2) + floor(-1.2)", 0],
    ["10 if bias else 20", 20],
    ["1 <= rank <= min(in_features, out_features)", 1],
    ["1 <= rank < 8", 0],
    ["rank == 8 and not bias", 1],
    ["bias or rank", 8],
    ["True + False", 1],
    ["1e3 + .5", 1000.5],
  ];
  const known = { rank: 8, in_features: 768, out_features: 2304, bias: 0 };
  for (const [expression, value] of values)
    it(`${expression} is ${value}`, () => {
      assert.equal(evaluate(expression, known), value);
      assert.equal(expressionProblem(expression, new Set(Object.keys(known))), undefined);
    });

  it("is undefined where a size is unknown, but not where it does not matter", () => {
    assert.equal(evaluate("rank * width", known), undefined);
    assert.equal(evaluate("rank if True else width", known), 8);
    assert.equal(evaluate("rank / bias", known), undefined);
    assert.equal(evaluate("rank", { rank: undefined }), undefined);
    assert.equal(evaluate("constructor", known), undefined);
  });

  it("says what is wrong", () => {
    const names = new Set(["rank"]);
    assert.match(expressionProblem("rank * widht", names)!, /uses widht, which is neither/);
    assert.match(expressionProblem("rank *", names)!, /it ends too early/);
    assert.match(expressionProblem("rank) ", names)!, /"\)" is not expected here/);
    assert.match(expressionProblem("eval(rank)", names)!, /eval\(\) is not known/);
    assert.match(expressionProblem("rank.real", names)!, /"\." is not understood/);
    assert.match(expressionProblem("rank rank", names)!, /"rank" is not expected here/);
  });

  it("never throws", () => {
    const tokens = fc.constantFrom(
      "rank",
      "(",
      ")",
      "+",
      "**",
      "//",
      "if",
      "else",
      "min",
      ",",
      "3",
      "not",
      "@",
      "<",
      ".",
    );
    fc.assert(
      fc.property(fc.array(tokens), (parts) => {
        const value = evaluate(parts.join(" "), known);
        return value === undefined || Number.isFinite(value);
      }),
    );
  });
});
