/** The order of things inside one method: which statement gave a name its value, and which layer a call goes to. */
import {
  bodiesOf,
  type CallExpr,
  forEachChild,
  type ClassStmt,
  dottedPath,
  type Expr,
  type ForStmt,
  type FunctionStmt,
  selfPath,
  type Stmt,
} from "../tree/ast";
import type { Block } from "../names/block";
import type { Layer, LayerRole } from "../facts";
import { layersOf } from "../layers/layers";
import type { Scope } from "../names/scope";

export interface Step {
  readonly statement: Stmt;
  /** The loop around it, if any; the innermost. */
  readonly loop?: ForStmt;
}

export interface Assignment {
  readonly value: Expr;
  /** Whether the name is one of several that the value is unpacked into. */
  readonly unpacked: boolean;
  readonly statement: Stmt;
}

/** A call of a layer or method of the class: `self.mlp(x)`, `block(x)` in a loop, `checkpoint(self.mlp, x)`. */
export interface LayerCall {
  readonly call: CallExpr;
  readonly path: string;
  readonly arguments: readonly Expr[];
  readonly loopVariable: boolean;
}

const tensorMethod =
  /^(?:to|type|type_as|float|half|view|reshape|expand|repeat|unsqueeze|squeeze|tanh|sigmoid|exp|softmax|clone|chunk|flatten|transpose|permute|mean|sum|abs|sqrt|clamp)$/;

export class Flow {
  readonly steps: readonly Step[];
  readonly layers: readonly Layer[];
  private readonly layerCalls = new Map<CallExpr, LayerCall | "none">();
  private readonly layersByPath = new Map<string, Layer | "none">();
  private assignments: Map<string, Assignment[]> | undefined;
  private readonly loopPaths = new Map<string, string>();

  constructor(
    readonly owner: ClassStmt,
    readonly method: FunctionStmt,
    readonly block: Block,
    readonly scope: Scope,
  ) {
    this.layers = layersOf(owner, block, scope).layers;
    const steps: Step[] = [];
    const visit = (statements: readonly Stmt[], loop?: ForStmt) => {
      for (const statement of statements) {
        if (statement.kind === "function" || statement.kind === "class") continue;
        steps.push({ statement, ...(loop && { loop }) });
        if (statement.kind === "for") this.bindLoop(statement);
        for (const body of bodiesOf(statement)) visit(body, statement.kind === "for" ? statement : loop);
      }
    };
    visit(method.body);
    this.steps = steps;
  }

  private bindLoop({ target, iterable }: ForStmt): void {
    const bind = (to: Expr, from: Expr): void => {
      let source = from;
      while (source.kind === "subscript") source = source.object; // self.blocks[:n]
      if (source.kind === "call") {
        const name = dottedPath(source.callee)?.at(-1);
        const [first] = source.arguments;
        if (name === "enumerate" && to.kind === "tuple" && to.items[1] && first)
          bind(to.items[1], first.value);
        else if (name === "zip" && to.kind === "tuple") {
          for (const [index, item] of to.items.entries()) {
            const argument = source.arguments[index];
            if (argument) bind(item, argument.value);
          }
        } else if ((name === "reversed" || name === "list") && first) bind(to, first.value);
        else if ((name === "values" || name === "items") && source.callee.kind === "attribute") {
          const value = name === "items" && to.kind === "tuple" ? to.items[1] : to;
          if (value) bind(value, source.callee.object);
        }
        return;
      }
      const path = selfPath(source);
      if (path === undefined) return;
      if (to.kind === "name") this.loopPaths.set(to.name, `${path}.*`);
      else if (to.kind === "tuple")
        for (const [index, item] of to.items.entries())
          if (item.kind === "name") this.loopPaths.set(item.name, `${path}.*.${index}`);
    };
    bind(target, iterable);
  }

  /** The last assignment to a name above an offset. */
  latest(name: string, before: number): Assignment | undefined {
    this.assignments ??= this.indexAssignments();
    return this.assignments.get(name)?.findLast(({ statement }) => statement.to <= before);
  }

  private indexAssignments(): Map<string, Assignment[]> {
    const all = new Map<string, Assignment[]>();
    for (const { statement } of this.steps) {
      if (statement.kind !== "assign" || !statement.value) continue;
      for (const target of statement.targets) {
        const unpacked = target.kind === "tuple" || target.kind === "list";
        const names: readonly Expr[] = unpacked ? target.items : [target];
        const parts = unpacked && statement.value.kind === "tuple" ? statement.value.items : undefined;
        const paired = parts?.length === names.length;
        for (const [index, each] of names.entries()) {
          if (each.kind !== "name") continue;
          const value = paired ? (parts[index] ?? statement.value) : statement.value;
          const known = all.get(each.name);
          const assignment = { value, unpacked: unpacked && !parts, statement };
          if (known) known.push(assignment);
          else all.set(each.name, [assignment]);
        }
      }
    }
    return all;
  }

