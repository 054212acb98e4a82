/**
 * The one file that knows the parser: turns the text of a block into the tree of `ast.ts` by way of @lezer/python.
 * Its recovery is good, so half-written code gives a tree with some expressions missing; those become `other`.
 */
import { type Tree, type TreeCursor, TreeFragment } from "@lezer/common";
import { parser } from "@lezer/python";
import type { CallArgument, Expr, FunctionStmt, ImportStmt, Name, ParameterNode, Stmt } from "./ast";
import type { Range } from "./facts";
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

/** Nesting beyond this is not followed, so that no input can exhaust the stack. */
const maximumDepth = 250;
/** Below this a parse from scratch is as fast as looking for what may be reused. */
const worthReusing = 2000;

/** Parses a block; `insertions` are relative to it. `previous` is an earlier version of the same block. */
export function parseBlock(text: string, insertions: readonly Insertion[], previous?: Parsed): Parsed {
  let closedText = "";
  let done = 0;
  for (const { at, text: inserted } of insertions) {
    closedText += text.slice(done, at) + inserted;
    done = at;
  }
  closedText += text.slice(done);
  const tree = parser.parse(closedText, fragmentsOf(previous, closedText));
  const converter = new Converter(closedText, text, insertions);
  const statements = converter.statements(tree.cursor());
  return { closedText, tree, statements, errors: converter.errors };
}

/** The parts of the previous tree before and after the one stretch in which the two texts differ. */
function fragmentsOf(previous: Parsed | undefined, text: string): readonly TreeFragment[] | undefined {
  if (!previous || text.length < worthReusing) return undefined;
  const old = previous.closedText;
  const shorter = Math.min(old.length, text.length);
  let start = 0;
  while (start < shorter && old.charCodeAt(start) === text.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < shorter - start &&
    old.charCodeAt(old.length - 1 - end) === text.charCodeAt(text.length - 1 - end)
  )
    end++;
  const change = { fromA: start, toA: old.length - end, fromB: start, toB: text.length - end };
  return TreeFragment.applyChanges(TreeFragment.addTree(previous.tree), [change]);
}

const space = /\s/;

class Converter {
  readonly errors: Range[] = [];
  private depth = 0;

  constructor(
    private readonly text: string,
    private readonly source: string,
    private readonly insertions: readonly Insertion[],
  ) {}

  /** Offset in the closed text to offset in the text as written. */
  private map(offset: number): number {
    let inserted = 0;
    for (const { at, text } of this.insertions) {
      if (offset <= at + inserted) break;
      if (offset <= at + inserted + text.length) return at;
      inserted += text.length;
    }
    return offset - inserted;
  }

  private slice(cursor: TreeCursor): string {
    return this.text.slice(cursor.from, cursor.to);
  }

  /** Range of the node without the white space that recovery may have drawn into it. */
  private range(cursor: TreeCursor): Range {
    let to = cursor.to;
    while (to > cursor.from && space.test(this.text.charAt(to - 1))) to--;
    if (this.insertions.length === 0) return { from: cursor.from, to };
    return { from: this.map(cursor.from), to: this.map(to) };
  }

  private error(cursor: TreeCursor): void {
    this.errors.push({ from: this.map(cursor.from), to: this.map(cursor.to) });
  }

