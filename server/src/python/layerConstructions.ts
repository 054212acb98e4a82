/** The layers that an expression constructs: calls, containers, comprehensions, factories of the same file. */
import { type CallExpr, type ClassStmt, type Expr, type FunctionStmt, selfPath, type Stmt } from "./ast";
import type { Block } from "./block";
import { callFact } from "./calls";
import { evaluate, type Place } from "./constants";
import type { Call, Layer, LayerForm, LayerRole, Range } from "./facts";
import {
  isCollection,
  isOrdered,
  iterations,
  keyOf,
  returnedCalls,
  starOf,
  within,
} from "./layerExpressions";
import { sizesOf } from "./layerSizes";
import { roleOf, typeObstacle, wrapperObstacle } from "./layerTypes";
import { isModuleClass } from "./modules";
import type { Origin, Scope } from "./scope";

/** How the surrounding code constructs what is being collected. */
export interface Context {
  readonly place: Place;
  readonly statement: Stmt;
  readonly form: LayerForm;
  readonly name?: Range;
  readonly count?: number;
  readonly obstacle?: string;
}

/** What a local list of layers holds so far: `layers = []`, `layers.append(nn.Linear(…))`. */
export interface LocalLayers {
  readonly items: {
    readonly expression: Expr;
    readonly statement: Stmt;
    readonly form: LayerForm;
    readonly place: Place;
    readonly count?: number;
  }[];
}

const maximumNesting = 12;
const wrappers =
  /(?:^|\.)(?:weight_norm|spectral_norm|orthogonal|checkpoint_wrapper|compile|script|DataParallel|DistributedDataParallel|FullyShardedDataParallel|fsdp_wrap)$/;
const clones = /(?:^|\.)(?:_?get_clones?|_?clones?)$/;

export class Constructions {
  readonly layers: Layer[] = [];
  protected locals = new Map<string, LocalLayers>();

  constructor(
    protected readonly owner: ClassStmt,
    protected readonly block: Block,
    protected readonly scope: Scope,
  ) {}

  /** Collects the layers that `expression` constructs, to be known as `path`. */
  protected collect(expression: Expr, path: string, context: Context, nesting: number): void {
    if (nesting > maximumNesting) return;
    switch (expression.kind) {
      case "conditional":
        this.collect(expression.then, path, { ...context, form: "conditional" }, nesting + 1);
        this.collect(expression.otherwise, path, { ...context, form: "conditional" }, nesting + 1);
        return;
      case "binary":
        // `layer or nn.Identity()`
        if (expression.operator !== "or" && expression.operator !== "and") return;
        this.collect(expression.left, path, { ...context, form: "conditional" }, nesting + 1);
        this.collect(expression.right, path, { ...context, form: "conditional" }, nesting + 1);
        return;
      case "list":
      case "tuple":
      case "comprehension":
        return;
      case "name": {
        const local = this.locals.get(expression.name);
        const [only] = local?.items ?? [];
        if (
          local?.items.length === 1 &&
          only &&
          only.expression !== expression &&
          context.place.owner === this.owner
        ) {
          const count = only.count ?? context.count;
          const form = only.form === "conditional" ? "conditional" : context.form;
          this.collect(
            only.expression,
            path,
            { ...context, statement: only.statement, form, ...(count !== undefined && { count }) },
            nesting + 1,
          );
        }
        return;
      }
      case "call":
        this.construction(expression, path, context, nesting);
        return;
      case "attribute":
      case "subscript":
      case "number":
      case "string":
      case "constant":
      case "unary":
      case "set":
      case "dict":
      case "lambda":
      case "star":
      case "other":
    }
  }

