/** Python's tokens and logical lines, as far as line breaks depend on them. */
import type { Range } from "../../python/facts";

export interface Token extends Range {
  readonly kind: "word" | "string" | "open" | "close" | "operator" | "comment";
  readonly text: string;
}

/** A statement or the header of a block: its tokens, with the comment at its end. */
export interface LogicalLine extends Range {
  /** What it is indented by. */
  readonly indentation: string;
  readonly tokens: readonly Token[];
}

const token =
  /(#[^\r\n]*)|((?:[rbfuRBFU]{0,2})(?:"""(?:[^\\]|\\[\s\S])*?"""|'''(?:[^\\]|\\[\s\S])*?'''|"(?:[^"\\\r\n]|\\.)*"|'(?:[^'\\\r\n]|\\.)*'))|((?:\d[\w.]*(?:(?<=[eE])[+-]\d+)?|\.\d\w*|[\p{L}_][\p{L}\p{N}_]*))|([([{])|([)\]}])|(\*\*=|\/\/=|>>=|<<=|\.\.\.|:=|->|[-+*/%@&|^=!<>]=|\*\*|\/\/|<<|>>|[-+*/%@&|^~<>=.,:;])|(\r\n|\r|\n)|([ \t\f\ufeff]+|\\(?:\r\n|\r|\n))|([\s\S])/gu;

/** The logical lines of a text, in order. Lines of comments alone are none. */
export function* logicalLines(text: string): Generator<LogicalLine> {
  let tokens: Token[] = [];
  let depth = 0;
  let lineStart = 0;
  const finished = (): LogicalLine | undefined => {
    const [first] = tokens;
    const last = tokens.at(-1);
    const line =
      first === undefined || last === undefined || first.kind === "comment"
        ? undefined
        : { from: first.from, to: last.to, indentation: text.slice(lineStart, first.from), tokens };
    tokens = [];
    return line;
  };
  for (const match of text.matchAll(token)) {
    const [whole, comment, string, word, open, close, operator, lineBreak] = match;
    const { index: from } = match;
    if (lineBreak !== undefined) {
      if (depth > 0) continue;
      const line = finished();
      if (line !== undefined) yield line;
      lineStart = from + whole.length;
      continue;
    }
    if (open !== undefined) depth++;
    if (close !== undefined) depth = Math.max(0, depth - 1);
    const kind =
      comment !== undefined
        ? "comment"
        : string !== undefined
          ? "string"
          : word !== undefined
            ? "word"
            : open !== undefined
              ? "open"
              : close !== undefined
                ? "close"
                : operator !== undefined
                  ? "operator"
                  : undefined;
    if (kind !== undefined) tokens.push({ kind, text: whole, from, to: from + whole.length });
  }
  const line = finished();
  if (line !== undefined) yield line;
}
