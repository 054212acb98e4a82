/** MathJax's drawing as text, without what a picture does not need. */
import { LiteElement } from "mathjax-full/js/adaptors/lite/Element.js";

const kept =
  /^(d|id|x|y|x1|x2|y1|y2|width|height|viewBox|transform|fill|stroke|stroke-width|stroke-dasharray|font-size|font-family|font-style|font-weight|text-anchor|preserveAspectRatio)$/;

/** Pixels of one ex at the text size of a hover. */
export const pixelsPerEx = 8;

export interface Drawing {
  /** `<svg>` with `@ink@` for the colour and `<use href="#name"/>` for each glyph. */
  readonly drawing: string;
  readonly glyphs: Readonly<Record<string, string>>;
}

/** What MathJax drew with `fontCache: "local"`. */
export function compactSvg(svg: LiteElement): Drawing {
  const glyphs: Record<string, string> = {};
  visit(svg, (node) => {
    const outline = attribute(node, "d");
    if (node.kind === "path" && outline !== "") glyphs[name(attribute(node, "id"))] = outline;
  });

  const draw = (node: LiteElement): string => {
    const own = attributes(node);
    if (node.kind === "defs") return "";
    if (node.kind === "use") {
      const glyph = name(attribute(node, "xlink:href").slice(1));
      return Object.hasOwn(glyphs, glyph) ? `<use${own} href="#${glyph}"/>` : "";
    }
    const inner = node.children
      .map((child) => (child instanceof LiteElement ? draw(child) : escape(child.value)))
      .join("");
    if (node.kind === "g" && (inner === "" || own === "")) return inner;
    // one drawing in a group takes the group's place
    if (node.kind === "g" && /^<[^<]*\/>$/.test(inner) && !inner.includes(" transform="))
      return inner.replace(/^<\w+/, (tag) => tag + own);
    return inner === "" ? `<${node.kind}${own}/>` : `<${node.kind}${own}>${inner}</${node.kind}>`;
  };

  const side = (length: string): string => String(Math.ceil(parseFloat(length) * pixelsPerEx * 10) / 10);
  const size = `width="${side(attribute(svg, "width"))}px" height="${side(attribute(svg, "height"))}px"`;
  const box = `viewBox="${attribute(svg, "viewBox").split(" ").map(rounded).join(" ")}"`;
  const drawn = svg.children.map((child) => (child instanceof LiteElement ? draw(child) : "")).join("");
  return { drawing: `<svg xmlns="http://www.w3.org/2000/svg" ${size} ${box}>${drawn}</svg>`, glyphs };
}

/** MathJax numbers the drawings of a run; without the number one glyph has one name in all of them. */
const name = (id: string): string => id.replace(/^MJX-\d+-TEX-/, "");

function visit(node: LiteElement, see: (node: LiteElement) => void): void {
  see(node);
  for (const child of node.children) if (child instanceof LiteElement) visit(child, see);
}

function attribute(node: LiteElement, name: string): string {
  const value: unknown = node.attributes[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** A thousandth of an em is less than a pixel shows. */
const rounded = (value: string): string => String(Math.round(Number(value)));

function attributes(node: LiteElement): string {
  return Object.keys(node.attributes)
    .filter((name) => kept.test(name))
    .map((name) => [name, attribute(node, name)] as const)
    .map(
      ([name, value]) =>
        [
          name,
          name === "transform"
            ? value
                .replace(
                  /translate\(([^)]*)\)/g,
                  (_, places: string) => `translate(${places.split(/[ ,]+/).map(rounded).join(" ")})`,
                )
                .replace(/translate\(0 0\) ?/g, "")
                .trim()
            : value.replaceAll("currentColor", "@ink@"),
        ] as const,
    )
    .filter(([, value]) => value !== "")
    .map(([name, value]) => ` ${name}="${escape(value)}"`)
    .join("");
}

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
