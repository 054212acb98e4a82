/** The layers that an expression constructs: calls, containers, functions of the same file that give layers back. */
import {
  type CallExpr,
  dottedPath,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
  walkStatements,
} from "../tree/ast";
import type { Block } from "../names/block";
import { callFact, writtenCall } from "../names/calls";
import { evaluate, type Place } from "../names/constants";
import type { Call, Construction, Layer } from "../facts";
import { Containers } from "./layerContainers";
import {
  bind,
  callsThrough,
  isOrdered,
  keyOf,
  namesOf,
  passesOn,
  returnedCalls,
  returnedExpressions,
  starOf,
} from "./layerExpressions";
import { classRole, type Context, maximumNesting, unnamed } from "./layerSink";
import { sizesOf } from "./layerSizes";
import {
  eitherObstacle,
  factoryObstacle,
  passingObstacle,
  roleOf,
  severalObstacle,
  typeObstacle,
  wrapperObstacle,
} from "./layerTypes";
import type { Origin, Scope } from "../names/scope";
import { moveCall } from "../shift";

/** Why a layer that goes through a function before it is used cannot be adapted. */
const handedObstacle = (type: string): string =>
  wrappers.test(type) ? wrapperObstacle(type) : passingObstacle(type.split(".").at(-1) ?? type);

