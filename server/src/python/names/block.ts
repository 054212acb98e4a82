/**
 * One top-level statement of the file with its comments: the unit that is parsed, remembered and reused.
 * A block knows nothing of where it stands, so an edit elsewhere leaves it as it is.
 */
import {
  type CallExpr,
  type ClassStmt,
  type Expr,
  type FunctionStmt,
  type Stmt,
  walkStatements,
} from "../tree/ast";
import type { Expression, Prose, Range, Value } from "../facts";
import { bindingsOf, type Binding } from "./imports";
import { Memory } from "../memory";
import type { Insertion } from "../text/resync";
import type { Scope } from "./scope";
import { type Parsed, parseBlock } from "../tree/syntax";

/** What a name at the top level of the file stands for. */
export type Declaration = (
  | { readonly kind: "import"; readonly name: string; readonly binding: Binding }
  | { readonly kind: "class"; readonly name: string; readonly node: ClassStmt }
  | { readonly kind: "function"; readonly name: string; readonly node: FunctionStmt }
  | { readonly kind: "variable"; readonly name: string; readonly value?: Expr; readonly target: Range }
) & { readonly block: Block };

/** A call by a bare name, with the class and function it stands in: `Block(config)` inside `GPT.__init__`. */
export interface Construction {
  readonly call: CallExpr;
  readonly statement: Stmt;
  readonly block: Block;
  readonly owner?: ClassStmt;
  readonly function?: FunctionStmt;
  /** Of the file that it stands in; absent where that is the file of the class. */
  readonly scope?: Scope;
}

let blocks = 0;

/** `Settings.rank = 8`, `Settings.rank += 8`; `setattr(Settings, …)`, `vars(Settings)`. */
const fieldAssignments =
  /\b([A-Z]\w*)\.(\w+)\s*(?::[^=\n]*)?(?:[-+*/|&^%@]|\/\/|\*\*|<<|>>)?=(?!=)|(?:\b(?:set|del)attr\(\s*|\bvars\(\s*)([A-Z]\w*)\b/g;

/** Blocks longer than this are data, not programs. */
const maximumLength = 300_000;

export class Block {
  readonly parsed: Parsed | undefined;
  readonly statements: readonly Stmt[];
  readonly declarations: readonly Declaration[];
  readonly bindings: readonly Binding[];

  readonly memory = new Memory();
  /** No other block has it: what rests on this block can say so without holding it. */
  readonly id = blocks++;
  /** Equal for texts that are read alike. */
  readonly key: string;

  static keyOf(text: string, insertions: readonly Insertion[], tooDeep: boolean): string {
    return insertions.length === 0 && !tooDeep ? text : `${text}\0${JSON.stringify(insertions)}${tooDeep}`;
  }

  constructor(
    readonly text: string,
    readonly insertions: readonly Insertion[],
    tooDeep: boolean,
    readonly prose: readonly Prose[],
    previous?: Block,
    known?: { readonly parsed: Parsed | undefined },
  ) {
    this.key = Block.keyOf(text, insertions, tooDeep);
    const readable = !tooDeep && text.length <= maximumLength;
    const parse = () => (readable ? parseBlock(text, insertions, prose, previous?.parsed) : undefined);
    this.parsed = known ? known.parsed : parse();
    this.statements = this.parsed?.statements ?? [];
    this.bindings = bindingsOf(this.statements);
    this.declarations = this.declare();
  }

  /** The same block, of which nothing has been worked out yet. */
  anew(): Block {
    return new Block(this.text, this.insertions, false, this.prose, undefined, this);
  }

  private declare(): Declaration[] {
    const declarations: Declaration[] = this.bindings.map((binding) => ({
      kind: "import",
      name: binding.local,
      binding,
      block: this,
    }));
    walkStatements(this.statements, (statement) => {
      if (statement.kind === "class") {
        if (statement.name !== "")
          declarations.push({ kind: "class", name: statement.name, node: statement, block: this });
        return false;
      }
      if (statement.kind === "function") {
        if (statement.name !== "")
          declarations.push({ kind: "function", name: statement.name, node: statement, block: this });
        return false;
      }
      if (statement.kind === "assign") this.declareVariables(statement, declarations);
      return true;
    });
    this.declareFields(declarations);
    return declarations;
  }

  /** Fields of classes that are assigned from outside: "Settings.rank", and "Settings.*" for any of them. */
  private declareFields(into: Declaration[]): void {
    for (const { 1: type, 2: field, 3: any, index } of this.text.matchAll(fieldAssignments))
      into.push({
        kind: "variable",
        name: any === undefined ? `${type ?? ""}.${field ?? ""}` : `${any}.*`,
        target: { from: index, to: index },
        block: this,
      });
  }

  private declareVariables(statement: Stmt & { kind: "assign" }, into: Declaration[]): void {
    const { value } = statement;
    for (const target of statement.targets) {
      if (target.kind === "name") {
        const known = statement.operator === "=" && value;
        into.push({ kind: "variable", name: target.name, target, block: this, ...(known && { value }) });
      } else if (target.kind === "tuple") {
        target.items.forEach((item, index) => {
          if (item.kind !== "name") return;
          const element = value?.kind === "tuple" || value?.kind === "list" ? value.items[index] : undefined;
          into.push({
            kind: "variable",
            name: item.name,
            target: item,
            block: this,
            ...(element && { value: element }),
          });
        });
      }
    }
  }

  /** The source of a stretch of this block. */
  slice(range: Range): string {
    return this.text.slice(range.from, range.to);
  }

  expression(node: Range, value: Value): Expression {
    return { range: { from: node.from, to: node.to }, text: this.slice(node), value };
  }
}
