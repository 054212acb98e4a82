/** Where string literals of a text end, whether or not they are closed. */

export const stringPrefix = /^(?:[rbuf]|rb|br|rf|fr)$/i;

/** Whether the string whose prefix begins at `from` is an f-string. */
export function isFormatString(text: string, from: number): boolean {
  return /^[rR]?[fF]/.test(text.slice(from, from + 2));
}

/** Where the closing quotes are of the triple-quoted string that opens at `at`; the end of the text where there are none. */
export function closeOfTriple(text: string, at: number): number {
  const marks = text.slice(at, at + 3);
  let close = text.indexOf(marks, at + 3);
  while (close > 0 && isEscaped(text, close)) close = text.indexOf(marks, close + 1);
  return close < 0 ? text.length : close;
}

/** Where the closing quote is of the string that opens at `at`; the end of the line where there is none. */
export function closeOfLine(text: string, opening: number, isFormat: boolean): number {
  const quote = text.charCodeAt(opening);
  let at = opening + 1;
  let fields = 0;
  for (let code = text.charCodeAt(at); at < text.length; code = text.charCodeAt(++at)) {
    if (code === 10 || code === 13) break;
    if (code === 92 && at + 1 < text.length) {
      at++;
      if (text.charCodeAt(at) === 13 && text.charCodeAt(at + 1) === 10) at++;
    } else if (code === quote) {
      const nested = fields > 0 ? nestedString(text, at) : 0;
      if (nested === 0) break;
      at += nested - 1;
    } else if (isFormat && code === 123) {
      if (fields === 0 && text.charCodeAt(at + 1) === 123) at++;
      else fields++;
    } else if (isFormat && code === 125 && fields > 0) fields--;
  }
  return Math.min(at, text.length);
}

const nested = /(["'])[^"'\r\n]*\1(?=[^"'\r\n]*\}[^\r\n]*\1)/y;

/** The length of a string in the same quotes as the f-string in whose field it stands, `f"{x["a"]}"`; 0 where there is none. */
function nestedString(text: string, at: number): number {
  nested.lastIndex = at;
  return nested.exec(text)?.[0].length ?? 0;
}

/** What closes the replacement fields that an f-string leaves open; `{{` is no field, though `}}` may close two. */
export function openFields(written: string): string {
  let open = 0;
  for (let at = 0; at < written.length; at++) {
    const code = written.charCodeAt(at);
    if (code === 123) {
      if (open === 0 && written.charCodeAt(at + 1) === 123) at++;
      else open++;
    } else if (code === 125 && open > 0) open--;
  }
  return "}".repeat(open);
}

/** Whether an odd number of backslashes stands before `at`. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === 92) before--;
  return (at - before) % 2 === 1;
}
