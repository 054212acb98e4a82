import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { typeset as drawn } from "../../../corpus/build/formulas";
import { selfContained } from "../../../server/src/literature/formulas";

const typeset = (latex: string): string => {
  const { drawing, glyphs } = drawn(latex);
  return selfContained(drawing, glyphs);
};

describe("typeset formulas", () => {
  it("are self-contained SVG of some pixels, with a mark for the colour", () => {
    const svg = typeset("h = W_0 x + \\frac{\\alpha}{r} B A");
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="[\d.]+px" height="[\d.]+px" viewBox="/,
    );
    assert.match(svg, /<\/svg>$/);
    assert.match(svg, /fill="@ink@"/);
    assert.doesNotMatch(svg, /currentColor|data-|aria-|href|<script|class=|xlink/);
    const width = Number(/width="([\d.]+)px"/.exec(svg)?.[1]);
    assert.ok(width > 80 && width < 400, `${width}`);
  });

  it("draw a glyph that comes twice from one outline, and nothing from outside", () => {
    const svg = typeset("W x + W y");
    assert.equal(svg.match(/ d="/g)?.length, 4); // W, x, +, y
    const ids = [...svg.matchAll(/<path id="([^"]*)"/g)].map(([, id]) => id);
    const uses = [...svg.matchAll(/<use[^>]* href="#([^"]*)"\/>/g)].map(([, id]) => id);
    assert.equal(ids.length, 1);
    assert.deepEqual(uses, [ids[0], ids[0]]);
    assert.equal(svg.match(/href/g)?.length, 2);
  });

  it("name one glyph alike in all formulas, so that it is stored once", () => {
    assert.deepEqual(Object.keys(drawn("x").glyphs), Object.keys(drawn("x x").glyphs));
  });

  it("know ams and bold symbols", () => {
    assert.match(
      typeset("\\begin{aligned} \\boldsymbol{y} &= \\operatorname{softmax}(x) \\end{aligned}"),
      /<path/,
    );
  });

  it("fail on what is not LaTeX", () => {
    assert.throws(() => typeset("\\frac{1}"), /Missing argument for \\frac/);
    assert.throws(() => typeset("\\unknownmacro"), /Undefined control sequence/);
  });
});
