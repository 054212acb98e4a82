/**
 * A file that others import from, as far as they need it. Of its top-level statements only those are kept that define
 * a wanted name, or one that these mention in turn; the rest of its text is let go.
 */
import { configNames } from "./names/constants";
import { copyOf, type Placed, placedBlock } from "./reading";
import { scan, type SourceBlock } from "./text/resync";
import { configClass } from "./names/scope";

/** What a file takes from others, by module as it writes it: names, or "all" of a module that it uses as a whole. */
export interface Needs {
  readonly modules: ReadonlyMap<string, ReadonlySet<string> | "all">;
  /** Every name that the file mentions: of a whole module it can need no others. */
  readonly mentioned: () => ReadonlySet<string>;
}

export interface Outline {
  readonly placed: readonly Placed[];
  readonly needs: Needs;
  /** Whether the file binds a name at its top level. */
  has(name: string): boolean;
  /** Characters that were kept. */
  readonly size: number;
}

/** Longer statements are data; of a longer class its first methods are kept. */
const maximumStatement = 60_000;
/** Assignments up to this are parsed to see what they bind. */
const shortStatement = 600;

const identifier = /[^\W\d]\w*/gu;
const definitionHead = /^(?:async[ \t]+def|def|class)[ \t]+([^\W\d]\w*)/mu;
const longClass = /^(?:[ \t]*(?:#[^\r\n]*|@[^\r\n]*)?(?:\r\n?|\n))*class[ \t]/;
const methodHead = /^[ \t]+(?:@\w|def[ \t])/gm;
const assignmentHead = /^([^\W\d]\w*)[ \t]*(?::[^=\n]*)?=(?!=)/u;
/** Neither defines anything for others: `if __name__ == "__main__":`, a docstring. */
const forNobody = /^(?:if[ \t]+__name__\b|[rRbBuU]?["'])/;
const blankAndComments = /^(?:[ \t\f]*(?:#[^\r\n]*)?(?:\r\n?|\n))*/;

/** A statement that may be wanted; it is read at once where its beginning does not tell what it binds. */
interface Piece {
  readonly source: SourceBlock;
  read?: Placed;
  kept: boolean;
}

/** Reads a file, a statement at a step: what is `wanted` and what that needs, up to `maximum` characters. */
export function* outlining(
  text: string,
  wanted: ReadonlySet<string>,
  maximum: number,
): Generator<undefined, Outline> {
  const pieces = new Map<string, Piece[]>();
  for (const whole of scan(text).blocks) {
    const source = whole.to - whole.from > maximumStatement ? beginning(whole, text) : whole;
    if (!source) continue;
    const piece: Piece = { source, kept: false };
    for (const name of boundBy(piece, text)) {
      const others = pieces.get(name);
      if (others) others.push(piece);
      else pieces.set(copyOf(name, 0, name.length), [piece]);
    }
    yield;
  }
  const placed: Placed[] = [];
  const mentioned = new Set(wanted);
  let size = 0;
  // A set grows while it is walked through: what a statement mentions is looked at in its turn.
  for (const name of mentioned) {
    // `config` without an annotation is the file's config class.
    if (configNames.test(name))
      for (const each of pieces.keys()) if (configClass.test(each)) mentioned.add(each);
    for (const piece of pieces.get(name) ?? []) {
      const length = piece.source.to - piece.source.from;
      if (piece.kept || size + length > maximum) continue;
      piece.kept = true;
      size += length;
      const read = (piece.read ??= placedBlock(text, piece.source));
      placed.push(read);
      if (!read.block.statements.every(({ kind }) => kind === "import"))
        for (const [word] of read.block.text.matchAll(identifier)) mentioned.add(word);
      yield;
    }
  }
  for (const piece of pieces.get("*") ?? []) if (piece.read && !piece.kept) placed.push(piece.read);
  placed.sort((one, other) => one.from - other.from);
  const names = new Set(pieces.keys());
  return { placed, size, needs: needsOf(placed, () => mentioned, mentioned), has: (name) => names.has(name) };
}

/** A class up to the last method that begins within the limit. */
function beginning(source: SourceBlock, text: string): SourceBlock | undefined {
  const { from, insertions, prose } = source;
  const written = text.slice(from, from + maximumStatement);
  if (!longClass.test(written)) return undefined;
  const [last] = [...written.matchAll(methodHead)].slice(-1);
  if (!last) return undefined;
  const to = from + last.index;
  return {
    ...source,
    to,
    insertions: insertions.filter(({ at }) => at <= to),
    prose: prose.filter(({ range }) => range.to <= to),
  };
}

/** Names that a statement binds; what others cannot import binds none. */
function boundBy(piece: Piece, text: string): readonly string[] {
  const written = text.slice(piece.source.from, piece.source.to).replace(blankAndComments, "");
  if (written === "" || forNobody.test(written)) return [];
  const definition = definitionHead.exec(written)?.[1];
  if (definition !== undefined) return [definition];
  const assigned = written.length > shortStatement ? assignmentHead.exec(written)?.[1] : undefined;
  if (assigned !== undefined) return [assigned];
  piece.read = placedBlock(text, piece.source);
  return [
    ...piece.read.block.declarations.filter((each) => each.kind !== "import" || !each.binding.nested),
  ].map(({ name }) => name);
}

/** What statements take from other modules: of their imports, those that are `used` by name. */
export function needsOf(
  placed: readonly Placed[],
  mentioned: () => ReadonlySet<string>,
  used?: ReadonlySet<string>,
): Needs {
  const modules = new Map<string, Set<string> | "all">();
  for (const { block } of placed)
    for (const { module, name, local, star } of block.bindings) {
      if (used && !star && !used.has(local)) continue;
      const known = modules.get(module);
      if (name === undefined || known === "all") modules.set(module, "all");
      else if (known) known.add(name);
      else modules.set(module, new Set([name]));
    }
  return { modules, mentioned };
}

/** Every name in a text. */
export function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.match(identifier));
}
