/**
 * A Python file and what it says. Facts are worked out when first asked for, kind by kind; after an edit, blocks whose
 * text and whose questions to the rest of the file have the same answers keep theirs.
 */
import { group } from "../group";
import { lazily } from "../lazily";
import { type Stmt, walkStatements } from "./tree/ast";
import type { Block } from "./names/block";
import { callsIn, referencesIn } from "./names/calls";
import { computationOf, computationOfFacts } from "./formulas/computation";
import type { Place } from "./names/constants";
import type { Call, Definition, ImportBinding, Layout, ModuleClass, PythonFacts, Range } from "./facts";
import { importedClass, importedModules } from "./imported";
import { layoutOf } from "./text/layout";
import { localFacts } from "./local";
import { membersAt } from "./values/members";
import { methodFact, modulesIn } from "./modules";
import { alone, type Neighbourhood } from "./names/neighbourhood";
import { type Placed, type Reading, readBlocks } from "./reading";
import { Scope } from "./names/scope";
import { type BlockFacts, moveFacts } from "./shift";
import { stepsIn } from "./steps";
import { followValues, valuesOfFacts } from "./values/values";

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
  /** The document when its text has become `text`; what did not change is not read again. */
  become(text: string): PythonDocument;
  /** The same text among other files than before. */
  among(neighbourhood: Neighbourhood): PythonDocument;
  /** What its names stand for, for files that import them. */
  readonly names: Scope;
}

/** Reads a file; never throws, whatever the text. */
export function readPython(text: string, neighbourhood = alone): PythonDocument {
  return new Document(text, neighbourhood, undefined);
}

interface Read {
  readonly reading: Reading;
  readonly scope: Scope;
  readonly facts: PythonFacts;
}

class Document implements PythonDocument {
  private done: Read | undefined;

  constructor(
    readonly text: string,
    private readonly neighbourhood: Neighbourhood,
    private earlier: Reading | undefined,
  ) {}

  get facts(): PythonFacts {
    return this.read().facts;
  }

  get names(): Scope {
    return this.read().scope;
  }

  private read(): Read {
    if (!this.done) {
      const reading = readBlocks(this.text, this.earlier);
      const scope = new Scope(reading.placed, this.neighbourhood);
      this.done = { reading, scope, facts: factsOf(this.text, scope) };
      this.earlier = undefined;
    }
    return this.done;
  }

  edit(changes: readonly Change[]): PythonDocument {
    let text = "";
    let done = 0;
    const clamp = (offset: number) => Math.max(done, Math.min(offset, this.text.length));
    for (const { from, to, insert } of [...changes].sort((one, other) => one.from - other.from)) {
      text += this.text.slice(done, clamp(from)) + insert;
      done = Math.max(clamp(from), clamp(to));
    }
    return this.become(text + this.text.slice(done));
  }

  become(text: string): PythonDocument {
    return new Document(text, this.neighbourhood, this.done?.reading ?? this.earlier);
  }

  among(neighbourhood: Neighbourhood): PythonDocument {
    return new Document(this.text, neighbourhood, this.done?.reading ?? this.earlier);
  }
}

