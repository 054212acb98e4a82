/**
 * The layers a class constructs, wherever it does so: as attributes, in containers, comprehensions, branches and
 * loops, by `add_module`, `setattr` or through a function of the same file.
 */
import {
  bodiesOf,
  type CallExpr,
  type ClassStmt,
  dottedPath,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
  walkStatements,
} from "./ast";
import type { Block } from "./block";
import { callFact } from "./calls";
import { evaluate, type Place } from "./constants";
import type { Expression, Layer, LayerForm, LayerRole, Range } from "./facts";
import { isModuleClass } from "./modules";
import { obstaclesIn } from "./obstacles";
import { type Scope, signatureOf } from "./scope";

export interface Layers {
  readonly layers: readonly Layer[];
}

/** All layers of a class in source order. */
export function layersOf(node: ClassStmt, block: Block, scope: Scope): Layers {
  return scope.derive(block.memory.layers, node, () => {
    const collector = new Collector(node, block, scope);
    for (const method of node.body) if (method.kind === "function") collector.method(method);
    const obstacles = obstaclesIn(node, scope);
    const layers = collector.layers.map((layer): Layer => {
      const obstacle = layer.obstacle ?? obstacles.get(layer.path);
      return obstacle === undefined ? layer : { ...layer, obstacle };
    });
    return { layers };
  });
}

/** How the surrounding code constructs what is being collected. */
interface Context {
  readonly place: Place;
  readonly statement: Stmt;
  readonly form: LayerForm;
  readonly name?: Range;
  readonly count?: number;
  readonly obstacle?: string;
}

/** What a local list of layers holds so far: `layers = []`, `layers.append(nn.Linear(…))`. */
interface LocalLayers {
  readonly items: {
    readonly expression: Expr;
    readonly statement: Stmt;
    readonly form: LayerForm;
    readonly place: Place;
    readonly count?: number;
  }[];
}

const maximumNesting = 12;
const torchLayer = /^torch\.nn\.[A-Z]\w*$/;
const wrappers =
  /(?:^|\.)(?:weight_norm|spectral_norm|orthogonal|checkpoint_wrapper|compile|script|DataParallel|DistributedDataParallel|FullyShardedDataParallel|fsdp_wrap)$/;
const clones = /(?:^|\.)(?:_?get_clones?|_?clones?)$/;

class Collector {
  readonly layers: Layer[] = [];
  private locals = new Map<string, LocalLayers>();
  private readonly lists = new Map<string, number>();

  constructor(
    private readonly owner: ClassStmt,
    private readonly block: Block,
    private readonly scope: Scope,
  ) {}

  method(method: FunctionStmt): void {
    this.locals = new Map();
    const place: Place = { scope: this.scope, block: this.block, owner: this.owner, function: method };
    this.statements(method.body, place, "attribute", undefined);
  }

  /** `form` is what a plain assignment counts as here: inside a branch it is conditional. */
  private statements(body: readonly Stmt[], place: Place, form: LayerForm, count: number | undefined): void {
    for (const statement of body) {
      switch (statement.kind) {
        case "assign":
          this.assignment(statement, place, form, count);
          break;
        case "expression":
          this.call(statement.value, statement, place, count);
          break;
        case "if":
          for (const branch of statement.branches) this.statements(branch.body, place, "conditional", count);
          break;
        case "for": {
          const times = iterations(statement.iterable, place);
          const inner = times === undefined ? count : times * (count ?? 1);
          this.statements(statement.body, place, form, inner);
          break;
        }
        case "class":
        case "function":
          break;
        case "while":
        case "compound":
        case "return":
        case "import":
        case "simple":
          for (const inner of bodiesOf(statement)) this.statements(inner, place, form, count);
      }
    }
  }

