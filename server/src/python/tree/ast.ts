/**
 * The syntax tree that the rest of the reader works on: Python's own constructs, free of any parser's node names,
 * so that the parser stays replaceable. Offsets are relative to the block (top-level statement) the node stands in.
 */
import type { Range } from "../facts";

export interface Name extends Range {
  readonly kind: "name";
  readonly name: string;
}
export interface Attribute extends Range {
  readonly kind: "attribute";
  readonly object: Expr;
  readonly name: string;
  readonly nameFrom: number;
}
export interface CallArgument extends Range {
  readonly keyword?: Name;
  readonly star?: "*" | "**";
  readonly value: Expr;
}
export interface CallExpr extends Range {
  readonly kind: "call";
  readonly callee: Expr;
  /** Offset of the opening bracket; the list ends where the call ends. */
  readonly open: number;
  readonly closed: boolean;
  readonly arguments: readonly CallArgument[];
}
export interface Subscript extends Range {
  readonly kind: "subscript";
  readonly object: Expr;
  readonly items: readonly Expr[];
}
export interface NumberLiteral extends Range {
  readonly kind: "number";
  readonly value: number;
}
export interface StringLiteral extends Range {
  readonly kind: "string";
  /** Absent for an f-string with replacements. */
  readonly value?: string;
  readonly parts: readonly Expr[];
}
export interface Constant extends Range {
  readonly kind: "constant";
  readonly value: boolean | null;
}
export interface Unary extends Range {
  readonly kind: "unary";
  readonly operator: string;
  readonly operand: Expr;
}
export interface Binary extends Range {
  readonly kind: "binary";
  readonly operator: string;
  readonly left: Expr;
  readonly right: Expr;
}
export interface Conditional extends Range {
  readonly kind: "conditional";
  readonly then: Expr;
  readonly test: Expr;
  readonly otherwise: Expr;
}
export interface Sequence extends Range {
  readonly kind: "tuple" | "list" | "set";
  readonly items: readonly Expr[];
}
export interface Dict extends Range {
  readonly kind: "dict";
  readonly entries: readonly { readonly key?: Expr; readonly value: Expr }[];
}
export interface Comprehension extends Range {
  readonly kind: "comprehension";
  readonly form: "list" | "set" | "dict" | "generator";
  readonly element: Expr;
  /** The value of `{key: value for …}`, whose key is the element. */
  readonly value?: Expr;
  readonly clauses: readonly { readonly target: Expr; readonly iterable: Expr }[];
  readonly conditions: readonly Expr[];
}
export interface Lambda extends Range {
  readonly kind: "lambda";
  readonly parameters: readonly ParameterNode[];
  readonly body: Expr;
}
export interface Star extends Range {
  readonly kind: "star";
  readonly value: Expr;
}
/** Anything whose meaning no fact needs (await, yield, slices, walrus): its parts can still be walked. */
export interface OtherExpr extends Range {
  readonly kind: "other";
  readonly children: readonly Expr[];
  /** The name that it gives a value: `(n := len(x))`. */
  readonly assigns?: Name;
}
export type Expr =
  | Name
  | Attribute
  | CallExpr
  | Subscript
  | NumberLiteral
  | StringLiteral
  | Constant
  | Unary
  | Binary
  | Conditional
  | Sequence
  | Dict
  | Comprehension
  | Lambda
  | Star
  | OtherExpr;

export interface ParameterNode extends Range {
  readonly name: string;
  readonly star?: "*" | "**";
  readonly annotation?: Expr;
  readonly default?: Expr;
}

export interface AssignStmt extends Range {
  readonly kind: "assign";
  /** `a = b = value` has two. */
  readonly targets: readonly Expr[];
  /** `=` or `+=` and the like. */
  readonly operator: string;
  readonly annotation?: Expr;
  readonly value?: Expr;
}
export interface ExpressionStmt extends Range {
  readonly kind: "expression";
  readonly value: Expr;
}
export interface ReturnStmt extends Range {
  readonly kind: "return";
  readonly value?: Expr;
}
export interface ImportStmt extends Range {
  readonly kind: "import";
  /** `from .a.b import …` has ".a.b"; a plain import has none. */
  readonly module?: string;
  readonly moduleParts: readonly Name[];
  readonly names: readonly { readonly parts: readonly Name[]; readonly alias?: Name }[];
  readonly star: boolean;
}
export interface ClassStmt extends Range {
  readonly kind: "class";
  readonly decorators: readonly Expr[];
  readonly name: string;
  readonly nameFrom: number;
  readonly bases: readonly CallArgument[];
  readonly body: readonly Stmt[];
}
export interface FunctionStmt extends Range {
  readonly kind: "function";
  readonly decorators: readonly Expr[];
  readonly name: string;
  readonly nameFrom: number;
  readonly parameters: readonly ParameterNode[];
  readonly parametersEnd: number;
  readonly returns?: Expr;
  readonly body: readonly Stmt[];
  /** What a method calls its instance where that is not `self`; within it the name stands as `self`. */
  readonly instance?: string;
}
export interface IfStmt extends Range {
  readonly kind: "if";
  readonly branches: readonly { readonly test?: Expr; readonly body: readonly Stmt[] }[];
}
export interface ForStmt extends Range {
  readonly kind: "for";
  readonly target: Expr;
  readonly iterable: Expr;
  readonly headerTo: number;
  readonly body: readonly Stmt[];
  readonly otherwise: readonly Stmt[];
}
export interface WhileStmt extends Range {
  readonly kind: "while";
  readonly test: Expr;
  readonly body: readonly Stmt[];
}
/** with, try, match: bodies in order, and the expressions of their headers. */
export interface CompoundStmt extends Range {
  readonly kind: "compound";
  /** Whether the body always runs, as that of `with` does. */
  readonly runsOnce: boolean;
  readonly expressions: readonly Expr[];
  readonly bodies: readonly (readonly Stmt[])[];
}
/** del, assert, raise, global, pass … */
export interface SimpleStmt extends Range {
  readonly kind: "simple";
  /** Whether the statement after it is not reached: raise, break, continue. */
  readonly leaves: boolean;
  readonly expressions: readonly Expr[];
}
export type Stmt =
  | AssignStmt
  | ExpressionStmt
  | ReturnStmt
  | ImportStmt
  | ClassStmt
  | FunctionStmt
  | IfStmt
  | ForStmt
  | WhileStmt
  | CompoundStmt
  | SimpleStmt;

