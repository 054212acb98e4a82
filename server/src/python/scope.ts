/**
 * The names of a whole file. What is worked out for one block may ask about names of others; every such question is
 * noted, so that after an edit the work is repeated only where an answer has changed.
 */
import {
  dottedPath,
  type ClassStmt,
  type Expr,
  type FunctionStmt,
  type ParameterNode,
  walkExpression,
  expressionsOf,
  bodiesOf,
  type Stmt,
} from "./ast";
import type { Block, Construction, Declaration } from "./block";
import type { Known } from "./constants";
import { normalize } from "./imports";
import signatures from "./signatures.json";

export interface Signature {
  readonly role: string;
  readonly parameters: readonly string[];
}
const knownSignatures = new Map<string, Signature>(Object.entries(signatures));

/** Constructor parameters and role of a library's layer class. */
export function signatureOf(qualified: string): Signature | undefined {
  return knownSignatures.get(qualified);
}

/** Names that stand for their module even before the import is written. */
const customary: Readonly<Record<string, string>> = { nn: "torch.nn", torch: "torch" };

/** What the file has to say about a name, and the blocks that say it, by their ids: an old answer holds no old block. */
interface Answer<T> {
  readonly all: T[];
  readonly blocks: number[];
}

const nothing: Answer<never> = { all: [], blocks: [] };

function add<T extends { readonly block: Block }>(
  answers: Map<string, Answer<T>>,
  name: string,
  one: T,
): void {
  const known = answers.get(name);
  if (!known) answers.set(name, { all: [one], blocks: [one.block.id] });
  else {
    known.all.push(one);
    known.blocks.push(one.block.id);
  }
}

let scopes = 0;

export class Scope {
  /** What parameters hold; kept here, because a value may be an instance, which speaks of this very scope. */
  readonly parameters = new Map<ParameterNode, Kept<Known>>();
  private readonly declarations = new Map<string, Answer<Declaration>>();
  private constructed: ReadonlyMap<string, Answer<Construction>> | undefined;
  private readonly stars: string[] = [];
  private readonly config: (Declaration & { kind: "class" }) | undefined;
  private asking: Questions | undefined;
  private readonly id = scopes++;

  constructor(private readonly blocks: readonly Block[]) {
    const configs: (Declaration & { kind: "class" })[] = [];
    for (const block of blocks) {
      for (const declaration of block.declarations) {
        if (declaration.kind === "import" && declaration.binding.star) {
          this.stars.push(declaration.binding.qualified);
          continue;
        }
        if (
          declaration.kind === "class" &&
          /(?:Config|Configuration|Args|Arguments|Params)$/.test(declaration.name)
        )
          configs.push(declaration);
        add(this.declarations, declaration.name, declaration);
      }
    }
    this.config = configs.length === 1 ? configs[0] : undefined;
  }

  private get constructedByName(): ReadonlyMap<string, Answer<Construction>> {
    if (!this.constructed) {
      const all = new Map<string, Answer<Construction>>();
      for (const block of this.blocks)
        for (const [name, constructions] of (block.memory.constructions ??= constructionsIn(block)))
          for (const construction of constructions) add(all, name, construction);
      this.constructed = all;
    }
    return this.constructed;
  }

  /** The result of `work` for a node or block, kept from an earlier scope while all answers it rests on are the same. */
  derive<K, T>(memory: Map<K, Kept<T>>, subject: K, work: () => T): T {
    let kept = memory.get(subject);
    if (!kept || !this.stillHolds(kept.questions)) {
      const outer = this.asking;
      const asking = (this.asking = new Questions(this.id));
      try {
        kept = { questions: asking, value: work() };
      } finally {
        this.asking = outer;
      }
      memory.set(subject, kept);
    }
    this.asking?.parts.add(kept.questions);
    return kept.value;
  }

  private stillHolds(questions: Questions): boolean {
    if (questions.holdsFor === this.id) return true;
    for (const [name, blocks] of questions.names)
      if (!same((this.declarations.get(name) ?? nothing).blocks, blocks)) return false;
    for (const [name, blocks] of questions.constructions)
      if (!same((this.constructedByName.get(name) ?? nothing).blocks, blocks)) return false;
    if (questions.config !== undefined && questions.config !== this.configBlock) return false;
    if (questions.stars && !same(questions.stars, this.stars)) return false;
    for (const part of questions.parts) if (!this.stillHolds(part)) return false;
    questions.holdsFor = this.id;
    return true;
  }

  private get configBlock(): number {
    return this.config?.block.id ?? -1;
  }

