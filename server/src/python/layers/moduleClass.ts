/** Which classes are PyTorch modules, by any chain of bases. */
import { type ClassStmt, expressionsOf, selfPath, walkExpression, walkStatements } from "../tree/ast";
import type { Block } from "../names/block";
import type { Scope } from "../names/scope";

/** Frameworks whose `nn.Module` is not PyTorch's. */
const foreign =
  /^(?:flax|jax|mlx|keras|tf|tensorflow|haiku|equinox|paddle|mindspore|oneflow|tinygrad|chainer)\b/;
/** Classes of libraries that are torch modules, by the last part of their names. */
const libraryModule =
  /(?:^|\.)(?:LightningModule|ModelMixin|(?!TF|Flax)\w*PreTrainedModel|(?!TF|Flax)\w+For[A-Z]\w+|ScriptModule|PyTorchModelHubMixin)$/;

/** Whether a class is an `nn.Module`. */
export function isModuleClass(
  node: ClassStmt,
  block: Block,
  scope: Scope,
  seen: readonly ClassStmt[] = [],
): boolean {
  if (seen.includes(node) || seen.length > 20) return false;
  return scope.derive(block.memory.isModule, node, () => {
    let unknownBase = false;
    for (const { value, keyword } of node.bases) {
      if (keyword) continue;
      const base = value.kind === "subscript" ? value.object : value;
      const qualified = scope.resolve(base);
      if (qualified === undefined) {
        unknownBase ||= base.kind === "attribute" || base.kind === "name";
        continue;
      }
      if (foreign.test(qualified)) return false;
      if (isTorchModule(qualified)) return true;
      const parent = scope.definition(qualified);
      if (parent?.kind === "class") {
        if (isModuleClass(parent.node, parent.block, parent.scope, [...seen, node])) return true;
      } else unknownBase = true;
    }
    // A base from elsewhere: what the class does in its own body tells.
    return unknownBase && behavesLikeModule(node, scope);
  });
}

function isTorchModule(qualified: string): boolean {
  if (/^torch\.nn\.(?!Parameter|init|functional)[A-Z]\w*$/.test(qualified)) return true;
  // torch's own layers: `from .module import Module`
  if (/^\.(?:[\w.]*\.)?modules?\.Module$/.test(qualified)) return true;
  if (/^torch\.nn\.(?:quantized|qat|intrinsic|utils)\./.test(qualified)) return true;
  return libraryModule.test(qualified);
}

function behavesLikeModule(node: ClassStmt, scope: Scope): boolean {
  let layers = false;
  const hasForward = node.body.some((method) => method.kind === "function" && method.name === "forward");
  if (!hasForward) return false;
  walkStatements(node.body, (statement) => {
    if (
      layers ||
      statement.kind !== "assign" ||
      !statement.targets.some((target) => selfPath(target) !== undefined)
    )
      return;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (inner) => {
        if (inner.kind !== "call") return;
        const qualified = scope.resolve(inner.callee);
        if (qualified && isTorchModule(qualified)) layers = true;
      });
  });
  return layers;
}