  private name(cursor: TreeCursor): Name {
    return { kind: "name", name: this.slice(cursor), ...this.range(cursor) };
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
      default:
        into.push({ kind: "simple", ...this.range(cursor), expressions: this.expressionsIn(cursor) });
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

  private annotation(cursor: TreeCursor): Expr | undefined {
    return this.expressionsIn(cursor)[0];
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
        case "...":
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
    this.children(cursor, () => {
      if (cursor.name === "VariableName") name = this.name(cursor);
      else if (cursor.name === "ArgList") bases = this.arguments(cursor);
      else if (cursor.name === "Body") body = this.statements(cursor);
      else if (cursor.name === "⚠") this.error(cursor);
    });
    return { kind: "class", ...range, decorators, name: name.name, nameFrom: name.from, bases, body };
  }

  private function(cursor: TreeCursor, decorators: readonly Expr[]): FunctionStmt {
    const range = this.range(cursor);
    let name: Name = { kind: "name", name: "", from: range.to, to: range.to };
    let parameters: readonly ParameterNode[] = [];
    let parametersEnd = range.to;
    let returns: Expr | undefined;
    let body: Stmt[] = [];
    this.children(cursor, () => {
      if (cursor.name === "VariableName") name = this.name(cursor);
      else if (cursor.name === "ParamList") {
        parametersEnd = this.map(this.text.charAt(cursor.to - 1) === ")" ? cursor.to - 1 : cursor.to);
        parameters = this.parameters(cursor);
      } else if (cursor.name === "TypeDef") returns = this.annotation(cursor);
      else if (cursor.name === "Body") body = this.statements(cursor);
      else if (cursor.name === "⚠") this.error(cursor);
    });
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
    };
  }

