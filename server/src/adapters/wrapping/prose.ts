/** Comments and docstrings of inserted Python at a narrower width: words move to the next line of their paragraph. */

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** What to replace so that no line of a comment or docstring is longer than `width`, where it has spaces to break at. */
export function prose(text: string, width: number): Replacement[] {
  const found: Replacement[] = [];
  for (const match of text.matchAll(/^[ \t]*#[^\n]*(?:\n[ \t]*#[^\n]*)*|^([ \t]*)("""|''')[\s\S]*?\2/gm)) {
    const lines = match[0].split("\n");
    if (lines.every((line) => line.length <= width)) continue;
    const filled = match[2] === undefined ? narrowed(lines, width) : docstring(lines, match[2], width);
    found.push({ from: match.index, to: match.index + match[0].length, text: filled.join("\n") });
  }
  return found;
}

/** The closing quotes stay with the last word, or get their line where the summary no longer fits on one. */
function docstring(lines: readonly string[], quotes: string, width: number): string[] {
  const filled = narrowed(lines, width);
  const last = filled.at(-1) ?? "";
  const [first = ""] = lines;
  if (lines.length > 1 || filled.length === 1) return filled;
  const indentation = /^[ \t]*/.exec(first)?.[0] ?? "";
  return [...filled.slice(0, -1), last.slice(0, -quotes.length).trimEnd(), `${indentation}${quotes}`];
}

const indentationOf = (line: string): string => /^[ \t]*(?:#[ \t]*)?/.exec(line)?.[0] ?? "";

/** A line that no words of the line above may move to. */
const isOwn = (line: string): boolean =>
  line.trim() === "" || /^\s*(?:#\s*)?(?:[-*] |>>>|"""|'''|\w+(?: \([^)]*\))?:(?: |$))/.test(line);

function narrowed(lines: readonly string[], width: number): string[] {
  const done: string[] = [];
  const rest = [...lines];
  for (let line = rest.shift(); line !== undefined; line = rest.shift()) {
    const indentation = indentationOf(line);
    const at = line.lastIndexOf(" ", width);
    if (line.length <= width || at <= indentation.length) {
      done.push(line);
      continue;
    }
    done.push(line.slice(0, at).trimEnd());
    const words = line.slice(at + 1);
    const next = rest[0];
    // an entry of a list goes on below itself
    const isEntry = /^\s*(?:[-*] |\w+(?: \([^)]*\))?: )/.test(line) && !line.trimStart().startsWith("#");
    const hanging = isEntry ? `${indentation}    ` : indentation;
    if (next !== undefined && !isOwn(next) && indentationOf(next) === hanging)
      rest[0] = `${hanging}${words} ${next.slice(hanging.length)}`;
    else rest.unshift(`${hanging}${words}`);
  }
  return done;
}
