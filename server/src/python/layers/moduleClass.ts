/** Which classes are PyTorch modules, by any chain of bases. */
import { type ClassStmt, expressionsOf, selfPath, walkExpression, walkStatements } from "../tree/ast";
import type { Block } from "../names/block";
import type { Scope } from "../names/scope";
import { isNoLayer } from "./layerTypes";

/** Frameworks whose `nn.Module` is not PyTorch's. */
const foreign =
  /^(?:flax|jax|mlx|keras|tf|tensorflow|haiku|equinox|paddle|mindspore|oneflow|tinygrad|chainer)\b/;
/** Classes of libraries that are torch modules, by the last part of their names. */
const libraryModule =
  /(?:^|\.)(?:LightningModule|ModelMixin|(?!TF|Flax)\w*PreTrainedModel|(?!TF|Flax)\w+For[A-Z]\w+|ScriptModule|PyTorchModelHubMixin|MegatronModule|(?:Base)?Fairseq(?:Multi|Language|Incremental)?(?:Encoder|Decoder)*(?:Model)?)$/;
/** Libraries whose classes are modules unless their names say what else they are. */
const librariesOfModules: readonly RegExp[] = [
  /^torch\.nn\.(?:modules|parallel|quantized|qat|intrinsic|utils)\./,
  /^torchvision\.(?:models|ops)\./,
  /^timm\.(?:models|layers)\./,
  /^(?:transformer_engine\.pytorch|bitsandbytes\.nn|torch_geometric\.nn|torchtune\.modules(?!\.(?:transforms|tokenizers)\b))\./,
  /^mm(?:cv|engine)\.(?:\w+\.)*BaseModule$/,
  /^transformers\.\w+(?:Model|Layer|Attention|MLP|Embeddings)$/,
  /^diffusers\.\w+(?:Block(?:\dD)?|Attention|TransformerModel)$/,
  // `from ..llama.modeling_llama import LlamaAttention`
  /(?:^|\.)modeling_(?!tf_|flax_)\w+\.\w+$/,
];

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
        if (base.kind === "name" && eitherIsModule(base.name, scope)) return true;
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

/** `Base = nn.Module` and, in a branch, `Base = torch.jit.ScriptModule`. */
function eitherIsModule(name: string, scope: Scope): boolean {
  const all = scope.alternatives(name);
  return (
    all.length > 0 &&
    all.every((each) => {
      const qualified = scope.resolve(each);
      return qualified !== undefined && isTorchModule(qualified);
    })
  );
}

function isTorchModule(qualified: string): boolean {
  if (/^torch\.nn\.(?!Parameter|init|functional)[A-Z]\w*$/.test(qualified)) return true;
  // torch's own layers: `from .module import Module`
  if (/^\.(?:[\w.]*\.)?modules?\.Module$/.test(qualified)) return true;
  if (libraryModule.test(qualified)) return true;
  const isClass = /(?:^|\.)(?!TF|Flax)_*[A-Z]\w*$/.test(qualified) && !isNoLayer(qualified);
  return isClass && librariesOfModules.some((library) => library.test(qualified));
}

function behavesLikeModule(node: ClassStmt, scope: Scope): boolean {
  let layers = false;
  const hasForward = node.body.some((method) => method.kind === "function" && method.name === "forward");
  if (!hasForward) return false;
  walkStatements(node.body, (statement) => {
    if (layers) return;
    const assigns =
      statement.kind === "assign" && statement.targets.some((target) => selfPath(target) !== undefined);
    if (!assigns && statement.kind !== "expression") return;
    for (const expression of expressionsOf(statement))
      walkExpression(expression, (inner) => {
        if (inner.kind !== "call") return;
        const own = selfPath(inner.callee);
        const qualified = assigns ? scope.resolve(inner.callee) : undefined;
        layers ||=
          (own !== undefined && /^register_(?:buffer|parameter|module)$/.test(own)) ||
          (qualified !== undefined && (qualified === "torch.nn.Parameter" || isTorchModule(qualified)));
      });
  });
  return layers;
}