  private construction(call: CallExpr, path: string, context: Context, nesting: number): void {
    const { callee } = call;
    const qualified = this.scope.resolve(callee);
    // nn.Linear(…).to(device), nn.Sequential(…).cuda()
    if (callee.kind === "attribute" && callee.object.kind === "call" && qualified === undefined) {
      this.collect(callee.object, path, context, nesting + 1);
      return;
    }
    if (qualified !== undefined && wrappers.test(qualified)) {
      const [inner] = call.arguments;
      if (inner)
        this.collect(
          inner.value,
          path,
          { ...context, form: "argument", obstacle: wrapperObstacle(qualified) },
          nesting + 1,
        );
      return;
    }
    const declaration = qualified === undefined ? undefined : this.scope.definition(qualified);
    if (declaration?.kind === "function") {
      this.factory(call, declaration, path, context, nesting);
      return;
    }
    const own = selfPath(callee);
    if (own !== undefined) {
      const method = this.owner.body.find(
        (each): each is FunctionStmt => each.kind === "function" && each.name === own,
      );
      if (method)
        this.factory(call, { node: method, block: this.block, scope: this.scope }, path, context, nesting);
      return;
    }
    const types = qualified === undefined ? this.typesOf(callee, context.place, nesting) : [qualified];
    for (const type of types) {
      const own = this.scope.definition(type);
      const role = own?.kind === "class" ? classRole(type, own) : roleOf(type, false);
      if (!role) continue;
      this.push(call, path, type, role, types.length > 1 ? { ...context, form: "conditional" } : context);
      this.inside(call, path, type, context, nesting);
    }
  }

  /** The classes that a callee held in a variable may be: `block = A if flag else B`, `norm_layer=nn.LayerNorm`. */
  private typesOf(callee: Expr, place: Place, nesting: number): string[] {
    if (nesting > maximumNesting) return [];
    if (callee.kind === "conditional")
      return [
        ...this.typesOf(callee.then, place, nesting + 1),
        ...this.typesOf(callee.otherwise, place, nesting + 1),
      ];
    const value = evaluate(callee, place);
    if (value.kind === "reference") return [value.qualified];
    if (callee.kind === "name") {
      const items = this.locals.get(callee.name)?.items ?? [];
      const found = items.flatMap(({ expression }) =>
        expression === callee || expression.kind === "call"
          ? []
          : this.typesOf(expression, place, nesting + 1),
      );
      if (found.length > 0) return found;
    }
    return callee.kind === "name" || callee.kind === "attribute" ? [this.block.slice(callee)] : [];
  }

  private push(call: CallExpr, path: string, type: string, role: LayerRole, context: Context): void {
    const { place, statement, form, name, count, obstacle = typeObstacle(type) } = context;
    const { sizes, expressions } = sizesOf(call, type, place);
    this.layers.push({
      path,
      ...(name && { name }),
      role,
      form,
      call: callFact(call, statement, place),
      type,
      sizes,
      arguments: expressions,
      ...(count !== undefined && { count }),
      ...(obstacle !== undefined && { obstacle }),
    });
  }

  /** The layers that stand in the arguments of a container. */
  private inside(call: CallExpr, path: string, type: string, context: Context, nesting: number): void {
    const last = type.split(".").at(-1) ?? type;
    const rest = unnamed(context);
    const [first] = call.arguments;
    const own = this.scope.definition(type);
    if (last === "Sequential" || (own?.kind === "class" && isSequential(own))) {
      if (call.arguments.length === 1 && first && isOrdered(first.value))
        this.dictionary(first.value, path, { ...rest, form: "sequential" }, nesting);
      else
        this.sequence(
          call.arguments.map((argument) => (argument.star === "*" ? starOf(argument.value) : argument.value)),
          path,
          { ...rest, form: "sequential" },
          nesting,
        );
    } else if (last === "ModuleList") {
      if (first) this.items(first.value, path, { ...rest, form: "module-list" }, 0, nesting);
    } else if (last === "ModuleDict") {
      if (first) this.dictionary(first.value, path, { ...rest, form: "module-dict" }, nesting);
    } else if (own || /^torch\.nn\.Transformer(?:En|De)coder$/.test(type)) {
      // Layers handed to another module: nn.TransformerEncoder(nn.TransformerEncoderLayer(…)), Residual(nn.Linear(…))
      for (const argument of call.arguments)
        if (argument.value.kind === "call" && !argument.star)
          this.collect(
            argument.value,
            `${path}.${argument.keyword?.name ?? "*"}`,
            { ...rest, form: "argument" },
            nesting + 1,
          );
    }
  }

