/** Where embedded tokens run through the stack of blocks: `for block in self.blocks: x = block(x)`. */
import { expressionsOf, type Stmt, walkExpression } from "./ast";
import type { BlockStack } from "./facts";
import type { Flow } from "./flow";
import { isConvolutional } from "./roles";
import { blockWidth, outputWidth, streamWidth } from "./widths";

/** All block stacks of a method in source order. */
export function stacksIn(flow: Flow): BlockStack[] {
  const found: BlockStack[] = [];
  for (const { statement, loop } of flow.steps) {
    if (statement.kind !== "assign" && statement.kind !== "return") continue;
    const variable = variableOf(statement);
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (node) => {
        const called = flow.layerCall(node);
        const [input] = called?.arguments ?? [];
        if (!called) return;
        const inLoop = loop !== undefined && called.loopVariable && /\.\*$/.test(called.path);
        const layer = inLoop ? called.path.replace(/\.\*$/, "") : called.path;
        const through = variable ?? (input?.kind === "name" ? input.name : undefined);
        if (through === undefined || !(inLoop ? isBlock(called.path, flow) : isStack(layer, flow))) return;
        if (inLoop && input?.kind === "name" && input.name !== through) return;
        const whole = inLoop ? loop : statement;
        if (found.some((stack) => stack.statement.from === whole.from)) return;
        const width = widthOf(inLoop ? called.path : layer, flow);
        found.push({
          statement: { from: whole.from, to: whole.to },
          variable: through,
          layer,
          ...(width && { width }),
        });
      });
  }
  return found;
}

function variableOf(statement: Stmt): string | undefined {
  if (statement.kind !== "assign") return undefined;
  const [target] = statement.targets;
  const first = target?.kind === "tuple" ? target.items[0] : target;
  return first?.kind === "name" ? first.name : undefined;
}

/** A module with parts of its own, not a bare projection or activation. */
function isBlock(path: string, flow: Flow): boolean {
  const layer = flow.layerAt(path);
  if (isConvolutional(path, flow)) return false;
  return layer?.role === "module" || (layer?.role === "container" && layer.form !== "attribute");
}

function isStack(path: string, flow: Flow): boolean {
  const layer = flow.layerAt(path);
  if (!layer) return false;
  if (/^torch\.nn\.Transformer(?:En|De)coder$/.test(layer.type)) return true;
  if (!/(?:^|\.)Sequential$/.test(layer.type)) return false;
  const children = flow.layers.filter((each) => each.path.startsWith(`${path}.`));
  return (
    children.length > 0 &&
    !children.some((each) => isConvolutional(each.path, flow)) &&
    children.every((each) => each.role === "module") &&
    children.some((each) => each.path.endsWith(".*") || children.length > 1)
  );
}

function widthOf(path: string, flow: Flow) {
  const layer = flow.layerAt(path);
  const element =
    layer && /(?:^|\.)(?:Sequential|TransformerEncoder|TransformerDecoder)$/.test(layer.type)
      ? flow.layers.find((each) => each.path.startsWith(`${path}.`))
      : layer;
  if (!element) return streamWidth(flow);
  return blockWidth(element.path, flow) ?? outputWidth(element.path, flow) ?? streamWidth(flow);
}
