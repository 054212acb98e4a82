/** Edits whose statements keep to the width that a project's formatter sets, broken as it would break them. */
import { type Edit, edit, type Piece, plain, sourceOrder } from "../edits";
import { prose } from "./prose";
import { layout, type Shape, withoutTrailingCommas } from "./statement";
import { type LogicalLine, logicalLines } from "./tokens";

/** A stretch of the edited text: what was there, or a piece of an edit. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Where it stands in the text before; absent for a piece. */
  readonly old?: number;
  readonly piece?: Piece;
  /** The edit that the piece belongs to. */
  readonly edit?: number;
}

interface Replacement {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The same edits with other line breaks where lines are too long. A statement that was there before is only broken
 * anew if it was broken as the formatter has it: else nobody runs it.
 */
export function fitted(text: string, edits: readonly Edit[], shape: Shape): Edit[] {
  const given = sourceOrder(edits);
  const stretches = stretchesOf(text, given);
  const edited = stretches.map((each) => textOf(text, each)).join("");
  const inserted = stretches.filter(({ old }) => old === undefined);
  const isTouched = ({ from, to }: { from: number; to: number }): boolean =>
    inserted.some((each) => each.from <= to && from <= each.to);
  const before = [...logicalLines(text)].filter(({ from, to }) =>
    given.some((each) => each.from <= to && from <= each.to),
  );
  const isKept = (line: LogicalLine): boolean => layoutChanges(text, line, shape)?.length === 0;
  const replacements: Replacement[] = [];
  for (const line of logicalLines(edited)) {
    if (!isTouched(line)) continue;
    if (isNew(line, stretches)) {
      replacements.push(...(layoutChanges(edited, line, shape) ?? []));
      continue;
    }
    const [own, ...others] = before.filter(({ from, to }) => cameFrom(line, stretches, from, to));
    if (own === undefined || others.length > 0) continue;
    // commas that stand there for the width alone go with it
    const there = given.flatMap(({ from, to }) => [from, to]);
    const here = inserted.flatMap(({ from, to }) => [from, to]);
    if (isKept(withoutTrailingCommas(own, there)))
      replacements.push(...(layoutChanges(edited, withoutTrailingCommas(line, here), shape) ?? []));
    else if (isKept(own)) replacements.push(...(layoutChanges(edited, line, shape) ?? []));
  }
  for (const { from, to } of inserted)
    replacements.push(
      ...prose(edited.slice(from, to), shape.width).map((each) => ({
        ...each,
        from: from + each.from,
        to: from + each.to,
      })),
    );
  return replacements.length === 0 ? [...edits] : withReplacements(given, stretches, replacements);
}

/** The white space to change for a statement to be broken as the formatter has it; undefined where it is left alone. */
function layoutChanges(text: string, line: LogicalLine, shape: Shape): Replacement[] | undefined {
  const gaps = layout(text, line, shape);
  if (gaps === undefined) return undefined;
  const { tokens } = line;
  return gaps.flatMap((gap, index) => {
    const from = tokens[index - 1]?.to ?? line.from;
    const to = tokens[index]?.from ?? line.to;
    return text.slice(from, to).replace(/\r\n?/g, "\n") === gap ? [] : [{ from, to, text: gap }];
  });
}

function stretchesOf(text: string, edits: readonly Edit[]): Stretch[] {
  const stretches: Stretch[] = [];
  let old = 0;
  let at = 0;
  const keep = (to: number): void => {
    if (to > old) stretches.push({ from: at, to: at + to - old, old });
    at += Math.max(0, to - old);
  };
  for (const [index, { from, to, insert }] of edits.entries()) {
    keep(from);
    for (const piece of insert) {
      stretches.push({ from: at, to: at + plain(piece).length, piece, edit: index });
      at += plain(piece).length;
    }
    // what is taken out leaves a mark, too
    if (insert.length === 0) stretches.push({ from: at, to: at, piece: "", edit: index });
    old = to;
  }
  keep(text.length);
  return stretches;
}

const textOf = (text: string, { from, to, old, piece }: Stretch): string =>
  old === undefined ? plain(piece ?? "") : text.slice(old, old + to - from);

/** Whether nothing of a statement was there before. */
const isNew = (line: LogicalLine, stretches: readonly Stretch[]): boolean =>
  stretches.every(({ from, to, old }) => old === undefined || to <= line.from || line.to <= from);

/** Whether something between two old offsets is now part of the statement. */
const cameFrom = (line: LogicalLine, stretches: readonly Stretch[], from: number, to: number): boolean =>
  stretches.some((each) => {
    if (each.old === undefined) return false;
    const shift = each.from - each.old;
    const [start, end] = [Math.max(each.from, line.from), Math.min(each.to, line.to)];
    return start < end && Math.max(from + shift, start) < Math.min(to + shift, end);
  });

/** The edits with some of the new text replaced, in pieces of theirs and beside them. */
function withReplacements(
  edits: readonly Edit[],
  stretches: readonly Stretch[],
  replacements: readonly Replacement[],
): Edit[] {
  const pieces = edits.map((): Piece[] => []);
  const beside: Edit[] = [];
  const pending = replacements.toSorted((a, b) => a.from - b.from);
  const written = new Set<Replacement>();
  for (const stretch of stretches) {
    // what comes between old text and a piece is written with the piece: two edits at one place have no order
    const takesEnd = stretch.old === undefined || stretch === stretches.at(-1);
    const own = pending.filter((each) => {
      if (each.from < each.to) return each.from < stretch.to && stretch.from < each.to;
      const isBefore = each.from < stretch.to || (takesEnd && each.from === stretch.to);
      return stretch.from <= each.from && isBefore && !written.has(each);
    });
    /** In the stretch's own offsets; what reaches over its end is written where it begins. */
    const local = own.map((each) => {
      const text = written.has(each) ? "" : each.text;
      written.add(each);
      return {
        from: Math.max(each.from, stretch.from) - stretch.from,
        to: Math.min(each.to, stretch.to) - stretch.from,
        text,
      };
    });
    const { old, piece, edit: index } = stretch;
    if (old !== undefined) {
      beside.push(...local.map(({ from, to, text }) => edit(old + from, old + to, text)));
    } else if (piece !== undefined && index !== undefined) {
      pieces[index]?.push(...replaced(piece, local));
    }
  }
  return sourceOrder([...edits.map((each, index) => ({ ...each, insert: pieces[index] ?? [] })), ...beside]);
}

/** A stop keeps its value: what comes before or after stands beside it. */
function replaced(piece: Piece, replacements: readonly Replacement[]): Piece[] {
  const text = plain(piece);
  const isBeside = ({ from, to }: Replacement): boolean =>
    typeof piece !== "string" && from === to && (from === 0 || from === text.length);
  const beside = replacements.filter(isBeside);
  const inside = replacements
    .filter((each) => !isBeside(each))
    .reduceRight((made, { from, to, text: own }) => made.slice(0, from) + own + made.slice(to), text);
  return [
    ...beside.filter(({ from }) => from === 0).map((each) => each.text),
    typeof piece === "string" ? inside : { stop: inside },
    ...beside.filter(({ from }) => from > 0).map((each) => each.text),
  ];
}