  /** What an iterable of layers holds: a list, a comprehension, a local list, `_get_clones(layer, n)`. */
  protected items(expression: Expr, path: string, context: Context, from: number, nesting: number): void {
    if (nesting > maximumNesting) return;
    switch (expression.kind) {
      case "list":
      case "tuple":
        this.sequence(expression.items, path, context, nesting, from);
        return;
      case "comprehension": {
        const [clause] = expression.clauses;
        const times =
          clause && expression.conditions.length === 0
            ? iterations(clause.iterable, context.place)
            : undefined;
        const count = times === undefined ? context.count : times * (context.count ?? 1);
        const place = within(expression, context.place);
        this.collect(
          expression.element,
          `${path}.*`,
          { ...context, place, form: "comprehension", ...(count !== undefined && { count }) },
          nesting + 1,
        );
        return;
      }
      case "binary": {
        if (expression.operator === "+") {
          this.items(expression.left, path, context, from, nesting + 1);
          this.items(expression.right, path, context, from, nesting + 1);
        } else if (expression.operator === "*") {
          const times = evaluate(expression.right, context.place);
          this.items(
            expression.left,
            path,
            { ...context, ...(times.kind === "number" && { count: times.value }) },
            from,
            nesting + 1,
          );
        }
        return;
      }
      case "star":
        this.items(expression.value, path, context, from, nesting + 1);
        return;
      case "name": {
        const local = this.locals.get(expression.name);
        if (!local) return;
        let index = from;
        for (const item of local.items) {
          if (item.expression === expression) continue;
          const inner: Context = {
            ...context,
            statement: item.statement,
            ...(item.form === "append" && { form: "append" as const }),
            ...(item.count !== undefined && { count: item.count }),
          };
          if (isCollection(item.expression) || item.expression.kind === "name") {
            this.items(item.expression, path, inner, index, nesting + 1);
            if (item.expression.kind === "list") index += item.expression.items.length;
          } else {
            this.collect(
              item.expression,
              `${path}.${item.count === undefined ? index++ : "*"}`,
              inner,
              nesting + 1,
            );
          }
        }
        return;
      }
      case "call": {
        const [first, second] = expression.arguments;
        if (first && clones.test(this.block.slice(expression.callee))) {
          const times = second && evaluate(second.value, context.place);
          this.collect(
            first.value,
            `${path}.*`,
            { ...context, ...(times?.kind === "number" && { count: times.value }) },
            nesting + 1,
          );
        } else if (
          expression.callee.kind === "name" &&
          (expression.callee.name === "list" || expression.callee.name === "tuple") &&
          first
        ) {
          this.items(first.value, path, context, from, nesting + 1);
        } else this.collect(expression, path, { ...context }, nesting + 1);
        return;
      }
      default:
        return;
    }
  }

  private sequence(items: readonly Expr[], path: string, context: Context, nesting: number, from = 0): void {
    items.forEach((item, index) => {
      if (item.kind === "star") this.items(item.value, path, context, from + index, nesting + 1);
      else this.collect(item, `${path}.${from + index}`, context, nesting + 1);
    });
  }

  /** `{"name": layer}`, `dict(name=layer)`, `OrderedDict([("name", layer)])`. */
  protected dictionary(expression: Expr, path: string, context: Context, nesting: number): void {
    const add = (key: Expr, value: Expr) =>
      this.collect(
        value,
        `${path}.${keyOf(key, context.place)}`,
        { ...context, ...(key.kind === "string" && { name: { from: key.from + 1, to: key.to - 1 } }) },
        nesting + 1,
      );
    if (expression.kind === "dict") {
      for (const { key, value } of expression.entries) if (key) add(key, value);
    } else if (expression.kind === "comprehension" && expression.value) {
      const [clause] = expression.clauses;
      const count = clause && iterations(clause.iterable, context.place);
      const place = within(expression, context.place);
      this.collect(
        expression.value,
        `${path}.*`,
        { ...context, place, form: "comprehension", ...(count !== undefined && { count }) },
        nesting + 1,
      );
    } else if (expression.kind === "list" || expression.kind === "tuple") {
      for (const item of expression.items)
        if (item.kind === "tuple" && item.items[0] && item.items[1]) add(item.items[0], item.items[1]);
    } else if (expression.kind === "call") {
      for (const argument of expression.arguments) {
        if (argument.keyword)
          this.collect(
            argument.value,
            `${path}.${argument.keyword.name}`,
            { ...context, name: { from: argument.keyword.from, to: argument.keyword.to } },
            nesting + 1,
          );
        else if (!argument.star) this.dictionary(argument.value, path, context, nesting + 1);
      }
    } else if (expression.kind === "name") {
      const local = this.locals.get(expression.name);
      for (const item of local?.items ?? [])
        if (item.expression !== expression && nesting < maximumNesting)
          this.dictionary(item.expression, path, context, nesting + 1);
    }
  }

