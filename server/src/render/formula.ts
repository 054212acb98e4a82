/** A formula in a hover: a picture in the ink of the theme, a LaTeX block, or nothing. */
import type { Theme } from "../protocol";
import { codeBlock } from "./markdown";

/** VS Code cuts Markdown at 100,000 characters; the words of a hover need far less than the rest. */
const longestImage = 90_000;

/** Dark ink on light grounds; both high-contrast themes get the full contrast. */
const inks: Readonly<Record<Theme, string>> = {
  light: "#1f1f1f",
  dark: "#d4d4d4",
  highContrast: "#ffffff",
  highContrastLight: "#000000",
};

export type FormulaStyle = "image" | "latex" | "none";

/** The Markdown of a formula. Without a typeset picture, or with one too large to show, the LaTeX source stands for it. */
export function formula(
  tex: string,
  svg: string | undefined,
  style: FormulaStyle,
  theme: Theme,
): string | undefined {
  if (style === "none" || tex.trim() === "") return undefined;
  if (style === "image" && svg !== undefined) {
    const uri = dataUri(svg.replaceAll("@ink@", inks[theme]));
    if (uri.length <= longestImage) return `![${alternative(tex)}](${uri})`;
  }
  return codeBlock("latex", tex.trim());
}

/** The TeX source for screen readers, written so that nothing in it can end the label or start another element. */
const alternative = (tex: string): string =>
  tex
    .replace(/\s+/g, " ")
    .trim()
    .replace(/&/g, "&amp;")
    .replace(
      /\\(?![A-Za-z])|[[\]<>`"*~]|(?<![\p{L}\p{N}])_/gu,
      (character) => `&#${character.codePointAt(0)};`,
    );

/** `data:` address of an SVG, as base64 or percent-encoded, whichever is shorter. */
export function dataUri(svg: string): string {
  const bytes = new TextEncoder().encode(svg); // a lone surrogate becomes U+FFFD here
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const base64 = `data:image/svg+xml;base64,${btoa(binary)}`;
  // `|` would set a size in VS Code, brackets and quotes would end the destination
  const percent = `data:image/svg+xml,${encodeURI(new TextDecoder().decode(bytes)).replace(
    /[#'()&*|[\]]/g,
    (character) => `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}`,
  )}`;
  return percent.length < base64.length ? percent : base64;
}
