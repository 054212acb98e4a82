/**
 * The layers a class constructs, wherever it does so: as attributes, in containers, comprehensions, branches and
 * loops, by `add_module`, `setattr` or through a function of the same file.
 */
import {
  bodiesOf,
  type CallExpr,
  type ClassStmt,
  type Expr,
  type FunctionStmt,
  selfPath,
  type Stmt,
} from "../tree/ast";
import type { Block } from "../names/block";
import type { Place } from "../names/constants";
import type { Layer, LayerForm } from "../facts";
import { Constructions, isSequential } from "./layerConstructions";
import type { Context } from "./layerSink";
import { iterations, keyOf } from "./layerExpressions";
import { layerUses, withUses } from "./obstacles";
import type { Scope } from "../names/scope";

export interface Layers {
  readonly layers: readonly Layer[];
}

/** All layers of a class in source order. */
export function layersOf(node: ClassStmt, block: Block, scope: Scope): Layers {
  return scope.derive(block.memory.layers, node, () => {
    const collector = new Collector(node, block, scope);
    for (const method of node.body) if (method.kind === "function") collector.method(method);
    const uses = layerUses(node, scope);
    const unusual = instanceObstacle(node);
    const held = new Set(
      collector.layers.flatMap(({ form, call }) => (form === "argument" ? [] : [call.range.from])),
    );
    // What is handed to another module and is an attribute as well is known as the attribute.
    const found = collector.layers.filter(
      ({ form, call }) => form !== "argument" || !held.has(call.range.from),
    );
    const layers = found.map((each): Layer => {
      const layer = withUses(each, uses);
      return unusual === undefined ? layer : { ...layer, obstacle: layer.obstacle ?? unusual };
    });
    return { layers };
  });
}

/** Why nothing can be written into a class that calls its instances by another name. */
export function instanceObstacle({ name, body }: ClassStmt): string | undefined {
  for (const method of body)
    if (method.kind === "function" && method.instance !== undefined)
      return `\`${name}\` calls its instance \`${method.instance}\`, and adapters are written for \`self\`. Rename it to \`self\`.`;
  return undefined;
}

function isNamed(expression: Expr, name: string): boolean {
  return expression.kind === "name" && expression.name === name;
}

class Collector extends Constructions {
  private readonly lists = new Map<string, number>();

  method(method: FunctionStmt): void {
    this.locals = new Map();
    this.nested = new Map();
    const place: Place = { scope: this.scope, block: this.block, owner: this.owner, function: method };
    this.statements(method.body, place, "attribute", undefined);
  }

  protected gather(helper: FunctionStmt, place: Place): void {
    this.statements(helper.body, place, "attribute", undefined);
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
        case "function":
          this.nested.set(statement.name, statement);
          break;
        case "class":
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
      else {
        // A branch adds to what the name may hold.
        const known = this.locals.get(target.name);
        const before = known && { items: [...known.items] };
        const others = form === "conditional" ? (known?.items ?? []) : [];
        const item = { expression: value, ...context, ...(before && { before }) };
        this.locals.set(target.name, { items: [...others, item] });
      }
      return;
    }
    if (target.kind === "subscript") {
      // self.layers["name"] = nn.Linear(…)
      const container = selfPath(target.object);
      const [key] = target.items;
      if (target.object.kind === "name" && key)
        this.locals.get(target.object.name)?.items.push({ expression: value, key, ...context });
      if (container === undefined || !key) return;
      this.collect(value, `${container}.${keyOf(key, place)}`, { ...context, form: "module-dict" }, 0);
      return;
    }
    const path = selfPath(target);
    if (path === undefined && target.kind === "attribute" && target.object.kind === "name") {
      // down.pool = nn.MaxPool2d(2), where `down` becomes part of the model later
      const key: Expr = {
        kind: "string",
        from: target.nameFrom,
        to: target.to,
        value: target.name,
        parts: [],
      };
      this.locals.get(target.object.name)?.items.push({ expression: value, key, ...context });
    }
    if (path === undefined || target.kind !== "attribute") return;
    const name = { from: target.nameFrom, to: target.nameFrom + target.name.length };
    if (statement.operator === "+=") {
      const index = this.lists.get(path) ?? 0;
      this.items(value, path, { ...context, form: "append" }, index, 0);
      return;
    }
    this.collect(value, path, { ...context, name }, 0);
  }

  /** What a container of one's own kind is given: `super().__init__(nn.Linear(…), nn.ReLU())`. */
  private handedUp(call: CallExpr, context: Context): void {
    for (const { value } of this.owner.bases) {
      const type = this.scope.resolve(value);
      const own = type === undefined ? undefined : this.scope.definition(type);
      const contains = own?.kind === "class" && isSequential(own) ? "torch.nn.Sequential" : type;
      if (contains !== undefined && /^torch\.nn\.(?:Sequential|ModuleList|ModuleDict)$/.test(contains))
        this.inside(call, "", contains, context, 0);
    }
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
    if (method === "__init__" && object.kind === "call" && isNamed(object.callee, "super")) {
      this.handedUp(expression, { ...context, form: "attribute" });
      return;
    }
    const onSelf = object.kind === "name" && object.name === "self";
    if (onSelf && (method === "add_module" || method === "register_module") && first && second)
      this.collect(second, keyOf(first, place), { ...context, form: "add-module" }, 0);
    else if (onSelf && method === "register_parameter" && first && second)
      this.collect(second, keyOf(first, place), { ...context, form: "add-module" }, 0);
    const path = selfPath(object);
    const added = method === "insert" ? second : first;
    if (object.kind === "name" && !onSelf) {
      const inner = { ...context, form: "append" as const };
      if (added && method === "extend") this.extend(object.name, added, inner);
      else if (added && (method === "append" || method === "insert"))
        this.extend(object.name, { kind: "list", from: added.from, to: added.to, items: [added] }, inner);
      else if (first && second && /^(?:add|register)_module$/.test(method))
        this.locals
          .get(object.name)
          ?.items.push({ ...context, form: "add-module", expression: second, key: first });
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
}