  private assignment(
    statement: Stmt & { kind: "assign" },
    place: Place,
    form: LayerForm,
    count?: number,
  ): void {
    const { value } = statement;
    if (!value) return;
    for (const target of statement.targets) {
      const pairs: (readonly [Expr, Expr])[] =
        target.kind === "tuple" && value.kind === "tuple" && target.items.length === value.items.length
          ? target.items.flatMap((item, index): (readonly [Expr, Expr])[] => {
              const part = value.items[index];
              return part ? [[item, part]] : [];
            })
          : [[target, value]];
      for (const [to, from] of pairs) this.assign(to, from, statement, place, form, count);
    }
  }

  private assign(
    target: Expr,
    value: Expr,
    statement: Stmt & { kind: "assign" },
    place: Place,
    form: LayerForm,
    count?: number,
  ): void {
    const context = { place, statement, form, ...(count !== undefined && { count }) };
    if (target.kind === "name") {
      if (statement.operator === "+=") this.extend(target.name, value, context);
      else this.locals.set(target.name, { items: [{ expression: value, ...context }] });
      return;
    }
    if (target.kind === "subscript") {
      // self.layers["name"] = nn.Linear(…)
      const container = selfPath(target.object);
      const [key] = target.items;
      if (container === undefined || !key) return;
      this.collect(value, `${container}.${keyOf(key, place)}`, { ...context, form: "module-dict" }, 0);
      return;
    }
    const path = selfPath(target);
    if (path === undefined || target.kind !== "attribute") return;
    const name = { from: target.nameFrom, to: target.nameFrom + target.name.length };
    if (statement.operator === "+=") {
      const index = this.lists.get(path) ?? 0;
      this.items(value, path, { ...context, form: "append" }, index, 0);
      return;
    }
    this.collect(value, path, { ...context, name }, 0);
  }

  private extend(name: string, value: Expr, context: Context): void {
    const list = this.locals.get(name) ?? { items: [] };
    const elements = value.kind === "list" || value.kind === "tuple" ? value.items : [value];
    for (const expression of elements) list.items.push({ ...context, expression, form: "append" });
    this.locals.set(name, list);
  }

  /** Calls made for their effect: append, add_module, setattr, update. */
  private call(expression: Expr, statement: Stmt, place: Place, count?: number): void {
    if (expression.kind !== "call") return;
    const { callee } = expression;
    const [first, second, third] = expression.arguments.map((argument) => argument.value);
    const context = { place, statement, ...(count !== undefined && { count }) };
    if (
      callee.kind === "name" &&
      callee.name === "setattr" &&
      first?.kind === "name" &&
      first.name === "self"
    ) {
      if (second && third) this.collect(third, keyOf(second, place), { ...context, form: "setattr" }, 0);
      return;
    }
    if (callee.kind !== "attribute") return;
    const { object, name: method } = callee;
    const onSelf = object.kind === "name" && object.name === "self";
    if (onSelf && (method === "add_module" || method === "register_module") && first && second)
      this.collect(second, keyOf(first, place), { ...context, form: "add-module" }, 0);
    else if (onSelf && method === "register_parameter" && first && second)
      this.collect(second, keyOf(first, place), { ...context, form: "add-module" }, 0);
    const path = selfPath(object);
    const added = method === "insert" ? second : first;
    if (
      object.kind === "name" &&
      !onSelf &&
      (method === "append" || method === "insert" || method === "extend")
    ) {
      if (added)
        this.extend(
          object.name,
          method === "extend" ? added : { kind: "list", from: added.from, to: added.to, items: [added] },
          { ...context, form: "append" },
        );
    } else if (path !== undefined && added) {
      if (method === "append" || method === "insert") {
        const index = this.lists.get(path) ?? 0;
        if (count === undefined) this.lists.set(path, index + 1);
        this.collect(
          added,
          `${path}.${count === undefined ? index : "*"}`,
          { ...context, form: "append" },
          0,
        );
      } else if (method === "extend")
        this.items(added, path, { ...context, form: "append" }, this.lists.get(path) ?? 0, 0);
      else if (method === "add_module" && first && second)
        this.collect(second, `${path}.${keyOf(first, place)}`, { ...context, form: "add-module" }, 0);
      else if (method === "update") this.dictionary(added, path, { ...context, form: "module-dict" }, 0);
    }
  }

