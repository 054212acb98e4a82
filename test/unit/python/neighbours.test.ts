/** What a file says with the help of those that it imports from. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPython } from "../../../server/src/python/document";
import type { PythonFacts } from "../../../server/src/python/facts";
import type { Neighbourhood } from "../../../server/src/python/names/neighbourhood";
import type { Scope } from "../../../server/src/python/names/scope";
import { layerLines, moduleOf, residualLines } from "./check";

type Files = Readonly<Record<string, string>>;

/** The facts of `main.py` among files beside and below it; relative imports all count from there. */
function readAmong(files: Files): PythonFacts {
  const names = new Map<string, Scope>();
  const neighbourhood = (uri: string): Neighbourhood => ({
    uri,
    heads: new Set([".", ...Object.keys(files).map((path) => path.replace(/(?:\/.*|\.py)$/, ""))]),
    module(name) {
      const path = name.replace(/^\./, "").replaceAll(".", "/");
      const found = [`${path}.py`, `${path}/__init__.py`].find((each) => files[each] !== undefined);
      if (found === undefined) return undefined;
      const known = names.get(found) ?? readPython(files[found] ?? "", neighbourhood(found)).names;
      names.set(found, known);
      return known;
    },
  });
  return readPython(files["main.py"] ?? "", neighbourhood("main.py")).facts;
}

/** Layers of a class of `main.py`. */
function checkLayers(files: Files, expected: readonly string[], name = "Net"): void {
  assert.deepEqual(layerLines(moduleOf(readAmong(files), name)), expected);
}

const network = (imports: string, layers: string, parameters = "self"): string =>
  `import torch.nn as nn\n${imports}\n\nclass Net(nn.Module):\n    def __init__(${parameters}):\n        super().__init__()\n        ${layers}\n`;

test("a class is a module when its parent in another file is one", () => {
  const files = {
    "bases.py": "from torch import nn\n\nclass Base(nn.Module):\n    pass\n\nclass Plain:\n    pass\n",
    "pkg/__init__.py": "from .deeper import Deep as Deepest\n",
    "deeper.py": "from bases import Base\n\nclass Deep(Base):\n    pass\n",
    "main.py":
      "from bases import Base, Plain\nimport bases as b\nfrom pkg import Deepest\nfrom nowhere import Lost\n" +
      "class A(Base): pass\nclass B(b.Base): pass\nclass C(Deepest): pass\nclass D(Plain): pass\nclass E(Lost): pass\n",
  };
  assert.deepEqual(
    readAmong(files).modules.map(({ name }) => name),
    ["A", "B", "C"],
  );
});

test("files that import each other in a circle are read to an end", () => {
  const files = {
    "a.py": "from main import Net\nfrom b import Other\nclass First(Other): pass\nX = Y\nfrom b import Y\n",
    "b.py": "from a import First\nclass Other(First): pass\nfrom a import X as Y\nfrom a import *\n",
    "main.py": network("from a import First, X, Missing\nfrom b import *", "self.x = nn.Linear(X, Missing)"),
  };
  checkLayers(files, ["x: nn.Linear() attribute"]);
});

test("sizes follow constants and config classes of other files", () => {
  const config =
    "from dataclasses import dataclass\nfrom transformers import PretrainedConfig\nWIDTH = 96\nHALF = WIDTH // 2\nTWICE = 1\nTWICE = 2\n" +
    "@dataclass\nclass Base:\n    heads: int = 8\n" +
    "@dataclass\nclass NetConfig(Base):\n    width: int = 64\n    depth: int = HALF\n" +
    "class HubConfig(PretrainedConfig):\n    def __init__(self, hidden_size=32, **kwargs):\n        self.hidden_size = hidden_size\n        self.inner = 4 * hidden_size\n";
  const check = (imports: string, layers: string, parameters: string, sizes: string): void =>
    checkLayers({ "config.py": config, "main.py": network(imports, layers, parameters) }, [
      `fc: nn.Linear(${sizes}) attribute`,
    ]);
  check(
    "from config import WIDTH, HALF",
    "self.fc = nn.Linear(WIDTH, HALF)",
    "self",
    "in_features=96, out_features=48",
  );
  check(
    "from . import config as C",
    "self.fc = nn.Linear(C.WIDTH, 2 * C.HALF)",
    "self",
    "in_features=96, out_features=96",
  );
  check("from config import *", "self.fc = nn.Linear(WIDTH, 1)", "self", "in_features=96, out_features=1");
  check("from config import TWICE", "self.fc = nn.Linear(TWICE, 1)", "self", "out_features=1");
  check(
    "from config import NetConfig",
    "self.fc = nn.Linear(c.width, c.depth)",
    "self, c: NetConfig",
    "in_features=64, out_features=48",
  );
  check(
    "import config as C",
    "self.fc = nn.Linear(c.width, c.heads)",
    "self, c: C.NetConfig",
    "in_features=64, out_features=8",
  );
  check(
    "from config import NetConfig",
    "self.fc = nn.Linear(config.width, 1)",
    "self, config",
    "in_features=64, out_features=1",
  );
  check(
    "from config import NetConfig\nc = NetConfig(width=5)",
    "self.fc = nn.Linear(c.width, c.heads)",
    "self",
    "in_features=5, out_features=8",
  );
  check(
    "from config import HubConfig",
    "self.fc = nn.Linear(c.hidden_size, c.inner)",
    "self, c: HubConfig",
    "in_features=32, out_features=128",
  );
});

