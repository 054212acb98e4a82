/**
 * A Python file and what it says. Facts are worked out when first asked for; after an edit, blocks whose text and
 * whose questions to the rest of the file have the same answers keep theirs.
 */
import { type Stmt, walkStatements } from "./ast";
import { Block } from "./block";
import { usesIn } from "./calls";
import type { Place } from "./constants";
import type { Call, Definition, Layout, ModuleClass, Prose, PythonFacts, Range } from "./facts";
import { layoutOf } from "./layout";
import { methodFact, modulesIn } from "./modules";
import { type Scan, scan } from "./resync";
import { Scope } from "./scope";
import { type BlockFacts, shiftFacts } from "./shift";
import { localFacts } from "./local";
import { stepsIn } from "./steps";

export interface Change {
  readonly from: number;
  readonly to: number;
  readonly insert: string;
}

export interface PythonDocument {
  readonly text: string;
  readonly facts: PythonFacts;
  /** The document after the changes, whose offsets all speak of this text. */
  edit(changes: readonly Change[]): PythonDocument;
}

/** Reads a file; never throws, whatever the text. */
export function readPython(text: string): PythonDocument {
  return new Document(text, []);
}

/** Longer files are data; the limit keeps a request short whatever is opened. */
const maximumLength = 2_000_000;

interface Placed {
  readonly block: Block;
  readonly from: number;
}

class Document implements PythonDocument {
  private read: { readonly facts: PythonFacts; readonly placed: readonly Placed[] } | undefined;

  constructor(
    readonly text: string,
    private earlier: readonly Placed[],
  ) {}

  get facts(): PythonFacts {
    if (!this.read) {
      this.read = readFacts(this.text, this.earlier);
      this.earlier = [];
    }
    return this.read.facts;
  }

  edit(changes: readonly Change[]): PythonDocument {
    let text = "";
    let done = 0;
    const clamp = (offset: number) => Math.max(done, Math.min(offset, this.text.length));
    for (const { from, to, insert } of [...changes].sort((one, other) => one.from - other.from)) {
      text += this.text.slice(done, clamp(from)) + insert;
      done = Math.max(clamp(from), clamp(to));
    }
    return new Document(text + this.text.slice(done), this.read?.placed ?? this.earlier);
  }
}

function readFacts(text: string, earlier: readonly Placed[]) {
  const scanned = text.length <= maximumLength ? scan(text) : { blocks: [], prose: [] };
  const placed = place(text, scanned, earlier);
  const scope = new Scope(placed.map(({ block }) => block));
  const all = lazily(() => placed.map((each) => factsAt(each, scope)));
  const join = <K extends keyof BlockFacts>(key: K) =>
    lazily((): readonly BlockFacts[K][number][] =>
      all().flatMap((facts): readonly BlockFacts[K][number][] => facts[key]),
    );
  const imports = join("imports");
  const references = join("references");
  const definitions = join("definitions");
  const calls = join("calls");
  const modules = lazily(() =>
    withConstructions(
      all().flatMap((facts) => facts.modules),
      calls(),
    ),
  );
  const functions = join("functions");
  const generation = join("generation");
  const training = join("training");
  const layout = lazily((): Layout => layoutOf(text, scanned.prose, imports(), importEnd(text, placed)));
  const unread = lazily(() => unreadIn(text, placed));
  const prose: readonly Prose[] = scanned.prose;
  const facts: PythonFacts = {
    get imports() {
      return imports();
    },
    get references() {
      return references();
    },
    get definitions() {
      return definitions();
    },
    get calls() {
      return calls();
    },
    get modules() {
      return modules();
    },
    get functions() {
      return functions();
    },
    get generation() {
      return generation();
    },
    get training() {
      return training();
    },
    prose,
    get layout() {
      return layout();
    },
    get unread() {
      return unread();
    },
  };
  localFacts.set(facts, (offset) => {
    const index = placed.findLastIndex(({ from }) => from <= offset);
    const here = placed[index];
    const before = placed[index - 1];
    // At the seam of two blocks both may be meant.
    return (here?.from === offset && before ? [before, here] : here ? [here] : []).map((each) =>
      factsAt(each, scope),
    );
  });
  return { facts, placed };
}

function lazily<T>(work: () => T): () => T {
  let done: { readonly value: T } | undefined;
  return () => (done ??= { value: work() }).value;
}