  /** Collects the layers that `expression` constructs, to be known as `path`. */
  private collect(expression: Expr, path: string, context: Context, nesting: number): void {
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
    const declaration =
      qualified === undefined || qualified.includes(".") ? undefined : this.scope.lookup(qualified);
    if (declaration?.kind === "function") {
      this.factory(call, declaration.node, declaration.block, path, context, nesting);
      return;
    }
    const own = selfPath(callee);
    if (own !== undefined) {
      const method = this.owner.body.find(
        (each): each is FunctionStmt => each.kind === "function" && each.name === own,
      );
      if (method) this.factory(call, method, this.block, path, context, nesting);
      return;
    }
    const types = qualified === undefined ? this.typesOf(callee, context.place, nesting) : [qualified];
    for (const type of types) {
      const own = type.includes(".") ? undefined : this.scope.lookup(type);
      if (own?.kind === "class" && !isModuleClass(own.node, own.block, this.scope)) continue;
      const role = roleOf(type, own?.kind === "class");
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
    const { sizes, expressions } = this.sizes(call, type, place);
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
    if (last === "Sequential" || (this.scope.lookup(type)?.kind === "class" && this.isSequential(type))) {
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
    } else if (this.scope.lookup(type) || /^torch\.nn\.Transformer(?:En|De)coder$/.test(type)) {
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

  private isSequential(name: string): boolean {
    const declaration = this.scope.lookup(name);
    return (
      declaration?.kind === "class" &&
      declaration.node.bases.some(({ value }) => this.scope.resolve(value) === "torch.nn.Sequential")
    );
  }

  /** What an iterable of layers holds: a list, a comprehension, a local list, `_get_clones(layer, n)`. */
  private items(expression: Expr, path: string, context: Context, from: number, nesting: number): void {
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
        this.collect(
          expression.element,
          `${path}.*`,
          { ...context, form: "comprehension", ...(count !== undefined && { count }) },
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
  private dictionary(expression: Expr, path: string, context: Context, nesting: number): void {
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
      this.collect(
        expression.value,
        `${path}.*`,
        { ...context, form: "comprehension", ...(count !== undefined && { count }) },
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

  /** A function of the file that returns a layer: its type and sizes are read there, with this call's arguments. */
  private factory(
    call: CallExpr,
    node: FunctionStmt,
    block: Block,
    path: string,
    context: Context,
    nesting: number,
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
      scope: this.scope,
      block,
      function: node,
      bound,
      ...(isMethod && { owner: this.owner }),
    };
    for (const inner of returned) {
      const type = this.scope.resolve(inner.callee);
      if (type === undefined) continue;
      const declaration = type.includes(".") ? undefined : this.scope.lookup(type);
      if (declaration?.kind === "function" && nesting < maximumNesting && declaration.node !== node) {
        this.factory(inner, declaration.node, declaration.block, path, { ...context, place }, nesting + 1);
        continue;
      }
      if (declaration?.kind === "class" && !isModuleClass(declaration.node, declaration.block, this.scope))
        continue;
      const role = roleOf(type, declaration?.kind === "class");
      if (!role) continue;
      const { name, count, obstacle = typeObstacle(type) } = context;
      const { sizes } = this.sizes(inner, type, place);
      this.layers.push({
        path,
        ...(name && { name }),
        role,
        form: "factory",
        call: callFact(call, context.statement, context.place),
        type,
        sizes,
        arguments: this.sizes(call, undefined, context.place, names).expressions,
        ...(count !== undefined && { count }),
        ...(obstacle !== undefined && { obstacle }),
      });
    }
  }

  /** Arguments by the constructor's parameter names: their values where certain, and as written. */
  private sizes(call: CallExpr, type: string | undefined, place: Place, given?: readonly string[]) {
    const names = given ?? this.parameterNames(type ?? "");
    const sizes: Record<string, number | boolean | readonly number[]> = {};
    const expressions: Record<string, Expression> = {};
    let position = 0;
    let certain = true;
    for (const argument of call.arguments) {
      if (argument.star) {
        certain &&= argument.star === "**";
        continue;
      }
      const name = argument.keyword?.name ?? (certain ? names[position++] : undefined);
      if (name === undefined) continue;
      const value = evaluate(argument.value, place);
      expressions[name] = place.block.expression(argument.value, value);
      if (value.kind === "number" || value.kind === "boolean") sizes[name] = value.value;
      else if (value.kind === "list") {
        const numbers = value.items.flatMap((item) => (item.kind === "number" ? [item.value] : []));
        if (numbers.length === value.items.length && numbers.length > 0) sizes[name] = numbers;
      }
    }
    return { sizes, expressions };
  }

  private parameterNames(type: string): readonly string[] {
    const signature = signatureOf(type);
    if (signature) return signature.parameters;
    const declaration = type.includes(".") ? undefined : this.scope.lookup(type);
    if (declaration?.kind !== "class") return [];
    const init = declaration.node.body.find(
      (each): each is FunctionStmt => each.kind === "function" && each.name === "__init__",
    );
    if (init)
      return init.parameters
        .slice(1)
        .filter((parameter) => !parameter.star)
        .map((parameter) => parameter.name);
    for (const base of declaration.node.bases) {
      const qualified = this.scope.resolve(base.value);
      if (qualified !== undefined && qualified !== type && signatureOf(qualified))
        return signatureOf(qualified)?.parameters ?? [];
    }
    return [];
  }
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

function starOf(value: Expr): Expr {
  return { kind: "star", from: value.from, to: value.to, value };
}

function isCollection(expression: Expr): boolean {
  return (
    expression.kind === "list" ||
    expression.kind === "tuple" ||
    expression.kind === "comprehension" ||
    (expression.kind === "binary" && (expression.operator === "+" || expression.operator === "*"))
  );
}

function isOrdered(expression: Expr): boolean {
  if (expression.kind === "dict") return true;
  return (
    expression.kind === "call" && /^(?:OrderedDict|dict)$/.test(dottedPath(expression.callee)?.at(-1) ?? "")
  );
}

/** The key of a module dict as a path segment; `*` when it is computed. */
function keyOf(key: Expr, place: Place): string {
  const value = evaluate(key, place);
  return value.kind === "string" ? value.value : "*";
}

/** How many rounds a loop makes: range(n), a literal list, zip and enumerate of those. */
function iterations(iterable: Expr, place: Place): number | undefined {
  if (iterable.kind === "call" && iterable.callee.kind === "name") {
    const numbers = iterable.arguments.map((argument) => evaluate(argument.value, place));
    if (iterable.callee.name === "range") {
      const [first, second, third] = numbers.map((value) =>
        value.kind === "number" ? value.value : undefined,
      );
      if (numbers.some((value) => value.kind !== "number") || first === undefined) return undefined;
      if (second === undefined) return Math.max(0, first);
      return Math.max(0, Math.ceil((second - first) / (third ?? 1)));
    }
    if (/^(?:enumerate|reversed|list|tuple)$/.test(iterable.callee.name)) {
      const [inner] = iterable.arguments;
      return inner && iterations(inner.value, place);
    }
    if (iterable.callee.name === "zip") {
      const counts = iterable.arguments.map((argument) => iterations(argument.value, place));
      const known = counts.filter((each) => each !== undefined);
      return known.length === counts.length && known.length > 0 ? Math.min(...known) : undefined;
    }
  }
  const value = evaluate(iterable, place);
  return value.kind === "list" ? value.items.length : undefined;
}

/** The calls a factory may return, through both arms of conditionals and one local. */
function returnedCalls(node: FunctionStmt): CallExpr[] {
  const calls: CallExpr[] = [];
  const add = (expression: Expr, depth: number) => {
    if (depth > 6) return;
    if (expression.kind === "call") calls.push(expression);
    else if (expression.kind === "conditional") {
      add(expression.then, depth + 1);
      add(expression.otherwise, depth + 1);
    } else if (expression.kind === "name") {
      walkStatements(node.body, (statement) => {
        if (statement.kind !== "assign" || !statement.value) return;
        if (statement.targets.some((target) => target.kind === "name" && target.name === expression.name))
          add(statement.value, depth + 1);
      });
    }
  };
  walkStatements(node.body, (statement) => {
    if (statement.kind === "function" || statement.kind === "class") return false;
    if (statement.kind === "return" && statement.value) add(statement.value, 0);
    return true;
  });
  return calls;
}

const roles: readonly (readonly [RegExp, LayerRole])[] = [
  [/(?:Linear|Dense|Conv1D)\w*$/, "linear"],
  [/Conv(?:Transpose)?\d[dD]/, "conv"],
  [/Embedding(?:Bag)?s?$/, "embedding"],
  [/Norm(?:\d[dD])?$/, "norm"],
  [/(?:Dropout\w*|DropPath|StochasticDepth)$/, "dropout"],
  [/(?:Attention|Attn|MHA|SelfAttn)\w*$/, "attention"],
  [/(?:ReLU|GELU|SiLU|Swish|Sigmoid|Tanh|Softmax|Mish|Softplus)\w*$/, "activation"],
];

/** What kind of layer a class is; undefined when it is no layer. */
function roleOf(type: string, sameFile: boolean): LayerRole | undefined {
  const signature = signatureOf(type);
  if (signature && isRole(signature.role)) return signature.role;
  const last = type.split(".").at(-1) ?? type;
  if (!/^_*[A-Z]/.test(last)) return undefined;
  const byName = roles.find(([pattern]) => pattern.test(last))?.[1];
  // A class of this file that is called Attention is a module of its own, whose role the sub-layer says.
  if (sameFile) return byName === "attention" || byName === undefined ? "module" : byName;
  if (torchLayer.test(type)) return byName ?? "module";
  if (byName) return byName;
  return /^\.|(?:^|\.)(?:Block|\w*Layer|MLP|Mlp|\w*Module|\w*Block|\w*Model|Encoder|Decoder|FeedForward)$/.test(
    type,
  )
    ? "module"
    : undefined;
}

const allRoles: readonly string[] = [
  "linear",
  "conv",
  "embedding",
  "norm",
  "dropout",
  "activation",
  "attention",
  "container",
  "module",
  "parameter",
] satisfies LayerRole[];
function isRole(role: string): role is LayerRole {
  return allRoles.includes(role);
}

function wrapperObstacle(wrapper: string): string {
  const last = wrapper.split(".").at(-1) ?? wrapper;
  return last === "script"
    ? "`torch.jit.script` compiles this layer as it is, so a subclass would have to be scriptable too. Adapt it before scripting."
    : `\`${last}\` replaces or wraps this layer's parameters. Adapt the layer first and wrap the adapted one.`;
}

function typeObstacle(type: string): string | undefined {
  const last = type.split(".").at(-1) ?? type;
  if (type === "torch.nn.MultiheadAttention")
    return "`out_proj` of `nn.MultiheadAttention` is never called: its weight is read by the fused attention. Adapt the block's output instead.";
  if (/^torch\.nn\.Transformer/.test(type))
    return "The linear layers inside this module are read by its fused path. Adapt the output of the whole layer instead.";
  if (/4bit|8bit|Quant|Int8|NF4|GPTQ|AWQ/i.test(last))
    return "The weight of a quantised layer is packed. Adapt it through the library that quantised it, or adapt the block's output.";
  if (/Parallel/.test(last))
    return "This layer holds one shard of its weight. Adapt the block's output instead.";
  if (/^torch\.nn\.Lazy/.test(type))
    return "A lazy layer has no input size until it first runs. Write its sizes, then adapt it.";
  return undefined;
}
