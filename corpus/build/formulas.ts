/** Typesets formulas as SVG. */
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
import * as v from "valibot";
import { compactSvg, type Drawing, pixelsPerEx } from "./compactSvg";

/** Raised when any of what follows changes, so that cached formulas are typeset anew. */
const edition = "3";

const adaptor = liteAdaptor();
RegisterHTMLHandler(adaptor);
const document = mathjax.document("", {
  InputJax: new TeX({
    packages: ["base", "ams", "boldsymbol"],
    formatError: (_: unknown, { message }: { readonly message: string }) => {
      throw new Error(message);
    },
  }),
  OutputJax: new SVG({ fontCache: "local" }),
});

/** A display formula. @throws Error where the LaTeX is wrong */
export function typeset(latex: string): Drawing {
  const node: unknown = document.convert(latex, { display: true });
  const svg = node instanceof LiteElement ? node.children[0] : undefined;
  if (!(svg instanceof LiteElement)) throw new Error("nothing was typeset");
  return compactSvg(svg);
}

/** The same through a cache folder, keyed by content. */
export function typesetCached(latex: string, cache: string): Drawing {
  const key = createHash("sha256").update(`${edition}\n${pixelsPerEx}\n${latex}`).digest("hex").slice(0, 24);
  const path = join(cache, `${key}.json`);
  try {
    return v.parse(cached, JSON.parse(readFileSync(path, "utf8")));
  } catch {
    const drawing = typeset(latex);
    mkdirSync(cache, { recursive: true });
    writeFileSync(path, JSON.stringify(drawing));
    return drawing;
  }
}

const cached = v.object({ drawing: v.string(), glyphs: v.record(v.string(), v.string()) });
