/** Expressions of the parser's tree as those of `ast.ts`; what is half written becomes `other`. */
import type { TreeCursor } from "@lezer/common";
import type { CallArgument, Expr, Name, ParameterNode } from "./ast";
import type { Range } from "../facts";
import { numberOf, stringOf } from "../text/literals";
import type { Insertion } from "../text/resync";

/** Nesting beyond this is not followed, so that no input can exhaust the stack. */
export const maximumDepth = 250;

const space = /\s/;

export class ExpressionReader {
  readonly errors: Range[] = [];
  protected depth = 0;

  constructor(
    protected readonly text: string,
    private readonly source: string,
    private readonly insertions: readonly Insertion[],
  ) {}

  /** Offset in the closed text to offset in the text as written. */
  protected map(offset: number): number {
    let inserted = 0;
    for (const { at, text } of this.insertions) {
      if (offset <= at + inserted) break;
      if (offset <= at + inserted + text.length) return at;
      inserted += text.length;
    }
    return offset - inserted;
  }

  protected slice(cursor: TreeCursor): string {
    return this.text.slice(cursor.from, cursor.to);
  }

  /** Range of the node without the white space that recovery may have drawn into it. */
  protected range(cursor: TreeCursor): Range {
    let to = cursor.to;
    while (to > cursor.from && space.test(this.text.charAt(to - 1))) to--;
    if (this.insertions.length === 0) return { from: cursor.from, to };
    return { from: this.map(cursor.from), to: this.map(to) };
  }

  protected error(cursor: TreeCursor): void {
    this.errors.push({ from: this.map(cursor.from), to: this.map(cursor.to) });
  }

  protected name(cursor: TreeCursor): Name {
    return { kind: "name", name: this.slice(cursor), ...this.range(cursor) };
  }

  /** A name that an expression speaks of. */
  protected variable(cursor: TreeCursor): Name {
    return this.name(cursor);
  }

  protected parameters(cursor: TreeCursor): ParameterNode[] {
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

  protected annotation(cursor: TreeCursor): Expr | undefined {
    return this.expressionsIn(cursor)[0];
  }

  /** Runs `visit` with the cursor on every child, then puts it back. */
  protected children(cursor: TreeCursor, visit: () => void): void {
    if (!cursor.firstChild()) return;
    do visit();
    while (cursor.nextSibling());
    cursor.parent();
  }

  protected expressionsIn(cursor: TreeCursor): Expr[] {
    const found: Expr[] = [];
    this.children(cursor, () => this.pushExpression(cursor, found));
    return found;
  }

  /** Adds the cursor's node if it is an expression, not a keyword or punctuation mark. */
  protected pushExpression(cursor: TreeCursor, into: Expr[]): void {
    const name = cursor.name;
    if (name === "⚠") this.error(cursor);
    const first = name.charCodeAt(0);
    // Expression nodes are named in capitals; keywords and marks by themselves.
    if (first < 65 || first > 90 || name.endsWith("Op") || name === "Comment") return;
    into.push(this.expression(cursor));
  }

  protected only(expressions: readonly Expr[], cursor: TreeCursor): Expr {
    return expressions.length > 0
      ? this.tuple(expressions)
      : { kind: "other", ...this.range(cursor), children: [] };
  }

  /** One expression stays itself; several, separated by commas without brackets, are a tuple. */
  protected tuple(expressions: readonly Expr[]): Expr {
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
        return this.variable(cursor);
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
        const [only] = inner;
        if (inner.length !== 1 || !only) return { kind: "other", ...this.range(cursor), children: inner };
        // A call stays from its callee to its own bracket, which is what an edit replaces.
        return only.kind === "call" ? only : { ...only, ...this.range(cursor) };
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
      case "NamedExpression": {
        const range = this.range(cursor);
        const children = this.expressionsIn(cursor);
        const [assigns] = children;
        return { kind: "other", ...range, children, ...(assigns?.kind === "name" && { assigns }) };
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
  protected call(cursor: TreeCursor, callee: Expr): Expr {
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
  protected arguments(cursor: TreeCursor): CallArgument[] {
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
