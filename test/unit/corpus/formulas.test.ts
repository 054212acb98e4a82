import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { typeset } from "../../../corpus/build/formulas";

describe("typeset formulas", () => {
  it("are self-contained SVG of some pixels, with a mark for the colour", () => {
    const svg = typeset("h = W_0 x + \\frac{\\alpha}{r} B A x");
    assert.match(
      svg,
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" width="[\d.]+px" height="[\d.]+px" viewBox="/,
    );
    assert.match(svg, /<\/svg>$/);
    assert.match(svg, /fill="@ink@"/);
    assert.doesNotMatch(svg, /currentColor|data-|aria-|href|<script|class=/);
    const width = Number(/width="([\d.]+)px"/.exec(svg)?.[1]);
    assert.ok(width > 80 && width < 400, `${width}`);
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
