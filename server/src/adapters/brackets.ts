/** Brackets and what they hold, as text. */

/** Offset of the bracket that closes the one at `open`; strings are skipped. */
export function closingBracket(text: string, open: number): number | undefined {
  let depth = 0;
  const token = /[([{]|[)\]}]|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'|#[^\r\n]*/g;
  token.lastIndex = open;
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    if ("([{".includes(match[0])) depth++;
    else if (")]}".includes(match[0]) && --depth === 0) return match.index;
  }
  return undefined;
}

/** `a, f(b, c)` in its parts. */
export function topLevelParts(list: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  for (let at = 0; at <= list.length; at++) {
    const character = list[at] ?? ",";
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    else if (character === "," && depth === 0) {
      const part = list.slice(start, at).trim();
      if (part !== "") parts.push(part);
      start = at + 1;
    }
  }
  return parts;
}
