import assert from "node:assert/strict";
import { test } from "node:test";
import { classAt } from "../../../server/src/python/at";
import { cursor, read } from "./check";

function modules(text: string): string[] {
  return read(text).modules.map((module) => module.name);
}

test("classes are modules by any chain of bases", () => {
  assert.deepEqual(
    modules("import torch.nn as nn\nclass A(nn.Module): ...\nclass B(A): ...\nclass C(B): ..."),
    ["A", "B", "C"],
  );
  assert.deepEqual(modules("import torch\nclass A(torch.nn.Module): ..."), ["A"]);
  assert.deepEqual(modules("from torch.nn import Module\nclass A(Module): ..."), ["A"]);
  assert.deepEqual(modules("from torch import nn\nclass A(nn.Sequential): ...\nclass B(nn.Linear): ..."), [
    "A",
    "B",
  ]);
  assert.deepEqual(modules("import pytorch_lightning as pl\nclass A(pl.LightningModule): ..."), ["A"]);
  assert.deepEqual(
    modules("from transformers import BertPreTrainedModel\nclass A(BertPreTrainedModel): ..."),
    ["A"],
  );
  assert.deepEqual(modules("from diffusers import ModelMixin\nclass A(ModelMixin, ConfigMixin): ..."), ["A"]);
  assert.deepEqual(modules("from torch import nn\nif True:\n    class A(nn.Module): ..."), ["A"]);
});

test("a base from another file counts when the class behaves like a module", () => {
  assert.deepEqual(
    modules(
      "from torch import nn\nfrom .base import Base\nclass A(Base):\n    def __init__(self):\n        self.fc = nn.Linear(2, 3)\n    def forward(self, x): return self.fc(x)",
    ),
    ["A"],
  );
  assert.deepEqual(modules("from .base import Base\nclass A(Base):\n    pass"), []);
});

test("a base from a library that defines modules makes one, what such a library has beside them does not", () => {
  const of = (imports: string, base: string) => modules(`${imports}\nclass A(${base}): ...\n`);
  for (const [imports, base] of [
    ["from torchvision.models.resnet import ResNet", "ResNet"],
    ["import timm", "timm.models.vision_transformer.VisionTransformer"],
    ["from ..other.modeling_other import OtherAttention", "OtherAttention"],
    ["from transformers.models.llama.modeling_llama import LlamaModel", "LlamaModel"],
    ["from torch.nn.parallel.distributed import DistributedDataParallel", "DistributedDataParallel"],
    ["from torch.nn.modules.batchnorm import _BatchNorm", "_BatchNorm"],
    ["import transformer_engine.pytorch as te", "te.Linear"],
  ] as const)
    assert.deepEqual(of(imports, base), ["A"], `${imports} ${base}`);
  for (const [imports, base] of [
    ["from torchvision.models import ResNet50_Weights", "ResNet50_Weights"],
    ["from ..other.modeling_other import OtherModelOutput", "OtherModelOutput"],
    ["from ..other.modeling_tf_other import OtherAttention", "OtherAttention"],
    ["from transformers import FlaxLlamaModel", "FlaxLlamaModel"],
    ["from transformers import LlamaConfig", "LlamaConfig"],
    ["from torchtune.modules.transforms import Transform", "Transform"],
    ["from diffusers.models.attention_processor import AttnProcessor", "AttnProcessor"],
  ] as const)
    assert.deepEqual(of(imports, base), [], `${imports} ${base}`);
});

test("a base that is one module or another makes a module, one that may be none does not", () => {
  const either = (other: string) =>
    modules(
      `import torch\nBase = torch.nn.Module\nif fast:\n    Base = ${other}\nclass A(Base):\n    pass\n`,
    );
  assert.deepEqual(either("torch.jit.ScriptModule"), ["A"]);
  assert.deepEqual(either("object"), []);
});

test("a module that is imported by a call is known by what it is called with", () => {
  const imported = (name: string) =>
    modules(
      `import pytest\ndef test_it():\n    nn = pytest.importorskip("${name}")\n    class A(nn.Module):\n        pass\n`,
    );
  assert.deepEqual(imported("torch.nn"), ["A"]);
  assert.deepEqual(imported("mlx.nn"), []);
});

test("modules of other frameworks are none", () => {
  assert.deepEqual(modules("import flax.linen as nn\nclass A(nn.Module): ..."), []);
  assert.deepEqual(modules("from flax import linen as nn\nclass A(nn.Module): ..."), []);
  assert.deepEqual(modules("import mlx.nn as nn\nclass A(nn.Module): ..."), []);
  assert.deepEqual(modules("from tensorflow import keras\nclass A(keras.Model): ..."), []);
  assert.deepEqual(
    modules("from transformers import TFPreTrainedModel\nclass A(TFPreTrainedModel): ..."),
    [],
  );
  assert.deepEqual(modules("class A: ...\nclass B(Exception): ..."), []);
});

test("the class at the cursor reaches over half-written lines below it", () => {
  const at = (marked: string) => {
    const { facts, offset } = cursor(marked);
    return classAt(facts, offset)?.name;
  };
  const head = "from torch import nn\nclass A(nn.Module):\n    def f(self):\n        pass\n";
  assert.equal(at(`${head}    |`), "A");
  assert.equal(at(`${head}    sel|`), "A");
  assert.equal(at(`${head}\n    |\n\nclass B(nn.Module): ...`), "A");
  assert.equal(at(`${head}\nx = 1|`), undefined);
  assert.equal(at(`${head}\nclass B(nn.Mo|dule): ...`), "B");
});

test("torch's own layers are modules: their base is imported from beside them", () => {
  const facts = read("from .module import Module\n\nclass Bilinear(Module):\n    pass\n");
  assert.deepEqual(
    facts.modules.map(({ name }) => name),
    ["Bilinear"],
  );
});
