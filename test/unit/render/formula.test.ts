import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Theme } from "../../../server/src/protocol";
import { dataUri, formula } from "../../../server/src/render/formula";

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="2ex"><path fill="@ink@" d="M1 2L3 4"/></svg>';
const tex = "h = W_0 x + \\frac{\\alpha}{r} B A x";

/** The picture that a data URI holds. */
function decoded(uri: string): string {
  const [, encoding, data = ""] = /^data:image\/svg\+xml(;base64)?,(.*)$/s.exec(uri) ?? [];
  return encoding === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString("utf8");
}

const pictureOf = (markdown: string | undefined): string =>
  decoded(/\]\((.*)\)$/s.exec(markdown ?? "")?.[1] ?? "");

/** Relative luminance, 0 black to 1 white, of "#rrggbb". */
const lightness = (ink: string): number =>
  (0.2126 * parseInt(ink.slice(1, 3), 16) +
    0.7152 * parseInt(ink.slice(3, 5), 16) +
    0.0722 * parseInt(ink.slice(5, 7), 16)) /
  255;

describe("a formula", () => {
  it("is a picture with its TeX source as alternative text", () => {
    const markdown = formula(tex, svg, "image", "dark");
    assert.match(
      markdown ?? "",
      /^!\[h = W_0 x \+ \\frac\{\\alpha\}\{r\} B A x\]\(data:image\/svg\+xml[;,][^\s()<>|"'`]+\)$/,
    );
    assert.equal(pictureOf(markdown).replace(/fill="#\w{6}"/, 'fill="@ink@"'), svg);
  });

  const grounds: readonly [Theme, "dark ink" | "light ink"][] = [
    ["light", "dark ink"],
    ["highContrastLight", "dark ink"],
    ["dark", "light ink"],
    ["highContrast", "light ink"],
  ];
  for (const [theme, wanted] of grounds) {
    it(`has ${wanted} in the theme ${theme}`, () => {
      const ink = /fill="(#\w{6})"/.exec(pictureOf(formula(tex, svg, "image", theme)))?.[1] ?? "";
      assert.equal(lightness(ink) < 0.5 ? "dark ink" : "light ink", wanted);
    });
  }

  it("is its source where pictures cannot be shown or there is none", () => {
    const block = `\`\`\`latex\n${tex}\n\`\`\``;
    assert.equal(formula(tex, svg, "latex", "dark"), block);
    assert.equal(formula(tex, undefined, "image", "dark"), block);
    assert.equal(formula(tex, svg, "none", "dark"), undefined);
  });

  it("is its source where the picture would be cut by the editor", () => {
    const large = `<svg><path d="${"M1 2".repeat(30_000)}"/></svg>`;
    assert.equal(formula("x", large, "image", "dark"), "```latex\nx\n```");
  });

  it("cannot leave its label", () => {
    const label = /^!\[(.*)\]\(data:[^()]*\)$/s.exec(
      formula("x](command:evil) \\] [y] `z` \\[ <b>\n\nq", svg, "image", "dark") ?? "",
    )?.[1];
    assert.ok(label !== undefined && !/[[\]<>`\n]/.test(label), label);
  });
});

describe("a data URI", () => {
  it("takes the shorter encoding", () => {
    assert.match(dataUri(`<svg>${"<".repeat(50)}</svg>`), /^data:image\/svg\+xml;base64,/);
    assert.match(dataUri(`<svg>${"1".repeat(50)}</svg>`), /^data:image\/svg\+xml,%3Csvg/);
  });

  it("gives the picture back whatever it holds", () => {
    for (const text of ["α·β 100% #fff (a|b) 'q' \"r\" [s] {t}*", "<".repeat(99) + "α", "\\frac &amp; `x`"])
      assert.equal(decoded(dataUri(text)), text);
  });
});
