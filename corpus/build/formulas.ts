/** Typesets formulas as self-contained SVG, with `@ink@` for the colour. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LiteElement } from "mathjax-full/js/adaptors/lite/Element.js";
import { liteAdaptor } from "mathjax-full/js/adaptors/liteAdaptor.js";
import { RegisterHTMLHandler } from "mathjax-full/js/handlers/html.js";
import { TeX } from "mathjax-full/js/input/tex.js";
import "mathjax-full/js/input/tex/ams/AmsConfiguration.js";
import "mathjax-full/js/input/tex/boldsymbol/BoldsymbolConfiguration.js";
import { mathjax } from "mathjax-full/js/mathjax.js";
import { SVG } from "mathjax-full/js/output/svg.js";

/** Raised when any of what follows changes, so that cached formulas are typeset anew. */
const edition = "1";
/** Pixels of one ex at the text size of a hover. */
const pixelsPerEx = 8;

const adaptor = liteAdaptor();
RegisterHTMLHandler(adaptor);
const document = mathjax.document("", {
  InputJax: new TeX({
    packages: ["base", "ams", "boldsymbol"],
    formatError: (_: unknown, { message }: { readonly message: string }) => {
      throw new Error(message);
    },
  }),
  OutputJax: new SVG({ fontCache: "none" }),
});

/** `<svg>` of a display formula. @throws Error where the LaTeX is wrong */
export function typeset(latex: string): string {
  const node: unknown = document.convert(latex, { display: true });
  if (!(node instanceof LiteElement)) throw new Error("nothing was typeset");
  const svg = adaptor.innerHTML(node);
  return svg
    .replace(/ (data|aria)-[\w-]+="[^"]*"/g, "")
    .replace(/ (role|focusable)="[^"]*"/g, "")
    .replaceAll("currentColor", "@ink@")
    .replace(/ style="vertical-align:[^"]*"/, "")
    .replace(/ (width|height)="([\d.]+)ex"/g, (_: string, side: string, ex: string) => {
      const pixels = Math.ceil(Number(ex) * pixelsPerEx * 10) / 10;
      return ` ${side}="${pixels}px"`;
    });
}

/** The same through a cache folder, keyed by content. */
export function typesetCached(latex: string, cache: string): string {
  const key = createHash("sha256").update(`${edition}\n${pixelsPerEx}\n${latex}`).digest("hex").slice(0, 24);
  const path = join(cache, `${key}.svg`);
  try {
    return readFileSync(path, "utf8");
  } catch {
    const svg = typeset(latex);
    mkdirSync(cache, { recursive: true });
    writeFileSync(path, svg);
    return svg;
  }
}
