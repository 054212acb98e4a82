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
