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
  type CallExpr,
  type Stmt,
} from "../tree/ast";
import type { Block, Construction, Declaration } from "./block";
import { normalize } from "./imports";
import type { Known } from "./known";
import { alone, headOf, holders, type Neighbourhood } from "./neighbourhood";
import type { Placed } from "../reading";
import signatures from "./signatures.json";

export interface Signature {
  readonly role: string;
  readonly parameters: readonly string[];
}
const knownSignatures = new Map<string, Signature>(Object.entries(signatures));

/** Libraries whose layers are known without their files. */
export const knownLibraries: ReadonlySet<string> = new Set([...knownSignatures.keys()].map(headOf));

/** Constructor parameters and role of a library's layer class. */
export function signatureOf(qualified: string): Signature | undefined {
  return knownSignatures.get(qualified);
}

/** Names that stand for their module even before the import is written. */
const customary: ReadonlyMap<string, string> = new Map([
  ["nn", "torch.nn"],
  ["torch", "torch"],
]);

/** What a star import brings when nothing else binds it: a class, or a function that says what it does. */
const exported =
  /^[A-Z]\w*[a-z]|^(?:get|set|load|save|create|prepare|preprocess|initialize|find|replace|convert|inject|cast_mixed|compose_cartridge|mark_only|shift_tokens|lora_state)_/;

/** What the file has to say about a name, and the blocks that say it, by their ids: an old answer holds no old block. */
interface Answer<T> {
  readonly all: T[];
  readonly blocks: number[];
}

const nothing: Answer<never> = { all: [], blocks: [] };

/** What defines a name, and the file that does; a variable has its one value. */
export type Origin = Exclude<Declaration, { readonly kind: "import" }> & { readonly scope: Scope };

/** A file that constructs a class of another: what it passes is what the class's parameters hold there. */
export interface User {
  readonly scope: Scope;
  /** What it calls the class. */
  readonly local: string;
  readonly type: string;
}

/** Names of config classes. */
export const configClass = /(?:Config|Configuration|Args|Arguments|Params)$/;

/** Names are passed on from file to file no more often than this, which also ends circles. */
const maximumHops = 8;
let hops = 0;

const inModule = (module: string, name: string): string =>
  module.endsWith(".") ? module + name : `${module}.${name}`;

