/**
 * A text as blocks, each with its place. A text that follows another is scanned only from the last block before the
 * change to the first one after it that begins as it did.
 */
import { Block } from "./names/block";
import type { Prose } from "./facts";
import { type Insertion, maximumReturns, scan, scanPart, type SourceBlock } from "./text/resync";

export interface Placed {
  readonly block: Block;
  readonly from: number;
}

export interface Reading {
  readonly text: string;
  readonly placed: readonly Placed[];
  /** As of the scan: whether and how its parts can be scanned by themselves. */
  readonly separable: boolean;
  readonly returns: number;
}

/** Longer files are data; the limit keeps a request short whatever is opened. */
const maximumLength = 2_000_000;

/** Parses what is new in `text` and takes over what is not. */
export function readBlocks(text: string, earlier: Reading | undefined): Reading {
  if (earlier?.text === text) return earlier;
  if (text.length > maximumLength) return { text, placed: [], separable: false, returns: 0 };
  return (earlier?.separable && readPart(text, earlier)) || readWhole(text, earlier?.placed ?? []);
}

function readWhole(text: string, earlier: readonly Placed[]): Reading {
  const { blocks, separable, returns } = scan(text);
  return { text, placed: place(text, blocks, earlier), separable, returns };
}

/** Undefined where the change may reach beyond the blocks that it is in. */
function readPart(text: string, { placed, returns }: Reading): Reading | undefined {
  const head = unchangedHead(text, placed);
  const start = placed[head]?.from ?? 0;
  const tail = unchangedTail(text, placed, head, start);
  if (head === 0 && tail === placed.length) return undefined;
  const after = placed.slice(tail);
  const by = text.length - after.reduce((length, { block }) => length + block.text.length, 0);
  const moved: Placed[] = [];
  let from = by;
  for (const { block } of after) {
    moved.push({ block, from });
    from += block.text.length;
  }
  const [first] = moved;
  if (first?.from === start)
    return { text, placed: [...placed.slice(0, head), ...moved], separable: true, returns };
  const part = scanPart(text, start, new Set(moved.map((each) => each.from)));
  const sum = returns + part.returns;
  if (!part.separable || sum >= maximumReturns) return undefined;
  return {
    text,
    placed: [
      ...placed.slice(0, head),
      ...place(text, part.blocks, placed.slice(head)),
      ...moved.filter((each) => each.from >= part.to),
    ],
    separable: true,
    returns: sum,
  };
}

/**
 * How many blocks at the beginning are as they were whatever comes after them: those above one that is unchanged, up
 * to where a bracket was left open, which is closed where the lines below say.
 */
function unchangedHead(text: string, placed: readonly Placed[]): number {
  let same = 0;
  for (const { block, from } of placed) {
    const isLast = same === placed.length - 1;
    if (isLast || block.insertions.length > 0 || !reads(text, block.text, from)) break;
    same++;
  }
  // The last of them may prove to belong to the one above it.
  return Math.max(0, same - 2);
}

/** The first of the blocks that end the text as they ended the earlier one; none begins before `start`. */
function unchangedTail(text: string, placed: readonly Placed[], head: number, start: number): number {
  let tail = placed.length;
  let end = text.length;
  while (tail > head) {
    const written = placed[tail - 1]?.block.text ?? "";
    if (end - written.length < start || !reads(text, written, end - written.length)) break;
    end -= written.length;
    tail--;
  }
  return tail;
}

/** `text.startsWith(part, from)`, which compares letter by letter where this compares memory. */
function reads(text: string, part: string, from: number): boolean {
  return text.slice(from, from + part.length) === part;
}

/** Blocks of `earlier` are taken where one reads the same; else they are earlier versions of those at their index. */
function place(text: string, sources: readonly SourceBlock[], earlier: readonly Placed[]): Placed[] {
  const known = new Map<string, Block>();
  for (const { block } of earlier) known.set(block.key, block);
  let unchanged = 0;
  return sources.map(({ from, to, insertions, prose, tooDeep }, index) => {
    const written = copyOf(text, from, to);
    const relative = moved(insertions, from);
    const key = Block.keyOf(written, relative, tooDeep);
    if (unchanged === index && earlier[index]?.block.text === written) unchanged++;
    const predecessor = index >= unchanged ? earlier[index]?.block : undefined;
    const block =
      known.get(key) ?? new Block(written, relative, tooDeep, movedProse(prose, from), predecessor);
    known.delete(key); // two blocks that read the same are still two
    return { block, from };
  });
}

function moved(insertions: readonly Insertion[], by: number): Insertion[] {
  return insertions.map((insertion) => ({ ...insertion, at: insertion.at - by }));
}

function movedProse(prose: readonly Prose[], by: number): Prose[] {
  return prose.map(({ range, kind }) => ({ range: { from: range.from - by, to: range.to - by }, kind }));
}

/** One statement of a text by itself. */
export function placedBlock(text: string, { from, to, insertions, prose, tooDeep }: SourceBlock): Placed {
  const written = copyOf(text, from, to);
  return { block: new Block(written, moved(insertions, from), tooDeep, movedProse(prose, from)), from };
}

/** A slice of a string keeps the whole string alive, so a block that outlives its text takes a copy. */
export function copyOf(text: string, from: number, to: number): string {
  return ` ${text.slice(from, to)}`.slice(1);
}