  /** The layer or method that an expression names. */
  pathOf(expression: Expr): { path: string; loopVariable: boolean } | undefined {
    let node = expression;
    let suffix = "";
    while (node.kind === "subscript") {
      const [index] = node.items;
      const key = index?.kind === "string" || index?.kind === "number" ? index.value : undefined;
      suffix = `.${key ?? "*"}${suffix}`;
      node = node.object;
    }
    const own = selfPath(node);
    if (own !== undefined) return { path: own + suffix, loopVariable: suffix !== "" && suffix.includes("*") };
    const bound = node.kind === "name" ? this.loopPaths.get(node.name) : undefined;
    return bound === undefined ? undefined : { path: bound + suffix, loopVariable: true };
  }

  layerCall(expression: Expr): LayerCall | undefined {
    if (expression.kind !== "call") return undefined;
    let known = this.layerCalls.get(expression);
    if (known === undefined)
      this.layerCalls.set(expression, (known = this.readLayerCall(expression) ?? "none"));
    return known === "none" ? undefined : known;
  }

  private readLayerCall(expression: CallExpr): LayerCall | undefined {
    const values = expression.arguments
      .filter((argument) => !argument.star)
      .map((argument) => argument.value);
    const here = this.pathOf(expression.callee);
    const called = dottedPath(expression.callee)?.at(-1) ?? "";
    if (/checkpoint|apply_chunking_to_forward/.test(called)) {
      const [first, ...rest] = values;
      const inner = first && this.pathOf(first);
      // `self._gradient_checkpointing_func(self.attn.__call__, x)`
      if (inner)
        return {
          ...inner,
          path: inner.path.replace(/\.(?:__call__|forward)$/, ""),
          call: expression,
          arguments: rest,
        };
    }
    if (!here || this.isTensor(expression.callee)) return undefined;
    return {
      ...here,
      path: here.path.replace(/\.(?:__call__|forward)$/, ""),
      call: expression,
      arguments: values,
    };
  }

  /** `self.alpha.tanh()` and `self.pos[:, :n].to(x)`: methods of a parameter or a buffer call no layer. */
  private isTensor(callee: Expr): boolean {
    if (callee.kind !== "attribute" || !tensorMethod.test(callee.name)) return false;
    const path = selfPath(callee);
    if (path === undefined) return true;
    const owner = this.layerAt(path.slice(0, path.lastIndexOf(".")));
    return path.includes(".") && this.layerAt(path) === undefined && owner?.role !== "container";
  }

  layerAt(path: string): Layer | undefined {
    let known = this.layersByPath.get(path);
    if (known === undefined) this.layersByPath.set(path, (known = this.findLayer(path) ?? "none"));
    return known === "none" ? undefined : known;
  }

  private findLayer(path: string): Layer | undefined {
    const exact = this.layers.find((layer) => layer.path === path && !/\.Identity$/.test(layer.type));
    if (exact) return exact;
    return this.layers.find((layer) => matches(layer.path, path) || matches(path, layer.path));
  }

  roleAt(path: string): LayerRole | undefined {
    return this.layerAt(path)?.role;
  }

  /** Names that an expression reads, following local assignments a few steps back. */
  reads(expression: Expr, before: number, steps = 6): ReadonlySet<string> {
    const names = new Set<string>();
    const seen = new Set<Stmt>();
    const visit = (node: Expr, at: number, left: number) => {
      if (node.kind === "name") {
        names.add(node.name);
        // h = norm(x); h = mlp(h): each h is another
        const assigned = left > 0 ? this.latest(node.name, at) : undefined;
        if (!assigned || seen.has(assigned.statement)) return;
        seen.add(assigned.statement);
        visit(assigned.value, assigned.statement.from, left - 1);
        return;
      }
      forEachChild(node, (child) => visit(child, at, left));
    };
    visit(expression, before, steps);
    return names;
  }
}

/** Whether a layer's path, with its own wildcards, covers a concrete path. */
function matches(pattern: string, path: string): boolean {
  const one = pattern.split(".");
  const other = path.split(".");
  return one.length === other.length && one.every((part, index) => part === "*" || part === other[index]);
}
