import assert from "node:assert/strict";
import { test } from "node:test";
import { referenceAt } from "../../../server/src/python/at";
import { cursor, read, source } from "./check";

/** What the token at the cursor refers to, and the token. */
function check(marked: string, expected: string | undefined): void {
  const { text, offset, facts } = cursor(marked);
  const found = referenceAt(facts, offset);
  assert.equal(found && `${source(text, found.range) ?? ""} → ${found.qualified}`, expected, marked);
}

test("every import form leads to the qualified name, and the token is exactly the name", () => {
  check("import peft\nc = peft.Lora|Config(r=8)", "LoraConfig → peft.LoraConfig");
  check("import peft as p\nc = p.|LoraConfig(r=8)", "LoraConfig → peft.LoraConfig");
  check("from peft import LoraConfig\nc = LoraConfig|(r=8)", "LoraConfig → peft.LoraConfig");
  check("from peft import LoraConfig as LC\nc = L|C(r=8)", "LC → peft.LoraConfig");
  check("from peft import (\n    LoraConfig as LC,\n)\nc = L|C(r=8)", "LC → peft.LoraConfig");
  check("from peft import *\nc = Lora|Config(r=8)", "LoraConfig → peft.LoraConfig");
  check("from peft.tuners.lora import LoraConfig\nLora|Config()", "LoraConfig → peft.tuners.lora.LoraConfig");
  check("import peft.tuners.lora as l\nl.Lora|Config()", "LoraConfig → peft.tuners.lora.LoraConfig");
  check("from peft import TaskType\nTaskType.CAUSAL|_LM", "CAUSAL_LM → peft.TaskType.CAUSAL_LM");
  check(
    "from peft import *\nprepare_model|_for_kbit_training(m)",
    "prepare_model_for_kbit_training → peft.prepare_model_for_kbit_training",
  );
  check("import torch.nn as N\nx = N.Li|near(3, 4)", "Linear → torch.nn.Linear");
  check("from torch import nn\nx = nn.Li|near(3, 4)", "Linear → torch.nn.Linear");
  check("import torch\nx = torch.nn.Li|near(3, 4)", "Linear → torch.nn.Linear");
  check("import torch\nx = torch.n|n.Linear(3, 4)", "nn → torch.nn");
  check("from torch.nn import *\nx = Lin|ear(3, 4)", "Linear → torch.nn.Linear");
  check("from torch.nn.modules.linear import Linear\nx = Lin|ear(3, 4)", "Linear → torch.nn.Linear");
  check("from .layers import Block as B\nx = |B()", "B → .layers.Block");
  check("from .. import models\nx = models.Bl|ock()", "Block → ..models.Block");
});

test("the names inside import statements can be hovered too", () => {
  check("from peft import Lora|Config as LC", "LoraConfig → peft.LoraConfig");
  check("from peft import LoraConfig as L|C", "LC → peft.LoraConfig");
  check("from pe|ft import LoraConfig", "peft → peft");
  check("import torch.n|n as nn", "nn → torch.nn");
});

test("uses that are no calls count: bases, annotations, decorators, arguments, f-strings", () => {
  check("from torch import nn\nclass A(nn.Mod|ule): pass", "Module → torch.nn.Module");
  check("from peft import LoraConfig\ndef f(c: Lora|Config): ...", "LoraConfig → peft.LoraConfig");
  check("import torch\n@torch.no_gr|ad()\ndef f(): ...", "no_grad → torch.no_grad");
  check("from peft import LoraConfig\nf(x, type=Lora|Config)", "LoraConfig → peft.LoraConfig");
  check("from peft import LoraConfig\nprint(f'{Lora|Config}')", "LoraConfig → peft.LoraConfig");
});

test("names that stand for nothing imported have no reference", () => {
  check("LoraConf|ig(r=8)", undefined);
  check("class LoraConfig: ...\nLora|Config(r=8)", undefined);
  check("from peft import LoraConfig\nLoraConfig(r=8)  |", undefined);
});

test("an import inside a function binds for the file", () => {
  check(
    "def f():\n    from peft import LoraConfig\n    return Lora|Config()",
    "LoraConfig → peft.LoraConfig",
  );
});

test("bindings say what is local and where it is written", () => {
  const text = "import torch.nn as nn\nfrom peft import LoraConfig as LC, TaskType\n";
  assert.deepEqual(
    read(text).imports.map(({ local, qualified, nameRange, aliasRange }) => [
      local,
      qualified,
      source(text, nameRange),
      source(text, aliasRange),
    ]),
    [
      ["nn", "torch.nn", "nn", "nn"],
      ["LC", "peft.LoraConfig", "LoraConfig", "LC"],
      ["TaskType", "peft.TaskType", "TaskType", undefined],
    ],
  );
});