test("layers of other files have their own type, role and argument names", () => {
  const layers =
    "import torch.nn as nn\nclass Low(nn.Linear):\n    def __init__(self, in_features, out_features, rank=8):\n        super().__init__(in_features, out_features)\n" +
    "class Plainly(nn.Linear): pass\n" +
    "class Mlp(nn.Module):\n    def __init__(self, dim, hidden):\n        super().__init__()\n        self.up = nn.Linear(dim, hidden)\n        self.down = nn.Linear(hidden, dim)\n    def forward(self, x):\n        return self.down(self.up(x).relu())\n" +
    "class NotALayer:\n    pass\n";
  checkLayers(
    {
      "layers.py": layers,
      "main.py": network(
        "from layers import *\nfrom layers import Plainly as P\nimport layers",
        "self.a = Low(3, 4); self.b = P(5, 6); self.c = layers.Mlp(7, hidden=8); self.d = NotALayer()",
      ),
    },
    [
      "a: layers.Low(in_features=3, out_features=4) attribute",
      "b: layers.Plainly(in_features=5, out_features=6) attribute",
      "c: layers.Mlp(dim=7, hidden=8) attribute",
    ],
  );
});

test("the factory of another file is read there, with the arguments given here", () => {
  const files = {
    "layers.py":
      "from torch import nn\nEXTRA = 1\nclass Own(nn.Linear): pass\n" +
      "def conv3x3(i, o, stride=1):\n    return nn.Conv2d(i, o, kernel_size=3, stride=stride, padding=EXTRA)\n" +
      "def twice(i):\n    return conv3x3(i, 2 * i)\n" +
      "def own(i):\n    return Own(i, i)\n",
    "main.py":
      network(
        "from layers import conv3x3, twice, own",
        "self.a = conv3x3(WIDTH, 8, stride=2); self.b = twice(4); self.c = own(3)",
      ) + "\nWIDTH = 16\nEXTRA = 5\n",
  };
  checkLayers(files, [
    "a: nn.Conv2d(in_channels=16, out_channels=8, kernel_size=3, stride=2, padding=1) factory !",
    "b: nn.Conv2d(in_channels=4, out_channels=8, kernel_size=3, stride=1, padding=1) factory !",
    "c: layers.Own(in_features=3, out_features=3) factory !",
  ]);
  const text = files["main.py"];
  const { layers } = moduleOf(readAmong(files), "Net");
  assert.deepEqual(
    layers.map(({ call }) => text.slice(call.range.from, call.range.to)),
    ["conv3x3(WIDTH, 8, stride=2)", "twice(4)", "own(3)"],
  );
});

test("what a neighbour passes on from a library is the library's", () => {
  const files = {
    "common.py": "import torch.nn as nn\nfrom torch.nn import Linear as L\nNorm = nn.LayerNorm\n",
    "main.py": network(
      "from common import nn as n, L, Norm",
      "self.a = n.Linear(1, 2); self.b = L(3, 4); self.c = Norm(5)",
    ),
  };
  checkLayers(files, [
    "a: nn.Linear(in_features=1, out_features=2) attribute",
    "b: nn.Linear(in_features=3, out_features=4) attribute",
    "c: nn.LayerNorm(normalized_shape=5) attribute",
  ]);
});