  /** What a class that a neighbour's factory returns is called in this file: as if it stood beside the factory. */
  private nameHere(type: string, source: Scope, { qualified = "" }: Call): string {
    if (source.isLibrary(type)) return type;
    return qualified.replace(/\w+$/, "") + (type.split(".").at(-1) ?? type);
  }

  /** A function of the file or a neighbour that returns a layer: its type and sizes are read there, with this call's arguments. */
  private factory(
    call: CallExpr,
    { node, block, scope }: { node: FunctionStmt; block: Block; scope: Scope },
    path: string,
    context: Context,
    nesting: number,
    outermost?: Pick<Layer, "call" | "arguments">,
  ): void {
    const returned = returnedCalls(node);
    const bound = new Map<string, { value: Expr; place: Place }>();
    const isMethod = node.parameters[0]?.name === "self";
    const names = node.parameters.filter((parameter) => !parameter.star).map((parameter) => parameter.name);
    if (isMethod) names.shift();
    const positional = call.arguments.filter((argument) => !argument.keyword && !argument.star);
    for (const [index, argument] of positional.entries()) {
      const name = names[index];
      if (name !== undefined) bound.set(name, { value: argument.value, place: context.place });
    }
    for (const argument of call.arguments)
      if (argument.keyword) bound.set(argument.keyword.name, { value: argument.value, place: context.place });
    const place: Place = {
      scope,
      block,
      function: node,
      bound,
      ...(isMethod && { owner: this.owner }),
    };
    const written = outermost ?? {
      call: callFact(call, context.statement, context.place),
      arguments: sizesOf(call, undefined, context.place, names).expressions,
    };
    for (const inner of returned) {
      const type = scope.resolve(inner.callee);
      if (type === undefined) continue;
      const declaration = scope.definition(type);
      if (declaration?.kind === "function" && nesting < maximumNesting && declaration.node !== node) {
        this.factory(inner, declaration, path, { ...context, place }, nesting + 1, written);
        continue;
      }
      const role = declaration?.kind === "class" ? classRole(type, declaration) : roleOf(type, false);
      if (!role) continue;
      const { name, count, obstacle = typeObstacle(type) } = context;
      const { sizes } = sizesOf(inner, type, place);
      this.layers.push({
        path,
        ...(name && { name }),
        role,
        form: "factory",
        ...written,
        type: scope === this.scope ? type : this.nameHere(type, scope, written.call),
        sizes,
        ...(count !== undefined && { count }),
        ...(obstacle !== undefined && { obstacle }),
      });
    }
  }
}

/** The role of a layer whose class is at hand; undefined when that is no module. */
function classRole(type: string, origin: Origin & { kind: "class" }): LayerRole | undefined {
  if (!isModuleClass(origin.node, origin.block, origin.scope)) return undefined;
  const role = roleOf(type, true);
  return role === "module" ? (inheritedRole(origin, 0) ?? role) : role;
}

/** A subclass of a linear layer or of an embedding is one, whatever it is called. */
function inheritedRole({ node, scope }: Origin & { kind: "class" }, nesting: number): LayerRole | undefined {
  if (nesting > maximumNesting) return undefined;
  for (const { value } of node.bases) {
    const base = scope.resolve(value) ?? "";
    const role = /^torch\.nn\.(?:Linear|Embedding)$/.test(base) ? roleOf(base, false) : undefined;
    const parent = role ? undefined : scope.definition(base);
    const found = parent?.kind === "class" ? inheritedRole(parent, nesting + 1) : role;
    if (found) return found;
  }
  return undefined;
}

function isSequential({ node, scope }: Origin & { kind: "class" }): boolean {
  return node.bases.some(({ value }) => scope.resolve(value) === "torch.nn.Sequential");
}

/** What stands inside a container has no name of its own. */
function unnamed({ place, statement, form, count, obstacle }: Context): Context {
  return {
    place,
    statement,
    form,
    ...(count !== undefined && { count }),
    ...(obstacle !== undefined && { obstacle }),
  };
}
