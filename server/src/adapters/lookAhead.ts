/** Whether the tokens of a stack of blocks must not see those after them, as in a model that writes token by token. */
import type { BlockStack, ModuleClass, PythonFacts } from "../python/facts";

/** Attention that hides something hides the future, unless it is handed a mask, which the stack's own call shows. */
const futureMask = /\b(?:triu|tril|masked_fill|is_causal|generate_square_subsequent_mask|inf)\b|causal/i;
const causalName = /GPT|Llama|Mistral|Causal|Decoder|Autoregressive/i;

/** Why what mixes all tokens cannot go there; undefined where nothing speaks against it. */
export function futureIsHidden(
  facts: PythonFacts,
  module: ModuleClass,
  stack: BlockStack,
  text: string,
): string | undefined {
  const reason = `The tokens of \`${stack.layer}\` must not see those after them; this would mix all of them.`;
  if (facts.generation.some(({ className }) => className === module.name)) return reason;
  const textOf = ({ range }: ModuleClass): string => text.slice(range.from, range.to);
  const called = text.slice(stack.statement.from, stack.statement.to);
  const own = textOf(module);
  if (/causal|future|look_?ahead/i.test(called) || futureMask.test(own)) return reason;
  const built = module.layers.filter(
    ({ path }) => path === stack.layer || path.startsWith(`${stack.layer}.`),
  );
  const asked = built.some(({ call }) =>
    /causal\s*=\s*True/.test(text.slice(call.statement.from, call.statement.to)),
  );
  const visited = new Set<ModuleClass>();
  const hides = (type: string): boolean => {
    const part = facts.modules.find(({ name }) => name === type);
    if (part === undefined) return !type.startsWith("torch.nn.") && causalName.test(type);
    if (visited.has(part)) return false;
    visited.add(part);
    const source = textOf(part);
    const optional = /\bself\.(?:is_)?causal\b|\bcausal\s*(?::\s*bool)?\s*[=,)]/.test(source);
    // an option that is off unless it is asked for
    const on = asked || /\bcausal(?:\s*:\s*bool)?\s*=\s*True/.test(source);
    return (futureMask.test(source) && (!optional || on)) || part.layers.some((layer) => hides(layer.type));
  };
  return built.some(({ type }) => hides(type)) ? reason : undefined;
}