/** Follows a name into another file. */
function hop<T>(follow: () => T): T | undefined {
  if (hops >= maximumHops) return undefined;
  hops++;
  try {
    return follow();
  } finally {
    hops--;
  }
}

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
  private readonly read = new Map<string, boolean>();
  private readonly configs: Declaration[] = [];
  private asking: Questions | undefined;
  private readonly id = scopes++;

  constructor(
    readonly placed: readonly Placed[],
    readonly neighbourhood: Neighbourhood = alone,
    readonly user?: User,
  ) {
    for (const { block } of placed) {
      for (const declaration of block.declarations) {
        if (declaration.kind === "import" && declaration.binding.star) {
          this.stars.push(declaration.binding.qualified);
          continue;
        }
        if (
          (declaration.kind === "class" || declaration.kind === "import") &&
          configClass.test(declaration.name)
        )
          this.configs.push(declaration);
        add(this.declarations, declaration.name, declaration);
      }
    }
  }

  private get constructedByName(): ReadonlyMap<string, Answer<Construction>> {
    if (!this.constructed) {
      const all = new Map<string, Answer<Construction>>();
      for (const { block } of this.placed)
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

  /** Whether the file binds a name once, and does nothing with it afterwards but read its fields. */
  isOnlyRead(name: string): boolean {
    const answer = this.isRead(name);
    this.asking?.onlyRead.set(name, answer);
    return answer;
  }

  private isRead(name: string): boolean {
    const known = this.read.get(name);
    if (known !== undefined) return known;
    const field = String.raw`\.\w+\b(?!\s*(?:[.[(]|[-+*/%@&|^]*=(?!=)))`;
    const mention = new RegExp(String.raw`(?<!\.)\b${name}\b(?:\s*(?::[^=\n]*)?=(?!=)|${field})?`, "g");
    const text = this.placed.map(({ block }) => block.text).join("");
    const [bound, ...others] = [...text.matchAll(mention)].map(([found]) => found.slice(name.length));
    const answer = bound?.endsWith("=") === true && others.every((each) => each.startsWith("."));
    this.read.set(name, answer);
    return answer;
  }

  private stillHolds(questions: Questions): boolean {
    if (questions.holdsFor === this.id) return true;
    for (const [name, blocks] of questions.names)
      if (!same((this.declarations.get(name) ?? nothing).blocks, blocks)) return false;
    for (const [name, blocks] of questions.constructions)
      if (!same((this.constructedByName.get(name) ?? nothing).blocks, blocks)) return false;
    if (questions.configs && !same(questions.configs, this.configBlocks)) return false;
    for (const [head, answer] of questions.modules) if (this.leadingTo(head) !== answer) return false;
    if (questions.stars && !same(questions.stars, this.stars)) return false;
    for (const [name, answer] of questions.onlyRead) if (this.isRead(name) !== answer) return false;
    for (const part of questions.parts) if (!this.stillHolds(part)) return false;
    questions.holdsFor = this.id;
    return true;
  }

  private get configBlocks(): number[] {
    return this.configs.map(({ block }) => block.id);
  }

  /** The neighbours where a module name that begins like this leads to one of them. */
  private leadingTo(head: string): Neighbourhood | undefined {
    return this.neighbourhood.heads.has(head) ? this.neighbourhood : undefined;
  }

  /**
   * What a bare name stands for at the top level; the last definition wins, imports inside functions come last, and None
   * in place of a library that is not installed says nothing of what is called.
   */
  lookup(name: string): Declaration | undefined {
    const all = this.ask(name);
    let last: Declaration | undefined;
    for (const declaration of all) {
      if (last?.kind === "import" && isNone(declaration)) continue;
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

  /** Whether a field of a class is assigned anywhere outside the class's body. */
  assigns(type: string, field: string): boolean {
    return this.ask(`${type}.${field}`).length > 0 || this.ask(`${type}.*`).length > 0;
  }

  /** The values of a top-level variable that is assigned several times; none where one of them is not known. */
  alternatives(name: string): readonly Expr[] {
    const all = this.ask(name);
    const values = all.flatMap((each) => (each.kind === "variable" && each.value ? [each.value] : []));
    return all.length > 0 && values.length === all.length ? values : [];
  }

  /** The file's config class when it has exactly one, or has none and imports exactly one. */
  onlyConfig(): (Origin & { kind: "class" }) | undefined {
    if (this.asking) this.asking.configs = this.configBlocks;
    const own = this.configs.filter(({ kind }) => kind === "class");
    const found = new Map<ClassStmt, Origin & { kind: "class" }>();
    for (const { name } of own.length > 0 ? own : this.configs) {
      const origin = this.origin(name);
      if (origin?.kind === "class") found.set(origin.node, origin);
    }
    const [only] = found.values();
    return found.size === 1 && own.length <= 1 ? only : undefined;
  }

  /** What defines a name of the file's top level, wherever it was imported from. */
  origin(name: string): Origin | undefined {
    const declaration = this.lookup(name);
    switch (declaration?.kind) {
      case "class":
      case "function":
        return { ...declaration, scope: this };
      case "variable":
        return this.constant(name) && { ...declaration, scope: this };
      case "import":
        return this.definition(declaration.binding.qualified);
      case undefined: {
        if (this.asking) this.asking.stars = this.stars;
        for (const star of this.stars) {
          const origin = this.definition(inModule(star, name));
          if (origin) return origin;
        }
        return undefined;
      }
    }
  }

  /** What defines what a dotted path names: `GPTConfig`, `configs.GPTConfig`. */
  originOf(parts: readonly string[]): Origin | undefined {
    const [name, another] = parts;
    if (name === undefined) return undefined;
    if (another === undefined) return this.origin(name);
    const qualified = this.resolveParts(parts);
    return qualified === undefined ? undefined : this.definition(qualified);
  }

  /** What defines a qualified name: a bare one in this file, a dotted one in a neighbour. */
  definition(qualified: string): Origin | undefined {
    if (!qualified.includes(".")) {
      const declaration = this.lookup(qualified);
      return declaration?.kind === "import" ? undefined : this.origin(qualified);
    }
    const neighbours = this.askNeighbours(qualified);
    if (!neighbours) return undefined;
    for (const { module, names } of holders(qualified)) {
      const [name, another] = names;
      const scope = neighbours.module(module);
      if (scope && name !== undefined)
        return another === undefined ? hop(() => scope.origin(name)) : undefined;
    }
    return undefined;
  }

  /** A name that a neighbour only passes on is called as where it comes from: `.common.nn` may be `torch.nn`. */
  private passedOn(qualified: string): string {
    const neighbours = this.askNeighbours(qualified);
    if (!neighbours) return qualified;
    for (const { module, names } of holders(qualified)) {
      const scope = neighbours.module(module);
      if (!scope) continue;
      const further = hop(() =>
        scope.lookup(names[0] ?? "")?.kind === "class" ? undefined : scope.resolveParts(names),
      );
      return further !== undefined && scope.isLibrary(further) ? further : qualified;
    }
    return qualified;
  }

  /** Whether a qualified name belongs to none of the files at hand. */
  isLibrary(qualified: string): boolean {
    const head = headOf(qualified);
    if (!qualified.includes(".") || head === "." || this.neighbourhood.heads.has(head)) return false;
    const kind = this.lookup(head)?.kind;
    return kind === undefined || kind === "import";
  }

  private askNeighbours(qualified: string): Neighbourhood | undefined {
    const head = headOf(qualified);
    const neighbours = this.leadingTo(head);
    this.asking?.modules.set(head, neighbours);
    return neighbours;
  }

  /** Every call in the file by this bare name. */
  constructions(name: string): readonly Construction[] {
    const { all, blocks } = this.constructedByName.get(name) ?? nothing;
    this.asking?.constructions.set(name, blocks);
    const { user } = this;
    const there = user?.type === name ? user.scope.constructions(user.local) : [];
    return there.length > 0 ? there.map((each) => ({ ...each, scope: user?.scope ?? this })) : all;
  }

  /** The calls of `add_argument` that give an argument parser of the file this option. */
  options(name: string): readonly Construction[] {
    return this.constructions(`--${name}`);
  }

  /** Whether the file adds options to an argument parser. */
  hasOptions(): boolean {
    return this.constructions("--").length > 0;
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
    if (declaration?.kind === "import")
      return this.passedOn(normalize([declaration.binding.qualified, ...rest].join(".")));
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
    const star = this.starWith(head);
    if (star !== undefined) return this.passedOn([inModule(star, head), ...rest].join("."));
    const starred = this.resolveStar(head);
    if (starred !== undefined) return normalize([starred, ...rest].join("."));
    const module = customary.get(head);
    return module !== undefined && rest.length > 0 ? normalize([module, ...rest].join(".")) : undefined;
  }

  /** The neighbour that gives the file a name by `from … import *`. */
  private starWith(name: string): string | undefined {
    return this.stars.find((star) => {
      const scope = this.askNeighbours(star)?.module(star);
      return scope && hop(() => scope.lookup(name) ?? scope.starWith(name)) !== undefined;
    });
  }

  /** What a customary name stands for when the file does not bind it: `nn` is `torch.nn`. */
  moduleNamed(name: string): string | undefined {
    return this.lookup(name) ? undefined : customary.get(name);
  }

  private resolveStar(name: string): string | undefined {
    const exact = this.stars.find((module) => knownSignatures.has(`${module}.${name}`));
    if (exact !== undefined) return `${exact}.${name}`;
    if (!exported.test(name)) return undefined;
    for (const star of this.stars) {
      if (star.startsWith("torch")) continue;
      const scope = this.askNeighbours(star)?.module(star);
      if (scope === undefined) return `${star}.${name}`;
      const further = hop(() => scope.resolveStar(name));
      if (further !== undefined && scope.isLibrary(further)) return further;
    }
    return undefined;
  }
}

const isNone = (declaration: Declaration): boolean =>
  declaration.kind === "variable" &&
  declaration.value?.kind === "constant" &&
  declaration.value.value === null;

/** What was asked of the file while a value was worked out, with the blocks that answered. */
class Questions {
  readonly names = new Map<string, readonly number[]>();
  readonly constructions = new Map<string, readonly number[]>();
  /** The questions of other values that went into this one. */
  readonly parts = new Set<Questions>();
  /** By the first part of module names: the neighbours that were asked. */
  readonly modules = new Map<string, Neighbourhood | undefined>();
  /** Names of which it was asked whether the file only reads them. */
  readonly onlyRead = new Map<string, boolean>();
  configs: readonly number[] | undefined;
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

/** `--dim` of `parser.add_argument("-d", "--embed-dim", dest="dim")`. */
function optionOf({ callee, arguments: given }: CallExpr): string | undefined {
  if (callee.kind !== "attribute" || callee.name !== "add_argument") return undefined;
  const named =
    given.find(({ keyword }) => keyword?.name === "dest") ??
    given.find(
      ({ value, keyword }) => !keyword && value.kind === "string" && /^(?:--|\w)/.test(value.value ?? ""),
    );
  const name = named?.value.kind === "string" ? named.value.value : undefined;
  return name === undefined ? undefined : `--${name.replace(/^--/, "").replaceAll("-", "_")}`;
}

/** Calls by a bare name in a block, with the class and function around each; options of argument parsers by `--name`, all of them by `--`. */
function constructionsIn(block: Block): Map<string, Construction[]> {
  const found = new Map<string, Construction[]>();
  const visit = (statements: readonly Stmt[], owner?: ClassStmt, within?: FunctionStmt) => {
    for (const statement of statements) {
      for (const expression of expressionsOf(statement))
        walkExpression(expression, (node) => {
          if (node.kind !== "call") return;
          const option = optionOf(node);
          const { callee } = node;
          const key = callee.kind === "name" && /^_*[A-Z]/.test(callee.name) ? callee.name : option;
          if (key === undefined) return;
          const construction = {
            call: node,
            block,
            statement,
            ...(owner && { owner }),
            ...(within && { function: within }),
          };
          for (const name of option === undefined ? [key] : [option, "--"]) {
            const known = found.get(name);
            if (known) known.push(construction);
            else found.set(name, [construction]);
          }
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