  private parameters(cursor: TreeCursor): ParameterNode[] {
    const parameters: ParameterNode[] = [];
    let star: "*" | "**" | undefined;
    let current: { -readonly [K in keyof ParameterNode]: ParameterNode[K] } | undefined;
    let isDefault = false;
    this.children(cursor, () => {
      if (cursor.name === "*" || cursor.name === "**") star = cursor.name;
      else if (cursor.name === "VariableName" && !isDefault) {
        current = { name: this.slice(cursor), ...this.range(cursor), ...(star && { star }) };
        parameters.push(current);
        star = undefined;
      } else if (cursor.name === "TypeDef" && current) {
        const annotation = this.annotation(cursor);
        if (annotation) current.annotation = annotation;
        current.to = this.range(cursor).to;
      } else if (cursor.name === "AssignOp") isDefault = true;
      else if (cursor.name === ",") {
        current = undefined;
        isDefault = false;
        star = undefined;
      } else if (cursor.name === "⚠") this.error(cursor);
      else if (isDefault && current && cursor.name !== ")") {
        const value = this.expression(cursor);
        current.default = value;
        current.to = value.to;
      }
    });
    return parameters;
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
    return { kind: "compound", ...range, expressions, bodies };
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

  /** Runs `visit` with the cursor on every child, then puts it back. */
  private children(cursor: TreeCursor, visit: () => void): void {
    if (!cursor.firstChild()) return;
    do visit();
    while (cursor.nextSibling());
    cursor.parent();
  }

  private expressionsIn(cursor: TreeCursor): Expr[] {
    const found: Expr[] = [];
    this.children(cursor, () => this.pushExpression(cursor, found));
    return found;
  }

  /** Adds the cursor's node if it is an expression, not a keyword or punctuation mark. */
  private pushExpression(cursor: TreeCursor, into: Expr[]): void {
    const name = cursor.name;
    if (name === "⚠") this.error(cursor);
    const first = name.charCodeAt(0);
    // Expression nodes are named in capitals; keywords and marks by themselves.
    if (first < 65 || first > 90 || name.endsWith("Op") || name === "Comment") return;
    into.push(this.expression(cursor));
  }

  private only(expressions: readonly Expr[], cursor: TreeCursor): Expr {
    return expressions.length > 0
      ? this.tuple(expressions)
      : { kind: "other", ...this.range(cursor), children: [] };
  }

  /** One expression stays itself; several, separated by commas without brackets, are a tuple. */
  private tuple(expressions: readonly Expr[]): Expr {
    const [first] = expressions;
    const last = expressions[expressions.length - 1];
    if (!first || !last) return { kind: "other", from: 0, to: 0, children: [] };
    return expressions.length === 1
      ? first
      : { kind: "tuple", from: first.from, to: last.to, items: expressions };
  }

  private expression(cursor: TreeCursor): Expr {
    if (++this.depth > maximumDepth) {
      this.depth--;
      return { kind: "other", ...this.range(cursor), children: [] };
    }
    const result = this.expressionHere(cursor);
    this.depth--;
    return result;
  }

  private expressionHere(cursor: TreeCursor): Expr {
    switch (cursor.name) {
      case "VariableName":
        return this.name(cursor);
      case "MemberExpression":
        return this.member(cursor);
      case "CallExpression":
        return this.callExpression(cursor);
      case "Number":
        return { kind: "number", ...this.range(cursor), value: numberOf(this.slice(cursor)) };
      case "String":
        return { kind: "string", ...this.range(cursor), value: stringOf(this.slice(cursor)), parts: [] };
      case "FormatString":
      case "ContinuedString":
        return this.formatted(cursor);
      case "Boolean":
        return { kind: "constant", ...this.range(cursor), value: this.slice(cursor) === "True" };
      case "None":
        return { kind: "constant", ...this.range(cursor), value: null };
      case "BinaryExpression":
        return this.binary(cursor);
      case "UnaryExpression":
        return this.unary(cursor);
      case "ConditionalExpression": {
        const range = this.range(cursor);
        const [then, test, otherwise] = this.expressionsIn(cursor);
        return then && test && otherwise
          ? { kind: "conditional", ...range, then, test, otherwise }
          : { kind: "other", ...range, children: then ? [then] : [] };
      }
      case "ParenthesizedExpression": {
        const inner = this.expressionsIn(cursor);
        return inner.length === 1 && inner[0]
          ? { ...inner[0], ...this.range(cursor) }
          : { kind: "other", ...this.range(cursor), children: inner };
      }
      case "TupleExpression":
        return { kind: "tuple", ...this.range(cursor), items: this.starred(cursor) };
      case "ArrayExpression":
        return { kind: "list", ...this.range(cursor), items: this.starred(cursor) };
      case "SetExpression":
        return { kind: "set", ...this.range(cursor), items: this.starred(cursor) };
      case "DictionaryExpression":
        return this.dictionary(cursor);
      case "ArrayComprehensionExpression":
        return this.comprehension(cursor, "list");
      case "SetComprehensionExpression":
        return this.comprehension(cursor, "set");
      case "DictionaryComprehensionExpression":
        return this.comprehension(cursor, "dict");
      case "ComprehensionExpression":
        return this.comprehension(cursor, "generator");
      case "LambdaExpression": {
        const range = this.range(cursor);
        let parameters: readonly ParameterNode[] = [];
        let body: Expr = { kind: "other", from: range.to, to: range.to, children: [] };
        this.children(cursor, () => {
          if (cursor.name === "ParamList") parameters = this.parameters(cursor);
          else {
            const found: Expr[] = [];
            this.pushExpression(cursor, found);
            body = found[0] ?? body;
          }
        });
        return { kind: "lambda", ...range, parameters, body };
      }
      default:
        return { kind: "other", ...this.range(cursor), children: this.expressionsIn(cursor) };
    }
  }

  private starred(cursor: TreeCursor): Expr[] {
    const items: Expr[] = [];
    let starFrom = -1;
    this.children(cursor, () => {
      if (cursor.name === "*" || cursor.name === "**") starFrom = this.map(cursor.from);
      else {
        const before = items.length;
        this.pushExpression(cursor, items);
        const value = items[before];
        if (value && starFrom >= 0) {
          items[before] = { kind: "star", from: starFrom, to: value.to, value };
          starFrom = -1;
        }
      }
    });
    return items;
  }

  private member(cursor: TreeCursor): Expr {
    const range = this.range(cursor);
    let object: Expr | undefined;
    let property: Name | undefined;
    const seen = { dot: false, bracket: false };
    const items: Expr[] = [];
    this.children(cursor, () => {
      if (cursor.name === "PropertyName") property = this.name(cursor);
      else if (cursor.name === ".") seen.dot = true;
      else if (cursor.name === "[") seen.bracket = true;
      else if (seen.bracket) this.pushExpression(cursor, items);
      else {
        const found: Expr[] = [];
        this.pushExpression(cursor, found);
        object ??= found[0];
      }
    });
    object ??= { kind: "other", from: range.from, to: range.from, children: [] };
    if (seen.dot) {
      const name = property?.name ?? "";
      return { kind: "attribute", ...range, object, name, nameFrom: property?.from ?? range.to };
    }
    return { kind: "subscript", ...range, object, items };
  }

  private callExpression(cursor: TreeCursor): Expr {
    let callee: Expr | undefined;
    let result: Expr | undefined;
    this.children(cursor, () => {
      if (cursor.name === "ArgList" && callee) result = this.call(cursor, callee);
      else if (!callee) {
        const found: Expr[] = [];
        this.pushExpression(cursor, found);
        callee = found[0];
      }
    });
    return result ?? callee ?? { kind: "other", ...this.range(cursor), children: [] };
  }

  /** The cursor is on the ArgList. */
  private call(cursor: TreeCursor, callee: Expr): Expr {
    const { from, to } = cursor;
    const end = this.map(to);
    const closed = this.text.charAt(to - 1) === ")" && to - 1 > from && this.map(to - 1) !== end;
    return {
      kind: "call",
      from: callee.from,
      to: closed ? end : this.openEnd(cursor),
      callee,
      open: this.map(from),
      closed,
      arguments: this.arguments(cursor),
    };
  }

  /** An open call reaches over the white space after its last token: that is where its next argument will be. */
  private openEnd(cursor: TreeCursor): number {
    let { to } = this.range(cursor);
    while (to < this.source.length && space.test(this.source.charAt(to))) to++;
    if (to === this.source.length) return to;
    // The line that comes next is not part of it, nor is that line's indentation.
    while (
      to > cursor.from &&
      !/[\r\n]/.test(this.source.charAt(to - 1)) &&
      space.test(this.source.charAt(to - 1))
    )
      to--;
    if (/[\r\n]/.test(this.source.charAt(to - 1))) to--;
    return to > 0 && this.source.charAt(to - 1) === "\r" ? to - 1 : to;
  }

  /** The cursor is on an ArgList, whose parts lie flat. */
  private arguments(cursor: TreeCursor): CallArgument[] {
    const result: CallArgument[] = [];
    let parts: Expr[] = [];
    let keyword: Name | undefined;
    let equalsTo = 0;
    let star: "*" | "**" | undefined;
    let starFrom = 0;
    let generator: { from: number; values: Expr[]; sides: Expr[][] } | undefined;
    const finish = () => {
      let value = parts.at(-1);
      if (generator) value = comprehensionOf("generator", generator.from, generator.values, generator.sides);
      if (value) {
        const from = keyword?.from ?? (star ? starFrom : value.from);
        result.push({ from, to: value.to, ...(keyword && { keyword }), ...(star && { star }), value });
      } else if (keyword) {
        const nothing: Expr = { kind: "other", from: equalsTo, to: equalsTo, children: [] };
        result.push({ from: keyword.from, to: equalsTo, keyword, value: nothing });
      }
      parts = [];
      keyword = star = generator = undefined;
    };
    this.children(cursor, () => {
      switch (cursor.name) {
        case ",":
          if (!generator || generator.sides.length % 2 === 0) finish();
          break;
        case "*":
        case "**":
          star = cursor.name;
          starFrom = this.map(cursor.from);
          break;
        case "AssignOp": {
          const name = parts.pop();
          equalsTo = this.map(cursor.to);
          if (name?.kind === "name") keyword = name;
          break;
        }
        case "for":
          generator ??= { from: parts[0]?.from ?? this.map(cursor.from), values: parts, sides: [] };
          generator.sides.push([]);
          break;
        case "in":
        case "if":
          generator?.sides.push([]);
          break;
        default:
          this.pushExpression(cursor, generator ? (generator.sides.at(-1) ?? []) : parts);
      }
    });
    finish();
    return result;
  }

  private comprehension(cursor: TreeCursor, form: "list" | "set" | "dict" | "generator"): Expr {
    const range = this.range(cursor);
    const values: Expr[] = [];
    const sides: Expr[][] = [];
    this.children(cursor, () => {
      if (cursor.name === "for" || cursor.name === "in" || cursor.name === "if") sides.push([]);
      else this.pushExpression(cursor, sides.at(-1) ?? values);
    });
    return { ...comprehensionOf(form, range.from, values, sides), ...range };
  }

  private dictionary(cursor: TreeCursor): Expr {
    const range = this.range(cursor);
    const entries: { key?: Expr; value: Expr }[] = [];
    let pending: Expr[] = [];
    let unpack = false;
    const finish = () => {
      const [first, second] = pending;
      if (unpack && first) entries.push({ value: first });
      else if (first && second) entries.push({ key: first, value: second });
      else if (first) entries.push({ value: first });
      pending = [];
      unpack = false;
    };
    this.children(cursor, () => {
      if (cursor.name === ",") finish();
      else if (cursor.name === "**") unpack = true;
      else this.pushExpression(cursor, pending);
    });
    finish();
    return { kind: "dict", ...range, entries };
  }

  private binary(cursor: TreeCursor): Expr {
    const range = this.range(cursor);
    let operator = "";
    const sides: Expr[] = [];
    this.children(cursor, () => {
      const before = sides.length;
      this.pushExpression(cursor, sides);
      if (sides.length === before && cursor.name !== "⚠") operator += this.slice(cursor);
    });
    const [left, right] = sides;
    return left && right
      ? { kind: "binary", ...range, operator, left, right }
      : { kind: "other", ...range, children: sides };
  }

  private unary(cursor: TreeCursor): Expr {
    const range = this.range(cursor);
    let operator = "";
    const operands: Expr[] = [];
    this.children(cursor, () => {
      const before = operands.length;
      this.pushExpression(cursor, operands);
      if (operands.length === before && cursor.name !== "⚠") operator += this.slice(cursor);
    });
    const [operand] = operands;
    return operand
      ? { kind: "unary", ...range, operator, operand }
      : { kind: "other", ...range, children: [] };
  }

  private formatted(cursor: TreeCursor): Expr {
    const range = this.range(cursor);
    const parts: Expr[] = [];
    let value: string | undefined = cursor.name === "FormatString" ? undefined : "";
    if (cursor.name === "FormatString") {
      this.children(cursor, () => {
        if (cursor.name === "FormatReplacement") parts.push(...this.expressionsIn(cursor));
      });
      if (parts.length === 0) value = stringOf(this.slice(cursor));
    } else {
      this.children(cursor, () => {
        const part = this.expression(cursor);
        if (part.kind !== "string") return;
        parts.push(...part.parts);
        value = value === undefined || part.value === undefined ? undefined : value + part.value;
      });
    }
    return { kind: "string", ...range, ...(value !== undefined && { value }), parts };
  }
}

/** `sides` alternates target, iterable, and one more for each condition. */
function comprehensionOf(
  form: "list" | "set" | "dict" | "generator",
  from: number,
  values: readonly Expr[],
  sides: readonly (readonly Expr[])[],
): Expr {
  const nothing: Expr = { kind: "other", from, to: from, children: [] };
  const joined = sides.map((side): Expr => {
    const first = side[0] ?? nothing;
    const last = side.at(-1) ?? nothing;
    return side.length > 1 ? { kind: "tuple", from: first.from, to: last.to, items: side } : first;
  });
  const clause = { target: joined[0] ?? nothing, iterable: joined[1] ?? nothing };
  const element = values[0] ?? nothing;
  return {
    kind: "comprehension",
    form,
    from,
    to: (joined.at(-1) ?? element).to,
    element,
    ...(values[1] && { value: values[1] }),
    clauses: [clause],
    conditions: joined.slice(2),
  };
}

function numberOf(text: string): number {
  return Number(text.replaceAll("_", "").replace(/^0+(?=\d)/, ""));
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", "\n": "" };

/** The value of a string literal as written, with prefix and quotes. */
function stringOf(literal: string): string {
  const match = /^([a-zA-Z]*)("""|'''|"|')/.exec(literal);
  if (!match) return literal;
  const [opening, prefix = "", quote = '"'] = match;
  const end = literal.length > opening.length && literal.endsWith(quote) ? -quote.length : undefined;
  const content = literal.slice(opening.length, end);
  if (/r/i.test(prefix) || !content.includes("\\")) return content;
  return content.replace(
    /\\([\s\S])/g,
    (all, next: string) => escapes[next] ?? (/\w/.test(next) ? all : next),
  );
}