test("names of a library come through the star imports of neighbours, and a neighbour without one brings none", () => {
  const files = {
    "peft_names.py": "from peft import *\nfrom peft import OFTConfig as Orthogonal\n",
    "plain.py": "RANK = 8\nclass CFG:\n    task = 'causal'\n    rank = RANK\n",
    "pkg/__init__.py": "from plain import *\nfrom peft_names import *\nimport peft as P\n",
    "main.py":
      "from pkg import LoraConfig, P\nfrom pkg import *\nfrom plain import CFG\n" +
      "LoraConfig(r=CFG.rank, task_type=CFG.task)\nIA3Config()\nOrthogonal()\nP.VeraConfig()\nunknown()\n",
  };
  const { calls } = readAmong(files);
  assert.deepEqual(
    calls.map(({ qualified }) => qualified),
    ["peft.LoraConfig", "peft.IA3Config", "peft.OFTConfig", "peft.VeraConfig"],
  );
  assert.deepEqual(
    calls[0]?.arguments.map(({ value: { value, assumed } }) => [value, assumed]),
    [
      [{ kind: "number", value: 8 }, undefined],
      [{ kind: "string", value: "causal" }, undefined],
    ],
  );
  const changed = { ...files, "main.py": `${files["main.py"]}CFG.rank = 16\n` };
  assert.equal(readAmong(changed).calls[0]?.arguments[0]?.value.value.kind, "reference");
});

test("a branch of another file has the role and width of what its class does", () => {
  const files = {
    "parts.py":
      "from torch import nn\nclass Mix(nn.Module):\n    def __init__(self, dim):\n        super().__init__()\n        self.q = nn.Linear(dim, dim)\n        self.o = nn.Linear(dim, dim)\n" +
      "    def forward(self, x):\n        return self.o((x @ self.q(x)).softmax(-1))\n",
    "main.py":
      network("from parts import Mix", "self.part = Mix(width)", "self, width=32") +
      "    def forward(self, x):\n        return x + self.part(x)\n",
  };
  const facts = readAmong(files);
  assert.deepEqual(residualLines(files["main.py"], moduleOf(facts, "Net")), [
    "attention plain part: self.part(x) | width",
  ]);
});

test("a file knows the module classes that it imports, with positions of their files", () => {
  const files = {
    "gpt.py": '"""A model."""\n' + network("WIDTH = 8", "self.fc = nn.Linear(WIDTH, 2)"),
    "main.py": "from gpt import Net as Model\nimport gpt as g\n\nmodel = Model()\nother = g.Net()\n",
  };
  const [imported, ...others] = readAmong(files).imported;
  assert.ok(imported);
  assert.deepEqual(others, []);
  const { uri, local, qualified, module, constructedWith } = imported;
  assert.deepEqual([uri, local, qualified], ["gpt.py", "Model", "gpt.Net"]);
  assert.equal(files["gpt.py"].slice(module.nameRange.from, module.nameRange.to), "Net");
  assert.deepEqual(layerLines(module), ["fc: nn.Linear(in_features=8, out_features=2) attribute"]);
  assert.deepEqual(
    constructedWith.map(({ assignedTo }) => assignedTo),
    ["model", "other"],
  );
});

test("after an edit, and among other neighbours, nothing is left of what was", () => {
  const beside = (width: string): Neighbourhood => {
    const config = readPython(width).names;
    return {
      uri: "main.py",
      heads: new Set(["config"]),
      module: (name) => (name === "config" ? config : undefined),
    };
  };
  const lines = (document: ReturnType<typeof readPython>) => layerLines(moduleOf(document.facts, "Net"));
  const text = network("from config import WIDTH", "self.fc = nn.Linear(WIDTH, 1)");
  const one = readPython(text, beside("WIDTH = 1\n"));
  assert.deepEqual(lines(one), ["fc: nn.Linear(in_features=1, out_features=1) attribute"]);
  const other = one.among(beside("WIDTH = 2\n"));
  assert.deepEqual(lines(other), ["fc: nn.Linear(in_features=2, out_features=1) attribute"]);
  const edited = other.become(`# ${text}`.replace("WIDTH, 1", "WIDTH, 3"));
  assert.deepEqual(lines(edited), ["fc: nn.Linear(in_features=2, out_features=3) attribute"]);
  assert.deepEqual(lines(edited.among(beside("OTHER = 2\n"))), ["fc: nn.Linear(out_features=3) attribute"]);
});