/** Parses what is new and takes over what is not. */
function place(text: string, { blocks }: Scan, earlier: readonly Placed[]): Placed[] {
  const known = new Map<string, Block>();
  for (const { block } of earlier) known.set(block.key, block);
  // The blocks between the unchanged beginning and the unchanged end are versions of each other, in order.
  const sources = blocks.map(({ from, to, insertions, tooDeep }) => ({
    from,
    text: text.slice(from, to),
    insertions: insertions.map((insertion) => ({ at: insertion.at - from, text: insertion.text })),
    tooDeep,
  }));
  let unchanged = 0;
  while (unchanged < earlier.length && earlier[unchanged]?.block.text === sources[unchanged]?.text)
    unchanged++;
  return sources.map(({ from, text, insertions, tooDeep }, index) => {
    const key = Block.keyOf(text, insertions, tooDeep);
    const predecessor = index >= unchanged ? earlier[index]?.block : undefined;
    const block = known.get(key) ?? new Block(text, insertions, tooDeep, predecessor);
    known.set(key, block);
    return { block, from };
  });
}

function factsAt({ block, from }: Placed, scope: Scope): BlockFacts {
  const { memory } = block;
  const facts = scope.derive(memory.facts, "facts", () => blockFacts(block, scope));
  if (memory.moved?.origin !== facts || memory.moved.from !== from)
    memory.moved = { origin: facts, from, facts: shiftFacts(facts, from) };
  return memory.moved.facts;
}

function blockFacts(block: Block, scope: Scope): BlockFacts {
  const whole: Place = { scope, block };
  const functions = block.declarations.flatMap((declaration) =>
    declaration.kind === "function"
      ? [methodFact(declaration.node, { ...whole, function: declaration.node })]
      : [],
  );
  return {
    imports: block.bindings.map(({ local, qualified, statement, nameRange, aliasRange }) => ({
      local,
      qualified,
      statement,
      nameRange,
      ...(aliasRange && { aliasRange }),
    })),
    ...usesIn(block, whole),
    definitions: definitionsIn(block),
    modules: modulesIn(block, scope),
    functions,
    ...stepsIn(block, whole),
  };
}

function definitionsIn(block: Block): Definition[] {
  return block.declarations.flatMap((declaration): Definition[] => {
    if (declaration.kind === "import") return [];
    const { kind, name } = declaration;
    if (kind === "variable") {
      const range = { from: declaration.target.from, to: declaration.target.to };
      return [{ name, kind, range, nameRange: range }];
    }
    const { from, to, nameFrom, body } = declaration.node;
    const docstring = docstringOf(body);
    return [
      {
        name,
        kind,
        range: { from, to },
        nameRange: { from: nameFrom, to: nameFrom + name.length },
        ...(docstring !== undefined && { docstring }),
      },
    ];
  });
}

function docstringOf([first]: readonly Stmt[]): string | undefined {
  return first?.kind === "expression" && first.value.kind === "string" ? first.value.value : undefined;
}

function withConstructions(modules: readonly ModuleClass[], calls: readonly Call[]): ModuleClass[] {
  const byName = new Map<string, Call[]>();
  for (const module of modules) byName.set(module.name, []);
  for (const call of calls) if (call.qualified !== undefined) byName.get(call.qualified)?.push(call);
  return modules.map((module) => ({ ...module, constructedWith: byName.get(module.name) ?? [] }));
}

/** After the last import at the top of the file, else after its docstring and leading comments, at a line's start. */
function importEnd(text: string, placed: readonly Placed[]): number {
  let end = text.startsWith("\ufeff") ? 1 : 0;
  const leading = /(?:[ \t]*#[^\r\n]*(?:\r\n?|\n|$))*/y;
  leading.lastIndex = end;
  if (leading.test(text)) end = leading.lastIndex;
  let first = true;
  for (const { block, from } of placed) {
    for (const statement of block.statements) {
      const isDocstring = first && statement.kind === "expression" && statement.value.kind === "string";
      first = false;
      const guarded = statement.kind === "if" || statement.kind === "compound";
      if (isDocstring || statement.kind === "import" || (guarded && onlyImports(statement)))
        end = lineEnd(text, from + statement.to);
      else if (!guarded && statement.kind !== "assign" && statement.kind !== "expression") return end;
    }
  }
  return end;
}

/** `try: import a` / `except ImportError: a = None`, `if TYPE_CHECKING: from a import b`. */
function onlyImports(statement: Stmt): boolean {
  const found = { imports: false, others: false };
  walkStatements([statement], (inner) => {
    if (inner.kind === "import") found.imports = true;
    else if (inner.kind === "class" || inner.kind === "function" || inner.kind === "for") found.others = true;
  });
  return found.imports && !found.others;
}

/** The offset after the line break that ends the line of `offset`. */
function lineEnd(text: string, offset: number): number {
  const rest = /[^\r\n]*(?:\r\n?|\n|$)/y;
  rest.lastIndex = offset;
  return rest.test(text) ? rest.lastIndex : offset;
}

function unreadIn(text: string, placed: readonly Placed[]): Range[] {
  if (placed.length === 0) return text === "" ? [] : [{ from: 0, to: text.length }];
  return placed.flatMap(({ block, from }) =>
    block.parsed
      ? block.parsed.errors.map((error) => ({ from: error.from + from, to: error.to + from }))
      : [{ from, to: from + block.text.length }],
  );
}
