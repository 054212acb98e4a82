/** The layers that lists, tuples, comprehensions and dictionaries hold. */
import type { Binary, CallExpr, Comprehension, Expr, Name } from "../tree/ast";
import { evaluate } from "../names/constants";
import { isCollection, iterations, keyOf, within } from "./layerExpressions";
import { type Context, LayerSink, maximumNesting } from "./layerSink";

const clones = /(?:^|\.)(?:_?get_clones?|_?clones?)$/;

export abstract class Containers extends LayerSink {
  /** Collects the layers that `expression` constructs, to be known as `path`. */
  protected abstract collect(expression: Expr, path: string, context: Context, nesting: number): void;

  /** Collects what a helper of the class returns as a list; undefined where the call is none of a helper. */
  protected abstract listed(
    call: CallExpr,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): { readonly next: number | undefined } | undefined;

  /**
   * Collects what an iterable of layers holds: a list, a comprehension, a local list, `_get_clones(layer, n)`. The
   * first is at index `from`; gives the index of what comes next, where both can be told.
   */
  protected items(
    expression: Expr,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): number | undefined {
    if (nesting > maximumNesting) return undefined;
    switch (expression.kind) {
      case "list":
      case "tuple":
        return this.sequence(expression.items, path, context, nesting, from);
      case "comprehension":
        this.repeated(expression, path, context, nesting);
        return undefined;
      case "binary":
        return this.combined(expression, path, context, from, nesting);
      case "star":
        return this.items(expression.value, path, context, from, nesting + 1);
      case "conditional":
        for (const arm of [expression.then, expression.otherwise])
          this.items(arm, path, { ...context, form: "conditional" }, from, nesting + 1);
        return undefined;
      case "subscript":
        // rest = layers[1:]
        this.items(expression.object, path, context, undefined, nesting + 1);
        return undefined;
      case "name":
        return this.localItems(expression, path, context, from, nesting);
      case "call":
        return this.calledItems(expression, path, context, from, nesting);
      default:
        return undefined;
    }
  }

  private repeated(expression: Comprehension, path: string, context: Context, nesting: number): void {
    const [clause] = expression.clauses;
    const times =
      clause && expression.conditions.length === 0 ? iterations(clause.iterable, context.place) : undefined;
    const count = times === undefined ? context.count : times * (context.count ?? 1);
    const place = within(expression, context.place);
    this.collect(
      expression.element,
      `${path}.*`,
      { ...context, place, form: "comprehension", ...(count !== undefined && { count }) },
      nesting + 1,
    );
  }

  /** `[a] + rest`, `[a] * 3`. */
  private combined(
    { operator, left, right }: Binary,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): number | undefined {
    if (operator === "+") {
      const next = this.items(left, path, context, from, nesting + 1);
      return this.items(right, path, context, next, nesting + 1);
    }
    if (operator === "*") {
      const times = evaluate(right, context.place);
      const count = times.kind === "number" ? { count: times.value } : {};
      this.items(left, path, { ...context, ...count }, from, nesting + 1);
    }
    return undefined;
  }

  /** A local list: what it was made of and what was appended since. */
  private localItems(
    expression: Name,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): number | undefined {
    let index = from;
    for (const item of this.locals.get(expression.name)?.items ?? []) {
      if (item.expression === expression || item.key?.kind === "string") continue;
      const inner: Context = {
        ...context,
        statement: item.statement,
        ...(item.form === "append" && { form: "append" as const }),
        ...(item.count !== undefined && { count: item.count }),
      };
      const repeats = item.count !== undefined || item.key !== undefined;
      const start = repeats ? undefined : index;
      const isPart = item.form !== "append" && /^(?:conditional|subscript)$/.test(item.expression.kind);
      if (isCollection(item.expression) || item.expression.kind === "name" || isPart) {
        index = this.asBefore(expression.name, item, () =>
          this.items(item.expression, path, inner, start, nesting + 1),
        );
        continue;
      }
      this.collect(item.expression, `${path}.${start ?? "*"}`, inner, nesting + 1);
      index = start === undefined ? undefined : start + 1;
    }
    return index;
  }

  private calledItems(
    expression: CallExpr,
    path: string,
    context: Context,
    from: number | undefined,
    nesting: number,
  ): number | undefined {
    const [first, second] = expression.arguments;
    const builtin = expression.callee.kind === "name" ? expression.callee.name : undefined;
    if (first && clones.test(context.place.block.slice(expression.callee))) {
      const times = second && evaluate(second.value, context.place);
      const count = times?.kind === "number" ? { count: times.value } : {};
      this.collect(first.value, `${path}.*`, { ...context, ...count }, nesting + 1);
      return undefined;
    }
    if (first && (builtin === "list" || builtin === "tuple"))
      return this.items(first.value, path, context, from, nesting + 1);
    if (second && builtin === "filter") {
      this.items(second.value, path, context, from, nesting + 1);
      return undefined;
    }
    const listed = this.listed(expression, path, context, from, nesting);
    if (listed) return listed.next;
    this.collect(expression, path, { ...context }, nesting + 1);
    return undefined;
  }

  protected sequence(
    items: readonly Expr[],
    path: string,
    context: Context,
    nesting: number,
    from: number | undefined,
  ): number | undefined {
    let index = from;
    for (const item of items) {
      if (item.kind === "star") index = this.items(item.value, path, context, index, nesting + 1);
      else {
        this.collect(item, `${path}.${index ?? "*"}`, context, nesting + 1);
        if (index !== undefined) index++;
      }
    }
    return index;
  }

  /** `{"name": layer}`, `dict(name=layer)`, `OrderedDict([("name", layer)])`. */
  protected dictionary(expression: Expr, path: string, context: Context, nesting: number): void {
    const add = (key: Expr, value: Expr, here = context) =>
      this.collect(
        value,
        `${path}.${keyOf(key, here.place)}`,
        { ...here, ...(key.kind === "string" && { name: { from: key.from + 1, to: key.to - 1 } }) },
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
        if (item.expression !== expression && nesting < maximumNesting) {
          const inner = { ...context, statement: item.statement };
          const { expression: part, form } = item;
          const pair = form === "append" && part.kind === "tuple" ? part.items : undefined;
          if (item.key) add(item.key, part, inner);
          // blocks.append(("first", layer))
          else if (pair?.[0] && pair[1]) add(pair[0], pair[1], inner);
          else this.dictionary(item.expression, path, inner, nesting + 1);
        }
    }
  }
}