/** What a function may do to a layer before it gives it back that an adapter would not stand. */
const wrapsOrTies = /\.weight\s*=(?!=)|(?:_norm|orthogonal|register_\w+|prune)\(/;
const wrappers =
  /(?:^|\.)(?:weight_norm|spectral_norm|orthogonal|checkpoint_wrapper|compile|script|DataParallel|DistributedDataParallel|FullyShardedDataParallel|fsdp_wrap)$/;

/** Whether a function neither wraps what it gives back nor ties its weights. */
const givesPlainLayers = (node: FunctionStmt, block: Block): boolean =>
  node.decorators.length === 0 && !wrapsOrTies.test(block.slice(node));

export abstract class Constructions extends Containers {
  /** Functions defined within the one that is read, by name. */
  protected nested = new Map<string, FunctionStmt>();

  /** Notes what the names of a helper's body hold. */
  protected abstract gather(helper: FunctionStmt, place: Place): void;

  /** Collects what a local module was given: `block = nn.ModuleList()`, `block.append(…)`, `down.pool = …`. */
  private given(name: string, path: string, nesting: number): void {
    for (const { expression, statement, form, count, place, key } of this.locals.get(name)?.items ?? []) {
      if (form !== "append" && !key) continue;
      const inner: Context = { place, statement, form, ...(count !== undefined && { count }) };
      this.collect(expression, `${path}.${key ? keyOf(key, place) : "*"}`, inner, nesting + 1);
    }
  }

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
        const assigned = (this.locals.get(expression.name)?.items ?? []).filter(
          (item) => item.form !== "append" && !item.key && item.expression !== expression,
        );
        if (context.place.owner !== this.owner) return;
        for (const item of assigned) {
          const count = item.count ?? context.count;
          const either = assigned.length > 1 || item.form === "conditional";
          const inner: Context = {
            ...context,
            statement: item.statement,
            form: either ? "conditional" : context.form,
            ...(count !== undefined && { count }),
          };
          this.asBefore(expression.name, item, () => this.collect(item.expression, path, inner, nesting + 1));
        }
        if (assigned.some((item) => item.expression.kind === "call"))
          this.given(expression.name, path, nesting);
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
    const made = callee.kind === "name" ? this.locals.get(callee.name)?.items[0]?.expression : undefined;
    if (made?.kind === "lambda") {
      this.collect(made.body, path, context, nesting + 1);
      this.passedOn(call, `${path}.*`, context, nesting, false);
      return;
    }
    const helper = this.helperOf(callee);
    const declaration = qualified === undefined ? undefined : this.scope.definition(qualified);
    const source = helper
      ? { node: helper, block: this.block, scope: this.scope }
      : declaration?.kind === "function"
        ? declaration
        : undefined;
    if (source) {
      const before = this.layers.length;
      this.factory(call, source, path, context, nesting);
      if (this.layers.length === before) this.passedOn(call, path, context, nesting, passesOn(source.node));
      return;
    }
    if (selfPath(callee) !== undefined && evaluate(callee, context.place).kind !== "reference") return;
    const types = qualified === undefined ? this.typesOf(callee, context.place, nesting) : [qualified];
    const either = this.eitherClass(callee, nesting);
    for (const type of types) {
      if (wrappers.test(type)) {
        this.passedOn(call, path, { ...context, obstacle: wrapperObstacle(type) }, nesting, true);
        return;
      }
      const role = this.roleAs(type, path);
      if (!role) {
        this.passedOn(call, path, context, nesting, /^(?:copy\.)?deepcopy$/.test(type));
        continue;
      }
      const obstacle = /^(?:linear|conv|embedding)$/.test(role)
        ? (either ?? context.obstacle)
        : context.obstacle;
      const own = { ...context, ...(obstacle !== undefined && { obstacle }) };
      this.push(call, path, type, role, types.length > 1 ? { ...own, form: "conditional" } : own);
      this.inside(call, path, type, context, nesting);
    }
  }

  /** `layer = nn.Conv2d if convolve else nn.Linear`, for whose calls no one class can stand. */
  private eitherClass(callee: Expr, nesting: number): string | undefined {
    if (callee.kind !== "name") return undefined;
    const arms = (expression: Expr): Expr[] =>
      expression.kind === "conditional"
        ? [...arms(expression.then), ...arms(expression.otherwise)]
        : [expression];
    const items = this.locals.get(callee.name)?.items.filter(({ form }) => form !== "append") ?? [];
    const classes = items.flatMap(({ expression, place }) =>
      arms(expression).map((arm) => this.typesOf(arm, place, nesting + 1).join() || place.block.slice(arm)),
    );
    return new Set(classes).size > 1 ? eitherObstacle(callee.name, classes) : undefined;
  }

  /** A function that is given a layer and gives it back, changed or not: `zero_module(nn.Conv2d(…))`. */
  private passedOn(call: CallExpr, path: string, context: Context, nesting: number, sound: boolean): void {
    const name = dottedPath(call.callee)?.at(-1) ?? "";
    if (!/^_*[a-z]/.test(name)) return;
    const obstacle = sound ? context.obstacle : passingObstacle(name);
    const inner = { ...context, form: "argument" as const, ...(obstacle !== undefined && { obstacle }) };
    const before = this.layers.length;
    for (const { keyword, star, value } of call.arguments) {
      // default(layer, lambda: nn.Linear(…))
      const made = value.kind === "lambda" && value.parameters.length === 0 ? value.body : value;
      if (!keyword && !star) this.collect(made, path, inner, nesting + 1);
      if (this.layers.length > before) return;
    }
  }

  /** A method of the class, or a function within the one that is read. */
  private helperOf(callee: Expr): FunctionStmt | undefined {
    if (callee.kind === "name") return this.nested.get(callee.name);
    const own = selfPath(callee);
    return this.owner.body.find(
      (each): each is FunctionStmt => each.kind === "function" && each.name === own,
    );
  }

  protected listed(
    call: CallExpr,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): { readonly next: number | undefined } | undefined {
    const helper = this.helperOf(call.callee);
    if (!helper || nesting > maximumNesting) return undefined;
    const place = bind(call, helper, context.place, this.place(helper));
    const lists = returnedExpressions(helper).filter(({ kind }) => kind !== "call");
    if (lists.length === 0) return undefined;
    const ends: (number | undefined)[] = [];
    this.reading(helper, place, () => {
      for (const list of lists) ends.push(this.items(list, path, { ...context, place }, from, nesting + 1));
    });
    return { next: ends.length === 1 ? ends[0] : undefined };
  }

  private place(helper: FunctionStmt): Place {
    return { scope: this.scope, block: this.block, function: helper, owner: this.owner };
  }

  /** Does `work` with the names of a helper's body known. */
  private reading(helper: FunctionStmt, place: Place, work: () => void): void {
    const { locals, muted } = this;
    this.locals = new Map();
    this.muted = true;
    this.gather(helper, place);
    this.muted = muted;
    work();
    this.locals = locals;
  }

  /** The layers that stand in the arguments of a container. */
  protected inside(call: CallExpr, path: string, type: string, context: Context, nesting: number): void {
    const last = type.split(".").at(-1) ?? type;
    const rest = unnamed(context);
    const [first] = call.arguments;
    const own = this.scope.definition(type);
    const named = first?.value.kind === "name" ? this.locals.get(first.value.name)?.items[0] : undefined;
    if (last === "Sequential" || (own?.kind === "class" && isSequential(own))) {
      if (
        call.arguments.length === 1 &&
        first &&
        (isOrdered(first.value) || (named && isOrdered(named.expression)))
      )
        this.dictionary(first.value, path, { ...rest, form: "sequential" }, nesting);
      else
        this.sequence(
          call.arguments.map((argument) => (argument.star === "*" ? starOf(argument.value) : argument.value)),
          path,
          { ...rest, form: "sequential" },
          nesting,
          0,
        );
    } else if (last === "ModuleList") {
      if (first) this.items(first.value, path, { ...rest, form: "module-list" }, 0, nesting);
    } else if (last === "ModuleDict") {
      if (first) this.dictionary(first.value, path, { ...rest, form: "module-dict" }, nesting);
    } else if (/^torch\.nn\.Transformer(?:En|De)coder$/.test(type)) {
      this.stacked(call, path, type, rest, nesting);
    } else if (own || !type.startsWith("torch.nn.")) {
      // Layers handed to another module: Residual(nn.Linear(…))
      const obstacle = rest.obstacle ?? (own ? undefined : passingObstacle(last));
      const handed = { ...rest, form: "argument" as const, ...(obstacle !== undefined && { obstacle }) };
      for (const { value, keyword, star } of call.arguments) {
        if (star) continue;
        const inner = `${path}.${keyword?.name ?? "*"}`;
        if (value.kind === "list" || value.kind === "tuple")
          this.items(value, inner, handed, undefined, nesting + 1);
        else this.collect(value, inner, handed, nesting + 1);
      }
    }
  }

  /** nn.TransformerEncoder(layer, 6) makes six copies of a layer. */
  private stacked(call: CallExpr, path: string, type: string, context: Context, nesting: number): void {
    const { num_layers: copies } = sizesOf(call, type, context.place).sizes;
    const { count: around = 1, ...rest } = context;
    const layers = typeof copies === "number" ? { ...rest, count: around * copies } : rest;
    for (const [index, { value, keyword, star }] of call.arguments.entries()) {
      if (star || (value.kind !== "call" && value.kind !== "name")) continue;
      if (keyword?.name.endsWith("_layer") ?? index === 0)
        this.collect(value, `${path}.layers.*`, { ...layers, form: "argument" }, nesting + 1);
      else if (keyword ? keyword.name === "norm" : index === 2)
        this.collect(value, `${path}.norm`, { ...context, form: "argument" }, nesting + 1);
    }
  }

  /** What a class that a neighbour's factory returns is called in this file: as if it stood beside the factory. */
  private nameHere(type: string, source: Scope, { qualified = "" }: Call): string {
    if (source.isLibrary(type)) return type;
    return qualified.replace(/\w+$/, "") + (type.split(".").at(-1) ?? type);
  }

  /** The one construction that a function of this file gives back as it is, whatever it does to its weights before. */
  private soleConstruction(node: FunctionStmt, block: Block, scope: Scope): Construction | undefined {
    const [call, ...others] = returnedCalls(node);
    if (scope !== this.scope || call === undefined || others.length > 0) return undefined;
    if (!/^(?:.*\.)?_*[A-Z]\w*$/.test(scope.resolve(call.callee) ?? "")) return undefined;
    if (!givesPlainLayers(node, block)) return undefined;
    let around: Stmt | undefined;
    walkStatements(node.body, (each) => {
      if (each.from <= call.from && call.to <= each.to) around = each;
    });
    if (around === undefined) return undefined;
    const fact = writtenCall(call, around, { scope, block, function: node });
    const free = block !== this.block;
    return { by: node.name, free, call: free ? moveCall(fact, -node.nameFrom) : fact };
  }

  /** A function of the file or a neighbour that returns a layer: its type and sizes are read there, with this call's arguments. */
  protected factory(
    call: CallExpr,
    { node, block, scope }: { node: FunctionStmt; block: Block; scope: Scope },
    path: string,
    context: Context,
    nesting: number,
    outermost?: Pick<Layer, "call" | "arguments">,
  ): void {
    // What a function is given may be what it gives back: the list grows while it is walked through.
    const returned = returnedCalls(node);
    const construction =
      outermost === undefined && context.obstacle === undefined
        ? this.soleConstruction(node, block, scope)
        : undefined;
    const isMethod = node.parameters[0]?.name === "self";
    const names = namesOf(node);
    const place = bind(call, node, context.place, {
      scope,
      block,
      function: node,
      ...(isMethod && { owner: this.owner }),
    });
    const written = outermost ?? {
      call: callFact(call, context.statement, context.place),
      arguments: sizesOf(call, undefined, context.place, names).expressions,
    };
    const around = new Map<CallExpr, string>();
    for (const inner of returned) {
      const type = scope.resolve(inner.callee);
      if (type === undefined) continue;
      const declaration = scope.definition(type);
      const before = this.layers.length;
      if (declaration?.kind === "function" && nesting < maximumNesting && declaration.node !== node)
        this.factory(inner, declaration, path, { ...context, place }, nesting + 1, written);
      // return quant_noise(nn.Linear(…), p)
      const [first] = inner.arguments;
      const isFunction = /(?:^|\.)_*[a-z]\w*$/.test(type);
      if (isFunction && first !== undefined && this.layers.length === before)
        for (const given of callsThrough(node, first.value)) {
          if (returned.includes(given)) continue;
          returned.push(given);
          around.set(given, type);
        }
      if (isFunction) continue;
      const role = declaration?.kind === "class" ? classRole(type, declaration) : roleOf(type, false);
      if (!role || this.muted) continue;
      const wrapper = around.get(inner);
      const unbuilt =
        wrapper !== undefined
          ? handedObstacle(wrapper)
          : construction === undefined
            ? factoryObstacle(node.name)
            : undefined;
      const { name, count, obstacle = typeObstacle(type) ?? unbuilt } = context;
      const isOne = returned.every(({ callee }) => scope.resolve(callee) === type);
      const isBuilt = obstacle === factoryObstacle(node.name) && isOne && givesPlainLayers(node, block);
      const { sizes } = sizesOf(inner, type, place);
      this.layers.push({
        path: path.replace(/^\./, ""),
        ...(name && { name }),
        role,
        form: "factory",
        ...written,
        type: scope === this.scope ? type : this.nameHere(type, scope, written.call),
        sizes,
        ...(count !== undefined && { count }),
        ...(obstacle !== undefined && { obstacle }),
        ...(isBuilt && { obstacleTo: "construction" as const }),
        ...(construction && { construction }),
      });
      // What a function of the file puts into a container stands in the class too.
      const free = block !== this.block;
      const isHelper = isMethod || free || (node.name !== "" && this.nested.get(node.name) === node);
      const inside = this.layers.length;
      if (role === "container" && isHelper && scope === this.scope && !outermost)
        this.reading(node, free ? { ...place, owner: this.owner } : place, () => {
          this.inside(inner, path, type, { ...context, place }, nesting + 1);
          for (const [local, { items }] of this.locals)
            if (items.some(({ expression }) => expression === inner)) this.given(local, path, nesting + 1);
        });
      if (free) this.builtBy(node, block, written, inside);
    }
  }

  /** Layers from `first` on that a free function puts into a container: an edit goes to its one construction of a kind. */
  private builtBy(
    node: FunctionStmt,
    block: Block,
    written: Pick<Layer, "call" | "arguments">,
    first: number,
  ): void {
    const found = this.layers.splice(first);
    const isPlain = givesPlainLayers(node, block);
    for (const layer of found) {
      const { path, role, type, sizes, count, call } = layer;
      const alone = found.every((other) => other.role !== role || other.call.range.from === call.range.from);
      const isFree = isPlain && layer.obstacle === undefined;
      const isSole = isFree && alone && layer.form !== "factory";
      this.layers.push({
        ...{ path, role, type, sizes, ...written, form: "factory" },
        ...(count !== undefined && { count }),
        ...(isSole
          ? { construction: { by: node.name, free: true, call: moveCall(call, -node.nameFrom) } }
          : { obstacle: layer.obstacle ?? (isFree ? severalObstacle : factoryObstacle)(node.name) }),
        ...(isFree && !isSole && { obstacleTo: "construction" as const }),
      });
    }
  }
}

export function isSequential({ node, scope }: Origin & { kind: "class" }): boolean {
  return node.bases.some(({ value }) => scope.resolve(value) === "torch.nn.Sequential");
}
