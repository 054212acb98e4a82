/** Where a class computes with the weights of its layers and does not call them. */
import type { Range, WeightReads } from "../facts";
import {
  type Attribute,
  type CallExpr,
  dottedPath,
  type Expr,
  expressionsOf,
  forEachChild,
  type FunctionStmt,
  type Stmt,
  walkExpression,
  walkStatements,
} from "../tree/ast";
import type { Scope } from "../names/scope";

/** Functions that set weights and do not compute with them: whatever they read is the weight itself. */
const isPreparation = ({ name }: FunctionStmt): boolean =>
  /init|reset|load|tie|from_pretrained|to_\w+|extra_repr|prune|freeze|parameters|weights?$/i.test(name) &&
  name !== "__init__";

/** What a weight tells about itself, which an adapted layer's weight tells as well. */
const aspects = new Set(
  "dtype device shape size ndim dim numel requires_grad requires_grad_ grad is_cuda is_meta layout new_zeros new_ones new_empty new_full new_tensor element_size data_ptr register_hook".split(
    " ",
  ),
);

/** Calls that look at a weight or write to it: `x.to(self.fc.weight)`, `nn.init.zeros_(self.fc.weight)`. */
const isHarmless = (call: CallExpr, scope: Scope): boolean => {
  const { callee } = call;
  const name = callee.kind === "attribute" || callee.kind === "name" ? callee.name : "";
  return (
    /_$|^(?:to|type_as|isinstance|hasattr|getattr|len|print|id|Parameter|cast|is_tensor|finfo)$/.test(name) ||
    /init/i.test(name) ||
    /\.init\./.test(scope.resolve(callee) ?? "")
  );
};

/** Methods that give the weight as it is, or a figure of it: what is done with that decides. */
const passing =
  /^(?:to|type_as|type|float|half|bfloat16|double|detach|clone|contiguous|cuda|cpu|norm|abs|mean|sum|std|max|min|pow|item)$/;

/** Collects the reads of a class, method by method. */
export class FoundReads {
  private readonly found = new Map<string, { ranges: Range[]; reason: string }>();

  /** @param note takes what cannot be helped by handing out another weight */
  constructor(
    private readonly scope: Scope,
    private readonly note: (path: string, reason: string) => void,
  ) {}

  get reads(): ReadonlyMap<string, WeightReads> {
    return this.found;
  }

  in(method: FunctionStmt): void {
    if (isPreparation(method)) return;
    const held = heldLayers(method);
    const written = writtenNames(method);
    walkStatements(method.body, (statement) => {
      for (const expression of expressionsOf(statement)) {
        // `w = self.proj.weight` is for computing with, unless it is for writing to
        const isKept =
          statement.kind === "assign" && expression === statement.value && isLocal(statement.targets);
        const isOffered =
          method.name !== "__init__" && !(isKept && namesOf(statement).some((name) => written.has(name)));
        const isReturned = statement.kind === "return" && weightOwner(expression, held) !== undefined;
        const by = isKept ? "=" : isReturned ? "return" : undefined;
        this.look(expression, by, held, isOffered && !isReturned);
      }
    });
  }

  /** `by` names what the expression is handed to; undefined where that does not compute. */
  private look(inner: Expr, by: string | undefined, held: Held, isOffered: boolean): void {
    const path = weightOwner(inner, held);
    if (path !== undefined) {
      if (by !== undefined && inner.kind === "attribute")
        this.read(path, by, inner, isOffered && layerPath(inner.object, held) === path);
      return;
    }
    switch (inner.kind) {
      case "call": {
        const { callee } = inner;
        const adapted = mergedOwner(inner, held);
        if (adapted !== undefined) {
          this.add(adapted.path, "", { from: adapted.from, to: inner.to });
          return;
        }
        const harmless = isHarmless(inner, this.scope);
        const qualified = this.scope.resolve(callee) ?? dottedPath(callee)?.join(".") ?? "a function";
        // a method of the weight: `.t()` computes, `.data.normal_()` does not
        if (callee.kind === "attribute" && !aspects.has(callee.name) && !/_$/.test(callee.name))
          this.look(callee.object, passing.test(callee.name) ? by : `.${callee.name}()`, held, isOffered);
        for (const { value } of inner.arguments)
          this.look(value, harmless ? undefined : qualified, held, isOffered);
        return;
      }
      case "attribute":
        if (!aspects.has(inner.name)) this.look(inner.object, by, held, isOffered);
        return;
      case "binary": {
        const computes = /^(?:@|\*\*?|\/\/?|\+|-|%)$/.test(inner.operator) ? inner.operator : undefined;
        this.look(inner.left, computes, held, isOffered);
        this.look(inner.right, computes, held, isOffered);
        return;
      }
      default:
        forEachChild(inner, (child) => {
          this.look(child, by, held, isOffered);
        });
    }
  }

  private read(path: string, by: string, weight: Attribute, isOffered: boolean): void {
    const several = path.split("|");
    if (isOffered && weight.name === "weight" && several.length === 1)
      this.add(path, directly(path, by), { from: weight.nameFrom, to: weight.to });
    else for (const each of several) this.note(each, directly(each, by));
  }

  private add(path: string, reason: string, range: Range): void {
    const found = this.found.get(path);
    if (found === undefined) this.found.set(path, { ranges: [range], reason });
    else found.ranges.push(range);
  }
}

