/** Sizes of a layer from its constructor's arguments. */
import type { CallExpr, FunctionStmt } from "../tree/ast";
import { evaluate, type Place } from "../names/constants";
import type { Expression } from "../facts";
import { type Scope, signatureOf } from "../names/scope";

/** A width that is -1 or 0 stands for one that is set later. */
const isWidth =
  /^(?:(?:in|out|num)_(?:features|channels)|num_embeddings|embedding_dim|embed_dim|hidden_size|input_size|normalized_shape)$/;

/** Arguments by the constructor's parameter names: their values where certain, and as written. */
export function sizesOf(call: CallExpr, type: string | undefined, place: Place, given?: readonly string[]) {
  const names = given ?? parameterNames(type ?? "", place.scope);
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
    if (value.kind === "number" && isWidth.test(name) && !(value.value > 0)) continue;
    if (value.kind === "number" || value.kind === "boolean") sizes[name] = value.value;
    else if (value.kind === "list") {
      const numbers = value.items.flatMap((item) => (item.kind === "number" ? [item.value] : []));
      if (numbers.length === value.items.length && numbers.length > 0) sizes[name] = numbers;
    }
  }
  return { sizes, expressions };
}

const maximumGenerations = 8;

function parameterNames(type: string, scope: Scope, generation = 0): readonly string[] {
  const signature = signatureOf(type);
  if (signature) return signature.parameters;
  const declaration = scope.definition(type);
  if (declaration?.kind !== "class") return [];
  const init = declaration.node.body.find(
    (each): each is FunctionStmt => each.kind === "function" && each.name === "__init__",
  );
  // `def __init__(self, *arguments, rank=8, **options)` takes what its base takes
  if (init && init.parameters[1]?.star !== "*")
    return init.parameters
      .slice(1)
      .filter((parameter) => !parameter.star)
      .map((parameter) => parameter.name);
  for (const base of declaration.node.bases) {
    const qualified = declaration.scope.resolve(base.value);
    const inherits = qualified !== undefined && qualified !== type && generation < maximumGenerations;
    const names = inherits ? parameterNames(qualified, declaration.scope, generation + 1) : [];
    if (names.length > 0) return names;
  }
  return [];
}
