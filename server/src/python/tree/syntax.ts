/**
 * Runs the parser: turns the text of a block into the tree of `ast.ts` by way of @lezer/python.
 * Its recovery is good, so half-written code gives a tree with some expressions missing; those become `other`.
 */
import { type Tree, TreeFragment } from "@lezer/common";
import { parser } from "@lezer/python";
import type { Stmt } from "./ast";
import type { Prose, Range } from "../facts";
import type { Insertion } from "../text/resync";
import { StatementReader } from "./statements";

/** What a block's text was parsed from and into; kept to parse its next version incrementally. */
export interface Parsed {
  /** The text with the insertions that close what was left open. */
  readonly closedText: string;
  readonly tree: Tree;
  readonly statements: readonly Stmt[];
  /** Places that the grammar could not make sense of. */
  readonly errors: readonly Range[];
}

/** Below this a parse from scratch is as fast as looking for what may be reused. */
const worthReusing = 2000;

/** Parses a block; `insertions` are relative to it. `previous` is an earlier version of the same block. */
export function parseBlock(
  text: string,
  insertions: readonly Insertion[],
  prose: readonly Prose[],
  previous?: Parsed,
): Parsed {
  const readable = withoutBarePoints(text, prose);
  let closedText = "";
  let done = 0;
  for (const { at, text: inserted, over = 0 } of insertions) {
    closedText += readable.slice(done, at) + inserted;
    done = at + over;
  }
  closedText += readable.slice(done);
  // White space before the end of the input is an indentation to the grammar, and an error where no statement follows.
  closedText = closedText.replace(/[ \t\f]+$/, "");
  const tree = treeOf(closedText, previous);
  const converter = new StatementReader(
    closedText,
    text,
    insertions.filter(({ over }) => over === undefined),
  );
  const statements = converter.statements(tree.cursor());
  return { closedText, tree, statements, errors: converter.errors };
}

/** `1.`, without digits after the point. */
const barePoint = /(?<![\w.])\d[\d_]*\.(?![\d.]|[eE][+-]?\d|[jJ]\b)/g;

/** The grammar knows no number that ends in its point: `1.` is read as `1_`, which is one and as long. */
function withoutBarePoints(text: string, prose: readonly Prose[]): string {
  let result = "";
  let done = 0;
  let next = 0;
  for (const { 0: literal, index } of text.matchAll(barePoint)) {
    while ((prose[next]?.range.to ?? Infinity) <= index) next++;
    if ((prose[next]?.range.from ?? Infinity) <= index) continue;
    const point = index + literal.length - 1;
    result += `${text.slice(done, point)}_`;
    done = point + 1;
  }
  return done === 0 ? text : result + text.slice(done);
}

/**
 * The tree of a text, by way of the previous one. Recovery from an error depends on what was parsed before it, so only
 * a tree without errors is sure to be the one that a parse from scratch gives.
 */
function treeOf(text: string, previous: Parsed | undefined): Tree {
  const fragments = fragmentsOf(previous, text);
  const tree = parser.parse(text, fragments);
  return fragments === undefined || !hasError(tree) ? tree : parser.parse(text);
}

function hasError(tree: Tree): boolean {
  let found = false;
  tree.iterate({
    enter: ({ type }) => {
      found ||= type.isError;
      return !found;
    },
  });
  return found;
}

/** The parts of the previous tree before and after the one stretch in which the two texts differ. */
function fragmentsOf(previous: Parsed | undefined, text: string): readonly TreeFragment[] | undefined {
  if (!previous || text.length < worthReusing) return undefined;
  const old = previous.closedText;
  const shorter = Math.min(old.length, text.length);
  let start = 0;
  while (start < shorter && old.charCodeAt(start) === text.charCodeAt(start)) start++;
  start = beforeBlankLines(old, start);
  let end = 0;
  while (
    end < shorter - start &&
    old.charCodeAt(old.length - 1 - end) === text.charCodeAt(text.length - 1 - end)
  )
    end++;
  const change = { fromA: start, toA: old.length - end, fromB: start, toB: text.length - end };
  return TreeFragment.applyChanges(TreeFragment.addTree(previous.tree), [change]);
}

/**
 * Where the last line of code begins above an offset that only white space and comments are above: which bodies end
 * there is decided by the first line of code below.
 */
function beforeBlankLines(text: string, offset: number): number {
  let at = offset;
  for (;;) {
    let from = at;
    while (from > 0 && text.charCodeAt(from - 1) !== 10 && text.charCodeAt(from - 1) !== 13) from--;
    const written = text.slice(from, at).trim();
    if (written !== "" && !written.startsWith("#")) return at === offset ? offset : from;
    if (from === 0) return 0;
    at = from - 1;
  }
}