const directly = (path: string, by: string): string =>
  `The weight of \`${path}\` is used directly (\`${by}\`), so the layer is not called there and an adapted one would be ignored. Call ${/\.(?:\*|\d)/.test(path) ? "the layer itself" : `\`self.${path}(…)\``} instead, take a method that merges into the weight, or adapt the block's output.`;

/** Names of a method that hold a layer, by path: `net.0`, `heads.*` for each of a list, `q|k` for each of some. */
type Held = ReadonlyMap<string, string>;

/** `self.proj.merged_weight()` of a layer that is adapted. */
function mergedOwner({ callee }: CallExpr, held: Held): { path: string; from: number } | undefined {
  if (callee.kind !== "attribute" || callee.name !== "merged_weight") return undefined;
  const path = layerPath(callee.object, held);
  return path === undefined ? undefined : { path, from: callee.nameFrom };
}

const isLocal = (targets: readonly Expr[]): boolean =>
  targets.every(({ kind }) => kind === "name" || kind === "tuple");

const namesOf = (statement: Stmt): string[] =>
  statement.kind === "assign"
    ? statement.targets.flatMap((target) => (target.kind === "name" ? target.name : []))
    : [];

/** Names that a method writes to in place: `w.mul_(2)`, `w[0] = 1`, `nn.init.zeros_(w)`. */
function writtenNames({ body }: FunctionStmt): ReadonlySet<string> {
  const written = new Set<string>();
  const write = (expression: Expr | undefined): void => {
    if (expression?.kind === "name") written.add(expression.name);
    else if (expression?.kind === "attribute" || expression?.kind === "subscript") write(expression.object);
  };
  walkStatements(body, (statement) => {
    if (statement.kind === "assign")
      for (const target of statement.targets) if (target.kind === "subscript") write(target);
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (inner) => {
        if (inner.kind !== "call" || inner.callee.kind === "name") return;
        if (inner.callee.kind === "attribute" && /[^_]_$/.test(inner.callee.name)) {
          write(inner.callee.object);
          write(inner.arguments[0]?.value);
        }
      });
  });
  return written;
}

/** Weights by name, those that an attention holds for its projections among them. */
const weightName = /\.(?:(?:out_proj\.)?weight|(?:in|q|k|v)_proj_weight)$/;

/** `self.a.b.weight` gives `a.b`, `self.attn.in_proj_weight` gives `attn`; `held` says what names of the method hold. */
export function weightOwner(expression: Expr, held?: Held): string | undefined {
  const path = layerPath(expression, held);
  return path !== undefined && weightName.test(path) ? path.replace(weightName, "") : undefined;
}

/** `self.net[0]` gives `net.0`, `self.net[i]` gives `net.*`. */
export function layerPath(expression: Expr, held?: Held): string | undefined {
  if (expression.kind === "name") return held?.get(expression.name);
  if (expression.kind === "attribute") {
    if (expression.object.kind === "name" && expression.object.name === "self") return expression.name;
    const path = layerPath(expression.object, held);
    return path === undefined ? undefined : `${path}.${expression.name}`;
  }
  if (expression.kind !== "subscript") return undefined;
  const path = layerPath(expression.object, held);
  const [item] = expression.items;
  const key = item?.kind === "number" ? item.value : item?.kind === "string" ? item.value : undefined;
  return path === undefined ? undefined : `${path}.${key ?? "*"}`;
}

/** Names of a method that hold a layer: `head = self.head`, `for layer in self.layers`. */
function heldLayers({ body }: FunctionStmt): Held {
  const held = new Map<string, string>();
  const hold = (target: Expr | undefined, path: string | undefined): void => {
    if (target?.kind !== "name" || path === undefined) return;
    const before = held.get(target.name)?.split("|") ?? [];
    held.set(target.name, [...new Set([...before, ...path.split("|")])].join("|"));
  };
  /** `(self.q, self.k)` */
  const some = (list: Expr): string | undefined => {
    const items = list.kind === "tuple" || list.kind === "list" ? list.items : [];
    const paths = items.flatMap((item) => layerPath(item, held) ?? []);
    return paths.length > 0 && paths.length === items.length ? paths.join("|") : undefined;
  };
  const over = (target: Expr, iterable: Expr): void => {
    const targets = target.kind === "tuple" ? target.items : [target];
    const lists = iterable.kind === "call" ? iterable.arguments.map(({ value }) => value) : [iterable];
    // enumerate counts first, zip goes side by side
    const shift = targets.length - lists.length;
    for (const [index, list] of lists.entries()) {
      const path = layerPath(list, held);
      const layers = path === undefined || path.includes("|") ? (path ?? some(list)) : `${path}.*`;
      if (shift >= 0) hold(targets[index + shift], layers);
    }
  };
  walkStatements(body, (statement) => {
    if (statement.kind === "assign" && statement.value)
      for (const target of statement.targets)
        hold(target, layerPath(statement.value, held) ?? some(statement.value));
    if (statement.kind === "for") over(statement.target, statement.iterable);
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (inner) => {
        if (inner.kind === "comprehension")
          for (const { target, iterable } of inner.clauses) over(target, iterable);
      });
  });
  return held;
}