function factsOf(text: string, scope: Scope): PythonFacts {
  const { placed } = scope;
  const join = <K extends keyof BlockFacts>(kind: K) =>
    lazily((): readonly BlockFacts[K][number][] =>
      placed.flatMap((each): readonly BlockFacts[K][number][] => factsAt(kind, each, scope)),
    );
  const imports = join("imports");
  const references = join("references");
  const definitions = join("definitions");
  const calls = join("calls");
  const withConstructions = constructions(calls);
  const moduleFacts = join("modules");
  const modules = lazily(() => moduleFacts().map(withConstructions));
  const imported = lazily(() => importedModules(references(), imports(), calls(), scope));
  const functions = join("functions");
  const generation = join("generation");
  const training = join("training");
  const prose = join("prose");
  const layout = lazily((): Layout => layoutOf(text, prose(), imports(), importEnd(text, placed)));
  const unread = lazily(() => unreadIn(text, placed));
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
    get imported() {
      return imported();
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
    get prose() {
      return prose();
    },
    get layout() {
      return layout();
    },
    get unread() {
      return unread();
    },
  };
  localFacts.set(facts, {
    within(kind, from, to) {
      // At the seam of two blocks both may be meant.
      const first = Math.max(0, lastBefore(placed, from));
      const last = lastBefore(placed, to + 1);
      return placed
        .slice(first, last + 1)
        .flatMap((each): readonly BlockFacts[typeof kind][number][] => factsAt(kind, each, scope));
    },
    module: withConstructions,
    imported: (qualified) => importedClass(qualified, scope)?.module,
    members(offset) {
      const block = placed[lastBefore(placed, offset + 1)];
      return block ? membersAt(block, scope, offset) : { calls: [] };
    },
  });
  computationOfFacts.set(facts, (module) => {
    const declared = placed
      .flatMap(({ block }) => block.declarations)
      .find((each) => each.kind === "class" && each.name === module.name);
    return declared?.kind === "class"
      ? computationOf({ node: declared.node, block: declared.block, scope })
      : undefined;
  });
  valuesOfFacts.set(facts, followValues(placed, scope));
  return facts;
}

/** Index of the last block that begins before an offset; -1 when none does. */
function lastBefore(placed: readonly Placed[], offset: number): number {
  let low = 0;
  let high = placed.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((placed[middle]?.from ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function factsAt<K extends keyof BlockFacts>(kind: K, { block, from }: Placed, scope: Scope): BlockFacts[K] {
  return moveFacts(kind, readers[kind](block, scope), from, block.memory.moved);
}

/** How each kind of facts is read from a block; those that cost something are kept. */
const readers: { readonly [K in keyof BlockFacts]: (block: Block, scope: Scope) => BlockFacts[K] } = {
  imports: (block) => (block.memory.imports ??= importsIn(block)),
  definitions: (block) => (block.memory.definitions ??= definitionsIn(block)),
  prose: (block) => block.prose,
  references: (block, scope) =>
    scope.derive(block.memory.references, "references", () => referencesIn(block, scope)),
  calls: (block, scope) => scope.derive(block.memory.calls, "calls", () => callsIn(block, scope)),
  modules: (block, scope) => scope.derive(block.memory.modules, "modules", () => modulesIn(block, scope)),
  functions: (block, scope) =>
    scope.derive(block.memory.functions, "functions", () => functionsIn(block, { scope, block })),
  generation: (block, scope) => stepsOf(block, scope).generation,
  training: (block, scope) => stepsOf(block, scope).training,
};

function stepsOf(block: Block, scope: Scope) {
  return scope.derive(block.memory.steps, "steps", () => stepsIn(block, { scope, block }));
}

function functionsIn(block: Block, place: Place) {
  return block.declarations.flatMap((declaration) =>
    declaration.kind === "function"
      ? [methodFact(declaration.node, { ...place, function: declaration.node })]
      : [],
  );
}

function importsIn(block: Block): ImportBinding[] {
  return block.bindings.map(({ local, qualified, statement, nameRange, aliasRange }) => ({
    local,
    qualified,
    statement,
    nameRange,
    ...(aliasRange && { aliasRange }),
  }));
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

/** Gives a module class the calls that construct it; the same class is always the same object. */
function constructions(calls: () => readonly Call[]): (module: ModuleClass) => ModuleClass {
  const byName = lazily(() => group(calls(), ({ qualified }) => qualified));
  const complete = new Map<ModuleClass, ModuleClass>();
  return (module) => {
    let known = complete.get(module);
    if (!known) {
      known = {
        ...module,
        get constructedWith() {
          return byName().get(module.name) ?? [];
        },
      };
      complete.set(module, known);
    }
    return known;
  };
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
