/** The manner of a file: its indentation, line breaks, quotes and where its imports end. */
import type { ImportBinding, Layout, Prose } from "../facts";

export interface ImportLine {
  readonly from: number;
  readonly to: number;
}

/** Reads the layout; `importEnd` is known to the document, which knows the statements. */
export function layoutOf(
  text: string,
  prose: readonly Prose[],
  imports: readonly ImportBinding[],
  importEnd: number,
): Layout {
  const lineBreak = /\r\n|\n|\r/.exec(text)?.[0];
  let single = 0;
  let double = 0;
  for (const { range, kind } of prose) {
    if (kind !== "string") continue;
    const quote = text.charAt(range.to - 1);
    if (quote === "'") single++;
    else if (quote === '"') double++;
  }
  const local = (qualified: string) => imports.find((binding) => binding.qualified === qualified)?.local;
  const torch = local("torch");
  const torchNn = local("torch.nn");
  return {
    indent: indentOf(text),
    lineBreak: lineBreak === "\r\n" || lineBreak === "\r" ? lineBreak : "\n",
    quote: single > double ? "'" : '"',
    importEnd,
    ...(torch !== undefined && { torch }),
    ...(torchNn !== undefined && { torchNn }),
    endsWithLineBreak: /[\r\n]$/.test(text),
  };
}

/** The indentation of the first line after a block header, four spaces when there is none. */
function indentOf(text: string): string {
  const match =
    /^([ \t]*)(?:class|def|if|for|while|with|try|else)\b[^\r\n]*:[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n)+\1([ \t]+)\S/m.exec(
      text,
    );
  return match?.[2] ?? "    ";
}