/** The expressions that stand directly in a statement, without those of nested statements, in source order. */
export function expressionsOf(statement: Stmt): readonly Expr[] {
  switch (statement.kind) {
    case "assign": {
      const all = [...statement.targets];
      if (statement.annotation) all.push(statement.annotation);
      if (statement.value) all.push(statement.value);
      return all;
    }
    case "expression":
      return [statement.value];
    case "return":
      return statement.value ? [statement.value] : [];
    case "import":
      return [];
    case "class":
      return [...statement.decorators, ...statement.bases.map((base) => base.value)];
    case "function": {
      const all = [...statement.decorators];
      for (const parameter of statement.parameters) {
        if (parameter.annotation) all.push(parameter.annotation);
        if (parameter.default) all.push(parameter.default);
      }
      if (statement.returns) all.push(statement.returns);
      return all;
    }
    case "if":
      return statement.branches.flatMap((branch) => (branch.test ? [branch.test] : []));
    case "for":
      return [statement.target, statement.iterable];
    case "while":
      return [statement.test];
    case "compound":
    case "simple":
      return statement.expressions;
  }
}

/** The nested statement lists of a statement. */
export function bodiesOf(statement: Stmt): readonly (readonly Stmt[])[] {
  switch (statement.kind) {
    case "class":
    case "function":
    case "while":
      return [statement.body];
    case "for":
      return [statement.body, statement.otherwise];
    case "if":
      return statement.branches.map((branch) => branch.body);
    case "compound":
      return statement.bodies;
    case "assign":
    case "expression":
    case "return":
    case "import":
    case "simple":
      return [];
  }
}

/** Visits the direct sub-expressions of an expression, in source order. */
export function forEachChild(expression: Expr, visit: (child: Expr) => void): void {
  switch (expression.kind) {
    case "name":
    case "number":
    case "constant":
      return;
    case "string":
      expression.parts.forEach(visit);
      return;
    case "attribute":
      visit(expression.object);
      return;
    case "call":
      visit(expression.callee);
      for (const argument of expression.arguments) visit(argument.value);
      return;
    case "subscript":
      visit(expression.object);
      expression.items.forEach(visit);
      return;
    case "unary":
      visit(expression.operand);
      return;
    case "binary":
      visit(expression.left);
      visit(expression.right);
      return;
    case "conditional":
      visit(expression.then);
      visit(expression.test);
      visit(expression.otherwise);
      return;
    case "tuple":
    case "list":
    case "set":
      expression.items.forEach(visit);
      return;
    case "dict":
      for (const { key, value } of expression.entries) {
        if (key) visit(key);
        visit(value);
      }
      return;
    case "comprehension":
      visit(expression.element);
      if (expression.value) visit(expression.value);
      for (const { target, iterable } of expression.clauses) {
        visit(target);
        visit(iterable);
      }
      expression.conditions.forEach(visit);
      return;
    case "lambda":
      for (const parameter of expression.parameters) if (parameter.default) visit(parameter.default);
      visit(expression.body);
      return;
    case "star":
      visit(expression.value);
      return;
    case "other":
      expression.children.forEach(visit);
  }
}

/** Visits an expression and everything inside it, outer first. */
export function walkExpression(expression: Expr, visit: (expression: Expr) => void): void {
  visit(expression);
  forEachChild(expression, (child) => walkExpression(child, visit));
}

/** Visits statements and those nested in them, outer first; `enter` may return false to stay outside. */
export function walkStatements(statements: readonly Stmt[], enter: (statement: Stmt) => unknown): void {
  for (const statement of statements) {
    if (enter(statement) === false) continue;
    for (const body of bodiesOf(statement)) walkStatements(body, enter);
  }
}

/** `self.transformer.wte` gives ["self", "transformer", "wte"]; undefined for anything that is not a dotted path. */
export function dottedPath(expression: Expr): string[] | undefined {
  const parts: string[] = [];
  let node = expression;
  while (node.kind === "attribute") {
    parts.push(node.name);
    node = node.object;
  }
  if (node.kind !== "name") return undefined;
  parts.push(node.name);
  return parts.reverse();
}

/** The path after `self.`, dots included; undefined when the expression is no attribute of self. */
export function selfPath(expression: Expr): string | undefined {
  const parts = dottedPath(expression);
  return parts && parts.length > 1 && parts[0] === "self" ? parts.slice(1).join(".") : undefined;
}
