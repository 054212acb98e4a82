/** Where the layers of a class are gathered as they are found, and what class a callee stands for. */
import type { CallExpr, ClassStmt, Expr, Stmt } from "../tree/ast";
import type { Block } from "../names/block";
import { callFact } from "../names/calls";
import { evaluate, type Place } from "../names/constants";
import type { Layer, LayerForm, LayerRole, Range } from "../facts";
import { sizesOf } from "./layerSizes";
import { constructsLayer, roleOf, typeObstacle } from "./layerTypes";
import { isModuleClass } from "./moduleClass";
import type { Origin, Scope } from "../names/scope";

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
    /** For `layers["head"] = …`. */
    readonly key?: Expr;
    /** What the name held before, of which the expression may speak: `layer = weight_norm(layer)`. */
    readonly before?: LocalLayers;
  }[];
}

export const maximumNesting = 12;

export class LayerSink {
  readonly layers: Layer[] = [];
  protected locals = new Map<string, LocalLayers>();
  /** While the body of a helper is read only for what its names hold. */
  protected muted = false;
  private calledAttributes: ReadonlySet<string> | undefined;

  constructor(
    protected readonly owner: ClassStmt,
    protected readonly block: Block,
    protected readonly scope: Scope,
  ) {}

  /** Does `work` with a name as it was before the assignment of `item`. */
  protected asBefore<T>(name: string, { before }: LocalLayers["items"][number], work: () => T): T {
    const now = this.locals.get(name);
    if (before) this.locals.set(name, before);
    else this.locals.delete(name);
    const result = work();
    if (now) this.locals.set(name, now);
    return result;
  }

  /** The role of a type that is constructed as `path`; undefined when that is no layer. */
  protected roleAs(type: string, path: string): LayerRole | undefined {
    const own = this.scope.definition(type);
    if (own?.kind === "class") return classRole(type, own);
    const role = roleOf(type, false);
    if (role || own) return role;
    // Containers hold only layers, and what the class calls is one if it looks like it.
    const used = path.includes(".") || this.called.has(path);
    return used && constructsLayer(type) ? "module" : undefined;
  }

  /** Attributes that the class calls: `self.head(x)`. */
  private get called(): ReadonlySet<string> {
    this.calledAttributes ??= new Set(
      [...this.block.slice(this.owner).matchAll(/\bself\.(\w+)\(/g)].map(([, name = ""]) => name),
    );
    return this.calledAttributes;
  }

  /** The classes that a callee held in a variable may be: `block = A if flag else B`, `norm_layer=nn.LayerNorm`. */
  protected typesOf(callee: Expr, place: Place, nesting: number): string[] {
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
      // `norm_layer=nn.LayerNorm`, for which a caller passes what is not known here: a norm all the same
      const { default: preset } = place.function?.parameters.find(({ name }) => name === callee.name) ?? {};
      const usual = preset && evaluate(preset, place);
      if (usual?.kind === "reference" && hasNoWeights(roleOf(usual.qualified, false)))
        return [usual.qualified];
    }
    return callee.kind === "name" || callee.kind === "attribute" ? [place.block.slice(callee)] : [];
  }

  protected push(call: CallExpr, path: string, type: string, role: LayerRole, context: Context): void {
    if (this.muted) return;
    const { place, statement, form, name, count, obstacle = typeObstacle(type) } = context;
    const { sizes, expressions } = sizesOf(call, type, place);
    this.layers.push({
      path: path.replace(/^\./, ""),
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
}

/** Whether no adapter stands for such a layer, so that its exact class does not matter. */
const hasNoWeights = (role: LayerRole | undefined): boolean =>
  role === "norm" || role === "dropout" || role === "activation";

/** The role of a layer whose class is at hand; undefined when that is no module. */
export function classRole(type: string, origin: Origin & { kind: "class" }): LayerRole | undefined {
  if (!isModuleClass(origin.node, origin.block, origin.scope)) return undefined;
  const named = roleOf(type, true);
  const role = named === "linear" && buildsLayers(origin) ? "module" : named;
  return role === "module" ? (inheritedRole(origin, 0) ?? role) : role;
}

/** Whether a class is made of PyTorch's layers, as T5's `DenseReluDense` is, which only sounds like one. */
const buildsLayers = ({ node, block }: Origin & { kind: "class" }): boolean =>
  /\bnn\.(?!Parameter|Module\b)[A-Z]\w*\(/.test(block.slice(node));

/** A subclass of a linear layer, of an embedding or of PyTorch's attention is one, whatever it is called. */
function inheritedRole({ node, scope }: Origin & { kind: "class" }, nesting: number): LayerRole | undefined {
  if (nesting > maximumNesting) return undefined;
  for (const { value } of node.bases) {
    const base = scope.resolve(value) ?? "";
    const role = /^torch\.nn\.(?:Linear|Embedding|MultiheadAttention)$/.test(base)
      ? roleOf(base, false)
      : undefined;
    const parent = role ? undefined : scope.definition(base);
    const found = parent?.kind === "class" ? inheritedRole(parent, nesting + 1) : role;
    if (found) return found;
  }
  return undefined;
}

/** What stands inside a container has no name of its own. */
export function unnamed({ place, statement, form, count, obstacle }: Context): Context {
  return {
    place,
    statement,
    form,
    ...(count !== undefined && { count }),
    ...(obstacle !== undefined && { obstacle }),
  };
}
