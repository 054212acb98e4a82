/**
 * The one file that knows the parser: turns the text of a block into the tree of `ast.ts` by way of @lezer/python.
 * Its recovery is good, so half-written code gives a tree with some expressions missing; those become `other`.
 */
import { type Tree, type TreeCursor, TreeFragment } from "@lezer/common";
import { parser } from "@lezer/python";
import type { CallArgument, Expr, FunctionStmt, ImportStmt, Name, ParameterNode, Stmt } from "./ast";
import { ExpressionReader, maximumDepth } from "./expressions";
import type { Prose, Range } from "./facts";
import type { Insertion } from "./resync";

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

/** `class MODEL: def __init__(s, args):` calls its instances `s`. */
const constructorOf = /\bdef\s+__init__\s*\(\s*([A-Za-z_]\w*)/;

class StatementReader extends ExpressionReader {
  /** What methods of the class at hand call the instance, where that is not `self`. */
  private instance: string | undefined;
  /** The same within one of its methods. */
  private current: string | undefined;

  protected override variable(cursor: TreeCursor): Name {
    const name = this.name(cursor);
    return name.name === this.current ? { ...name, name: "self" } : name;
  }

  /** The statements directly under the cursor's node; leaves the cursor where it was. */
  statements(cursor: TreeCursor): Stmt[] {
    const statements: Stmt[] = [];
    if (++this.depth < maximumDepth && cursor.firstChild()) {
      do this.statement(cursor, statements);
      while (cursor.nextSibling());
      cursor.parent();
    }
    this.depth--;
    return statements;
  }

  private statement(cursor: TreeCursor, into: Stmt[]): void {
    switch (cursor.name) {
      case "AssignStatement":
      case "UpdateStatement":
        into.push(this.assignment(cursor));
        break;
      case "ExpressionStatement":
        into.push({
          kind: "expression",
          ...this.range(cursor),
          value: this.only(this.expressionsIn(cursor), cursor),
        });
        break;
      case "ReturnStatement": {
        const range = this.range(cursor);
        const values = this.expressionsIn(cursor);
        into.push({ kind: "return", ...range, ...(values.length > 0 && { value: this.tuple(values) }) });
        break;
      }
      case "ImportStatement":
        into.push(this.import(cursor));
        break;
      case "FunctionDefinition":
        into.push(this.function(cursor, []));
        break;
      case "ClassDefinition":
        into.push(this.class(cursor, []));
        break;
      case "DecoratedStatement":
        this.decorated(cursor, into);
        break;
      case "IfStatement":
      case "WhileStatement":
      case "WithStatement":
      case "TryStatement":
      case "MatchStatement":
        into.push(this.compound(cursor));
        break;
      case "ForStatement":
        into.push(this.for(cursor));
        break;
      case "StatementGroup":
        into.push(...this.statements(cursor));
        break;
      case "⚠":
        this.error(cursor);
        break;
      case ":":
      case ";":
      case "Comment":
        break;
      default: {
        const range = this.range(cursor);
        // `pass` that stands for a body not written yet
        if (range.from === range.to) break;
        into.push({
          kind: "simple",
          ...range,
          leaves: /^(?:Raise|Break|Continue)Statement$/.test(cursor.name),
          expressions: this.expressionsIn(cursor),
        });
      }
    }
  }

  private assignment(cursor: TreeCursor): Stmt {
    const range = this.range(cursor);
    let operator = "=";
    let annotation: Expr | undefined;
    const sides: Expr[][] = [[]];
    this.children(cursor, () => {
      if (cursor.name === "AssignOp" || cursor.name === "UpdateOp") {
        operator = this.slice(cursor);
        sides.push([]);
      } else if (cursor.name === "TypeDef") annotation = this.annotation(cursor);
      else this.pushExpression(cursor, sides[sides.length - 1] ?? []);
    });
    const value = sides.length > 1 ? sides.pop() : undefined;
    return {
      kind: "assign",
      ...range,
      targets: sides.filter((side) => side.length > 0).map((side) => this.tuple(side)),
      operator,
      ...(annotation && { annotation }),
      ...(value && value.length > 0 && { value: this.tuple(value) }),
    };
  }

  private import(cursor: TreeCursor): ImportStmt {
    const range = this.range(cursor);
    let module: string | undefined;
    const moduleParts: Name[] = [];
    const names: { parts: Name[]; alias?: Name }[] = [];
    let star = false;
    let inModule = false;
    let aliased = false;
    let current: { parts: Name[]; alias?: Name } | undefined;
    this.children(cursor, () => {
      switch (cursor.name) {
        case "from":
          inModule = true;
          module = "";
          break;
        case "import":
          inModule = false;
          break;
        case ".":
        case "Ellipsis":
          if (inModule) module = (module ?? "") + this.slice(cursor);
          break;
        case "as":
          aliased = true;
          break;
        case "*":
          star = true;
          break;
        case ",":
          current = undefined;
          break;
        case "VariableName": {
          const name = this.name(cursor);
          if (inModule) {
            moduleParts.push(name);
            module = (module ?? "") + name.name;
          } else if (aliased && current) {
            current.alias = name;
            aliased = false;
          } else if (current) current.parts.push(name);
          else names.push((current = { parts: [name] }));
          break;
        }
        case "⚠":
          this.error(cursor);
      }
    });
    return { kind: "import", ...range, ...(module !== undefined && { module }), moduleParts, names, star };
  }

  private decorated(cursor: TreeCursor, into: Stmt[]): void {
    const from = this.map(cursor.from);
    const decorators: Expr[] = [];
    this.children(cursor, () => {
      if (cursor.name === "Decorator") decorators.push(this.decorator(cursor));
      else if (cursor.name === "ClassDefinition") into.push({ ...this.class(cursor, decorators), from });
      else if (cursor.name === "FunctionDefinition")
        into.push({ ...this.function(cursor, decorators), from });
      else if (cursor.name === "⚠") this.error(cursor);
      else this.statement(cursor, into);
    });
  }

  /** A decorator's parts lie flat: `@a.b(c)` is At, a, ".", b, ArgList. */
  private decorator(cursor: TreeCursor): Expr {
    let result: Expr | undefined;
    const whole = this.range(cursor);
    this.children(cursor, () => {
      if (cursor.name === "VariableName" || cursor.name === "PropertyName") {
        const name = this.name(cursor);
        result = result
          ? {
              kind: "attribute",
              from: result.from,
              to: name.to,
              object: result,
              name: name.name,
              nameFrom: name.from,
            }
          : name;
      } else if (cursor.name === "ArgList" && result) result = this.call(cursor, result);
    });
    return result ?? { kind: "other", ...whole, children: [] };
  }

  private class(cursor: TreeCursor, decorators: readonly Expr[]): Stmt & { kind: "class" } {
    const range = this.range(cursor);
    let name: Name = { kind: "name", name: "", from: range.to, to: range.to };
    let bases: readonly CallArgument[] = [];
    let body: Stmt[] = [];
    const { instance, current } = this;
    const called = constructorOf.exec(this.slice(cursor))?.[1];
    this.instance = called === "self" ? undefined : called;
    this.current = undefined;
    this.children(cursor, () => {
      if (cursor.name === "VariableName") name = this.name(cursor);
      else if (cursor.name === "ArgList") bases = this.arguments(cursor);
      else if (cursor.name === "Body") body = this.statements(cursor);
      else if (cursor.name === "⚠") this.error(cursor);
    });
    this.instance = instance;
    this.current = current;
    return { kind: "class", ...range, decorators, name: name.name, nameFrom: name.from, bases, body };
  }

  private function(cursor: TreeCursor, decorators: readonly Expr[]): FunctionStmt {
    const range = this.range(cursor);
    let name: Name = { kind: "name", name: "", from: range.to, to: range.to };
    let parameters: readonly ParameterNode[] = [];
    let parametersEnd = range.to;
    let returns: Expr | undefined;
    let body: Stmt[] = [];
    const { instance, current } = this;
    this.instance = undefined;
    let renamed: string | undefined;
    this.children(cursor, () => {
      if (cursor.name === "VariableName") name = this.name(cursor);
      else if (cursor.name === "ParamList") {
        parametersEnd = this.map(this.text.charAt(cursor.to - 1) === ")" ? cursor.to - 1 : cursor.to);
        parameters = this.parameters(cursor);
        const [first, ...others] = parameters;
        if (first && first.name === instance) {
          this.current = renamed = instance;
          parameters = [{ ...first, name: "self" }, ...others];
        }
      } else if (cursor.name === "TypeDef") returns = this.annotation(cursor);
      else if (cursor.name === "Body") body = this.statements(cursor);
      else if (cursor.name === "⚠") this.error(cursor);
    });
    this.instance = instance;
    this.current = current;
    return {
      kind: "function",
      ...range,
      decorators,
      name: name.name,
      nameFrom: name.from,
      parameters,
      parametersEnd,
      ...(returns && { returns }),
      body,
      ...(renamed !== undefined && { instance: renamed }),
    };
  }

  private compound(cursor: TreeCursor): Stmt {
    const range = this.range(cursor);
    const type = cursor.name;
    const expressions: Expr[] = [];
    const bodies: Stmt[][] = [];
    const branches: { test?: Expr; body: Stmt[] }[] = [];
    let test: Expr | undefined;
    this.children(cursor, () => {
      if (cursor.name === "Body") {
        const body = this.statements(cursor);
        bodies.push(body);
        branches.push({ ...(test && { test }), body });
        test = undefined;
      } else if (cursor.name === "MatchBody") {
        this.children(cursor, () => {
          if (cursor.name !== "MatchClause") return;
          this.children(cursor, () => {
            if (cursor.name === "Body") bodies.push(this.statements(cursor));
          });
        });
      } else {
        const before = expressions.length;
        this.pushExpression(cursor, expressions);
        test ??= expressions[before];
      }
    });
    if (type === "IfStatement") return { kind: "if", ...range, branches };
    const [loopTest] = expressions;
    if (type === "WhileStatement" && loopTest)
      return { kind: "while", ...range, test: loopTest, body: bodies[0] ?? [] };
    return { kind: "compound", ...range, runsOnce: type === "WithStatement", expressions, bodies };
  }

  private for(cursor: TreeCursor): Stmt {
    const range = this.range(cursor);
    const targets: Expr[] = [];
    const iterables: Expr[] = [];
    const bodies: Stmt[][] = [];
    let headerTo = range.to;
    let side = targets;
    this.children(cursor, () => {
      if (cursor.name === "in") side = iterables;
      else if (cursor.name === "Body") {
        if (bodies.length === 0) headerTo = this.map(Math.min(cursor.from + 1, cursor.to));
        bodies.push(this.statements(cursor));
      } else this.pushExpression(cursor, side);
    });
    const missing: Expr = { kind: "other", from: range.from, to: range.from, children: [] };
    return {
      kind: "for",
      ...range,
      target: targets.length > 0 ? this.tuple(targets) : missing,
      iterable: iterables.length > 0 ? this.tuple(iterables) : missing,
      headerTo,
      body: bodies[0] ?? [],
      otherwise: bodies[1] ?? [],
    };
  }
}