  /** What a bare name stands for at the top level; the last definition wins, imports inside functions come last. */
  lookup(name: string): Declaration | undefined {
    const all = this.ask(name);
    let last: Declaration | undefined;
    for (const declaration of all) {
      const nested = declaration.kind === "import" && declaration.binding.nested;
      if (!nested || !last || (last.kind === "import" && last.binding.nested)) last = declaration;
    }
    return last;
  }

  private ask(name: string): readonly Declaration[] {
    const { all, blocks } = this.declarations.get(name) ?? nothing;
    this.asking?.names.set(name, blocks);
    return all;
  }

  /** The value of a top-level variable that is assigned exactly once. */
  constant(name: string): { value: Expr; block: Block } | undefined {
    const all = this.ask(name);
    const [only] = all;
    return all.length === 1 && only?.kind === "variable" && only.value
      ? { value: only.value, block: only.block }
      : undefined;
  }

  /** The file's config class when it has exactly one. */
  onlyConfig(): (Declaration & { kind: "class" }) | undefined {
    if (this.asking) this.asking.config = this.configBlock;
    return this.config;
  }

  /** Every call in the file by this bare name. */
  constructions(name: string): readonly Construction[] {
    const { all, blocks } = this.constructedByName.get(name) ?? nothing;
    this.asking?.constructions.set(name, blocks);
    return all;
  }

  /** The qualified name of a dotted path; same-file definitions keep their bare name. */
  resolve(expression: Expr): string | undefined {
    const parts = dottedPath(expression);
    if (!parts) return undefined;
    return this.resolveParts(parts);
  }

  resolveParts(parts: readonly string[]): string | undefined {
    const [head = "", ...rest] = parts;
    const declaration = this.lookup(head);
    if (declaration?.kind === "import") return normalize([declaration.binding.qualified, ...rest].join("."));
    if (declaration?.kind === "class" || declaration?.kind === "function") return parts.join(".");
    if (declaration) {
      // `Linear = nn.Linear` at the top level is an alias.
      const constant = this.constant(head);
      const target = constant && dottedPath(constant.value);
      if (!target || target[0] === head) return undefined;
      const resolved = this.resolveParts(target);
      return resolved === undefined ? undefined : normalize([resolved, ...rest].join("."));
    }
    if (this.asking) this.asking.stars = this.stars;
    const starred = this.resolveStar(head);
    if (starred !== undefined) return normalize([starred, ...rest].join("."));
    const module = customary[head];
    return module !== undefined && rest.length > 0 ? normalize([module, ...rest].join(".")) : undefined;
  }

  /** What a customary name stands for when the file does not bind it: `nn` is `torch.nn`. */
  moduleNamed(name: string): string | undefined {
    return this.lookup(name) ? undefined : customary[name];
  }

  private resolveStar(name: string): string | undefined {
    const exact = this.stars.find((module) => knownSignatures.has(`${module}.${name}`));
    if (exact !== undefined) return `${exact}.${name}`;
    if (!/^[A-Z]\w*[a-z]|^get_peft_model/.test(name)) return undefined;
    const module = this.stars.find((star) => !star.startsWith("torch"));
    return module === undefined ? undefined : `${module}.${name}`;
  }
}

/** What was asked of the file while a value was worked out, with the blocks that answered. */
class Questions {
  readonly names = new Map<string, readonly number[]>();
  readonly constructions = new Map<string, readonly number[]>();
  /** The questions of other values that went into this one. */
  readonly parts = new Set<Questions>();
  config: number | undefined;
  stars: readonly string[] | undefined;

  /** `holdsFor` is the last scope that gave the same answers. */
  constructor(public holdsFor: number) {}
}

/** A value with what was asked of the file for it. */
export interface Kept<T> {
  readonly questions: Questions;
  readonly value: T;
}

function same(one: readonly unknown[], other: readonly unknown[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((value, index) => value === other[index]))
  );
}

/** Calls by a bare capitalised name in a block, with the class and function around each. */
function constructionsIn(block: Block): Map<string, Construction[]> {
  const found = new Map<string, Construction[]>();
  const visit = (statements: readonly Stmt[], owner?: ClassStmt, within?: FunctionStmt) => {
    for (const statement of statements) {
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (node) => {
          if (node.kind !== "call" || node.callee.kind !== "name" || !/^_*[A-Z]/.test(node.callee.name))
            return;
          const construction = {
            call: node,
            block,
            statement,
            ...(owner && { owner }),
            ...(within && { function: within }),
          };
          const known = found.get(node.callee.name);
          if (known) known.push(construction);
          else found.set(node.callee.name, [construction]);
        });
      for (const body of bodiesOf(statement)) {
        if (statement.kind === "class") visit(body, statement, undefined);
        else if (statement.kind === "function") visit(body, owner, statement);
        else visit(body, owner, within);
      }
    }
  };
  visit(block.statements);
  return found;
}
