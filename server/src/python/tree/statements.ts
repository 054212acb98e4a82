/** Statements of the parser's tree as those of `ast.ts`. */
import type { TreeCursor } from "@lezer/common";
import type { CallArgument, Expr, FunctionStmt, ImportStmt, Name, ParameterNode, Stmt } from "./ast";
import { ExpressionReader, maximumDepth } from "./expressions";

/** `class MODEL: def __init__(s, args):` calls its instances `s`. */
const constructorOf = /\bdef\s+__init__\s*\(\s*([A-Za-z_]\w*)/;

export class StatementReader extends ExpressionReader {
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
