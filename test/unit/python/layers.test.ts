import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture, layerLines, moduleOf, read, residualLines, source } from "./check";

/** The layers of a class whose constructor has this body. */
function check(init: string, expected: readonly string[], rest = "", parameters = ""): void {
  const body = init.replace(/^/gm, "        ");
  const text = `import torch\nfrom collections import OrderedDict\nfrom torch import nn\nimport torch.nn.functional as F\n${rest}\nclass A(nn.Module):\n    def __init__(self${parameters}):\n${body}\n`;
  assert.deepEqual(layerLines(moduleOf(read(text), "A")), expected, text);
}

test("sizes go by the constructor's parameter names, by position and by keyword", () => {
  check("self.fc = nn.Linear(3, 4, bias=False)", [
    "fc: nn.Linear(in_features=3, out_features=4, bias=false) attribute",
  ]);
  check("self.fc = nn.Linear(out_features=4, in_features=3)", [
    "fc: nn.Linear(out_features=4, in_features=3) attribute",
  ]);
  check("self.c = nn.Conv2d(3, 8, (3, 5), padding=1)", [
    "c: nn.Conv2d(in_channels=3, out_channels=8, kernel_size=[3,5], padding=1) attribute",
  ]);
});

test("sizes follow arithmetic, locals, unpacking, defaults and attributes", () => {
  check(
    "d = dim // 2\na, b = 3, 4\nself.n = 2 * a\nself.fc = nn.Linear(d * b, self.n ** 2)",
    ["fc: nn.Linear(in_features=256, out_features=36) attribute"],
    "",
    ", dim=128",
  );
  check("self.fc = nn.Linear(WIDTH, dim)", ["fc: nn.Linear(in_features=7) attribute"], "WIDTH = 7", ", dim");
  check(
    "if wide:\n    d = 8\nelse:\n    d = 4\nself.fc = nn.Linear(d, 1)",
    ["fc: nn.Linear(out_features=1) attribute"],
    "",
    ", wide",
  );
});

test("a width of -1 or 0 stands for one that is set later, a dimension or padding of -1 for itself", () => {
  check(
    "self.head = nn.Linear(dim, classes)\nself.e = nn.Embedding(9, 4, padding_idx=-1)",
    [
      "head: nn.Linear() attribute",
      "e: nn.Embedding(num_embeddings=9, embedding_dim=4, padding_idx=-1) attribute",
    ],
    "",
    ", dim=-1, classes=0",
  );
});

test("a helper's parameters are what the constructor passes it, where its calls agree", () => {
  const helper =
    "class Head(nn.Module):\n    def __init__(self, dim=8, heads=2):\n        super().__init__()\n        self._build(dim, heads)\n        self._again(3)\n        self._again(4)\n\n    def _build(self, width, heads, ratio=4):\n        self.up = nn.Linear(width, width * ratio)\n        self.out = nn.Linear(width, heads)\n\n    def _again(self, k):\n        self.last = nn.Linear(k, 2)\n\n    def forward(self, x):\n        return self.late(x, 5)\n\n    def late(self, x, k):\n        self.lately = nn.Linear(k, 2)\n";
  assert.deepEqual(layerLines(moduleOf(read(`from torch import nn\n\n${helper}`), "Head")), [
    "up: nn.Linear(in_features=8, out_features=32) attribute",
    "out: nn.Linear(in_features=8, out_features=2) attribute",
    "last: nn.Linear(out_features=2) attribute",
    "lately: nn.Linear(out_features=2) attribute",
  ]);
});

test("a name assigned within an expression has no value that is certain", () => {
  check(
    "if (n := 5) > 4:\n    self.a = nn.Linear(n, 2)\nself.b = nn.Linear(n, 0o17)\nself.c = nn.Linear(3 * 3 - flag, 1_000)",
    [
      "a: nn.Linear(out_features=2) conditional",
      "b: nn.Linear(out_features=15) attribute",
      "c: nn.Linear(in_features=8, out_features=1000) attribute",
    ],
    "",
    ", n=3, flag=True",
  );
});

test("a layer handed to a function is one wherever in its arguments it stands", () => {
  check("wrap = lambda i, fn: nn.Sequential(fn, nn.Dropout(i))\nself.a = wrap(0, nn.Linear(3, 4))", [
    "a: nn.Sequential() attribute",
    "a.1: nn.Dropout() sequential",
    "a.*: nn.Linear(in_features=3, out_features=4) argument !",
  ]);
});

test("layers of an instance by another name than self are known, and refused because what is written says self", () => {
  const written =
    "class M(nn.Module):\n    def __init__(s, dim=8):\n        super().__init__()\n        s.n = dim * 2\n        s._build(dim)\n        s.e = nn.Embedding(s.n, dim)\n\n    def _build(s, width):\n        s.a = nn.Linear(width, 4)\n\n    @staticmethod\n    def f(x):\n        x.s = nn.Linear(1, 1)\n\n    def forward(s, x):\n        return x + s.a(x)\n";
  const text = `from torch import nn\n\n${written}`;
  const module = moduleOf(read(text), "M");
  assert.deepEqual(layerLines(module), [
    "e: nn.Embedding(num_embeddings=16, embedding_dim=8) attribute !",
    "a: nn.Linear(in_features=8, out_features=4) attribute !",
  ]);
  assert.match(module.layers[0]?.obstacle ?? "", /calls its instance `s`.*Rename it to `self`/);
  assert.deepEqual([module.init, module.forward], [undefined, undefined]);
  assert.deepEqual(residualLines(text, module), ["other plain a: s.a(x) | 4 !"]);
});

test("sizes follow names through reassignment, branches, loops and functions that only compute", () => {
  check(
    "hidden = hidden or dim\nif rate is None:\n    rate = 0.5\nself.a = nn.Linear(dim, hidden)\nself.b = nn.Dropout(rate)",
    ["a: nn.Linear(in_features=8, out_features=8) attribute", "b: nn.Dropout(p=0.5) attribute"],
    "",
    ", dim=8, hidden=None, rate=None",
  );
  check(
    "d = dim\nself.a = nn.Linear(d, 1)\nd = 2 * d\nself.b = nn.Linear(d, 1)\nfor _ in range(3):\n    d = d // 2\nself.c = nn.Linear(d, 1)",
    [
      "a: nn.Linear(in_features=8, out_features=1) attribute",
      "b: nn.Linear(in_features=16, out_features=1) attribute",
      "c: nn.Linear(out_features=1) attribute",
    ],
    "",
    ", dim=8",
  );
  check(
    "d = dim\nself.l = nn.ModuleList()\nfor _ in range(3):\n    self.l.append(nn.Linear(d, 1))\n    d = 2 * d",
    ["l: nn.ModuleList() attribute", "l.*: nn.Linear(out_features=1) append ×3"],
    "",
    ", dim=8",
  );
  check(
    "h, w = pair(size)\nself.a = nn.Linear(3 * h * w, default(out, 5))\nself.b = nn.Linear(math.prod([2, 3]), 1)",
    [
      "a: nn.Linear(in_features=768, out_features=5) attribute",
      "b: nn.Linear(in_features=6, out_features=1) attribute",
    ],
    "import math\ndef pair(t):\n    return t if isinstance(t, tuple) else (t, t)\ndef default(value, other):\n    if value is not None:\n        return value\n    return other",
    ", size=16, out=None",
  );
  check(
    "self.l = nn.ModuleList([nn.Linear(d, 2) for d in (3, 4)])",
    ["l: nn.ModuleList() attribute", "l.*: nn.Linear(out_features=2) comprehension ×2"],
    "d = 7",
  );
});

test("attributes of self are read as they stand, through parents too", () => {
  check(
    "self.d = 4\nself.a = nn.Linear(self.d, 1)\nself.d = 6\nself.b = nn.Linear(self.d, self.twice)",
    [
      "a: nn.Linear(in_features=4, out_features=1) attribute",
      "b: nn.Linear(in_features=6, out_features=12) attribute",
    ],
    "",
    "):\n        pass\n    @property\n    def twice(self):\n        return 12\n    def __init__(self",
  );
  const text = `from torch import nn
class Base(nn.Module):
    def __init__(self, dim, depth=2):
        super().__init__()
        self.dim = dim
        self.depth = depth
class A(Base):
    def __init__(self):
        super().__init__(dim=5)
        self.fc = nn.Linear(self.dim, self.depth)
    def grow(self):
        self.depth = 3
class B(Base):
    def __init__(self):
        super().__init__(6)
        self.fc = nn.Linear(self.dim, self.depth)
        self.grow()
        self.late = nn.Linear(self.dim, self.depth)
    def grow(self):
        self.depth = 3
`;
  assert.deepEqual(layerLines(moduleOf(read(text), "A")), [
    "fc: nn.Linear(in_features=5, out_features=2) attribute",
  ]);
  assert.deepEqual(layerLines(moduleOf(read(text), "B")), [
    "fc: nn.Linear(in_features=6, out_features=2) attribute",
    "late: nn.Linear(in_features=6) attribute",
  ]);
});

test("sizes follow options of an argument parser", () => {
  const parser =
    'import argparse\nparser = argparse.ArgumentParser()\nparser.add_argument("-d", "--model-dim", type=int, default=64)\nparser.add_argument("--bias", action="store_true")\nargs = parser.parse_args()';
  check(
    "self.fc = nn.Linear(args.model_dim, 1, bias=args.bias)",
    ["fc: nn.Linear(in_features=64, out_features=1, bias=false) attribute"],
    parser,
  );
  check(
    "self.fc = nn.Linear(opt.model_dim, 2 * opt.model_dim)",
    ["fc: nn.Linear(in_features=64, out_features=128) attribute"],
    `${parser}\nmodel = A(args)`,
    ", opt",
  );
});

test("sizes follow what the file passes to the constructor", () => {
  check(
    "self.fc = nn.Linear(dim, 1)",
    ["fc: nn.Linear(in_features=9, out_features=1) attribute"],
    "model = A(9)",
    ", dim",
  );
  check(
    "self.fc = nn.Linear(dim, 1)",
    ["fc: nn.Linear(out_features=1) attribute"],
    "a = A(9)\nb = A(10)",
    ", dim",
  );
  check(
    "self.fc = nn.Linear(dim, 1)",
    ["fc: nn.Linear(out_features=1) attribute"],
    "a = A(9)\ndef build(width):\n    return A(width)",
    ", dim=3",
  );
});

test("sizes follow config classes of the file", () => {
  const config = "class Config:\n    width: int = 12\n    depth: int = 2";
  check(
    "self.fc = nn.Linear(config.width, 4 * config.width)",
    ["fc: nn.Linear(in_features=12, out_features=48) attribute"],
    config,
    ", config: Config",
  );
  check(
    "self.fc = nn.Linear(c.width, 1)",
    ["fc: nn.Linear(in_features=5, out_features=1) attribute"],
    `${config}\nmodel = A(Config(width=5))`,
    ", c",
  );
  check(
    "self.fc = nn.Linear(cfg.width, 1)",
    ["fc: nn.Linear(in_features=12, out_features=1) attribute"],
    config,
    ", cfg",
  );
});

test("a number may end in its point", () => {
  check(
    "self.a = nn.Dropout(rate) if rate > 0. else nn.Identity()\nself.b = nn.Dropout(1. / 4)",
    ["a: nn.Dropout(p=0.5) conditional", "a: nn.Identity() conditional", "b: nn.Dropout(p=0.25) attribute"],
    "",
    ", rate=.5",
  );
  const text = "from torch import nn\nscale = f(1.)  # 2. of 3.\nnote = 'at 0. in'\n";
  assert.deepEqual(read(text).unread, []);
  check("self.a = nn.Dropout(1.)", ["a: nn.Dropout(p=1) attribute"]);
});

test("a layer in brackets of its own is its call without them", () => {
  const text =
    "from torch import nn\nclass A(nn.Module):\n    def __init__(self):\n        self.a = (nn.Linear(2, 3))\n";
  const [layer] = moduleOf(read(text), "A").layers;
  assert.equal(source(text, layer?.call.range), "nn.Linear(2, 3)");
});

test("containers give their layers by path", () => {
  check("self.net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))", [
    "net: nn.Sequential() attribute",
    "net.0: nn.Linear(in_features=2, out_features=3) sequential",
    "net.1: nn.ReLU() sequential",
    "net.2: nn.Linear(in_features=3, out_features=1) sequential",
  ]);
  check('self.net = nn.Sequential(OrderedDict([("a", nn.Linear(2, 3)), ("b", nn.ReLU())]))', [
    "net: nn.Sequential() attribute",
    "net.a: nn.Linear(in_features=2, out_features=3) sequential",
    "net.b: nn.ReLU() sequential",
  ]);
  check(
    "self.l = nn.ModuleList([nn.Linear(2, 2) for _ in range(n)])",
    ["l: nn.ModuleList() attribute", "l.*: nn.Linear(in_features=2, out_features=2) comprehension ×6"],
    "",
    ", n=6",
  );
  check('self.d = nn.ModuleDict({"q": nn.Linear(2, 2)})\nself.d["k"] = nn.Linear(3, 3)', [
    "d: nn.ModuleDict() attribute",
    "d.q: nn.Linear(in_features=2, out_features=2) module-dict",
    "d.k: nn.Linear(in_features=3, out_features=3) module-dict",
  ]);
});

test("layers come from branches, loops, add_module, setattr and annotated or chained assignments", () => {
  check("self.a: nn.Module = nn.Linear(1, 2)\nself.b = self.c = nn.Linear(3, 4)", [
    "a: nn.Linear(in_features=1, out_features=2) attribute",
    "b: nn.Linear(in_features=3, out_features=4) attribute",
    "c: nn.Linear(in_features=3, out_features=4) attribute",
  ]);
  check(
    "self.a = nn.Linear(1, 2) if flag else nn.Identity()\nif flag:\n    self.b = nn.Linear(1, 2)",
    [
      "a: nn.Linear(in_features=1, out_features=2) conditional",
      "a: nn.Identity() conditional",
      "b: nn.Linear(in_features=1, out_features=2) conditional",
    ],
    "",
    ", flag",
  );
  check(
    "layers = []\nfor _ in range(3):\n    layers.append(nn.Linear(4, 4))\nself.net = nn.Sequential(*layers)",
    ["net: nn.Sequential() attribute", "net.*: nn.Linear(in_features=4, out_features=4) append ×3"],
  );
  check("self.l = nn.ModuleList()\nfor _ in range(3):\n    self.l.append(nn.Linear(4, 4))", [
    "l: nn.ModuleList() attribute",
    "l.*: nn.Linear(in_features=4, out_features=4) append ×3",
  ]);
  check('self.add_module("fc", nn.Linear(1, 2))\nsetattr(self, "g", nn.Linear(3, 4))', [
    "fc: nn.Linear(in_features=1, out_features=2) add-module",
    "g: nn.Linear(in_features=3, out_features=4) setattr",
  ]);
});

test("factories of the file and classes in variables are followed", () => {
  check(
    "self.c = conv3x3(3, 16, stride=2)",
    ["c: nn.Conv2d(in_channels=3, out_channels=16, kernel_size=3, stride=2, padding=1) factory"],
    "def conv3x3(i, o, stride=1):\n    return nn.Conv2d(i, o, 3, stride=stride, padding=1)",
  );
  check(
    "self.norm = norm_layer(8)",
    ["norm: nn.LayerNorm(normalized_shape=8) attribute"],
    "",
    ", norm_layer=nn.LayerNorm",
  );
});

test("a container's own constructor is given its layers", () => {
  const text = `from torch import nn
class ConvReLU(nn.Sequential):
    def __init__(self, i, o, norm=None):
        if norm:
            bn = nn.BatchNorm2d(4)
        else:
            bn = nn.Identity()
        super().__init__(nn.Conv2d(3, 4, 1), bn, nn.ReLU())
`;
  assert.deepEqual(layerLines(moduleOf(read(text), "ConvReLU")), [
    "0: nn.Conv2d(in_channels=3, out_channels=4, kernel_size=1) sequential",
    "1: nn.BatchNorm2d(num_features=4) conditional",
    "1: nn.Identity() conditional",
    "2: nn.ReLU() sequential",
  ]);
});

test("layers in local dictionaries, lists and modules are found where those go", () => {
  check(
    'heads = OrderedDict()\nheads["fc"] = nn.Linear(2, 3)\nheads["act"] = nn.Tanh()\nself.heads = nn.Sequential(heads)',
    [
      "heads: nn.Sequential() attribute",
      "heads.fc: nn.Linear(in_features=2, out_features=3) sequential",
      "heads.act: nn.Tanh() sequential",
    ],
  );
  check(
    "self.down = nn.ModuleList()\nfor i in range(2):\n    block = nn.ModuleList()\n    block.append(nn.Linear(2, 2))\n    stage = nn.Module()\n    stage.block = block\n    stage.pool = nn.MaxPool2d(2)\n    self.down.append(stage)",
    [
      "down: nn.ModuleList() attribute",
      "down.*: nn.Module() append ×2",
      "down.*.block: nn.ModuleList() attribute ×2",
      "down.*.block.*: nn.Linear(in_features=2, out_features=2) append ×2",
      "down.*.pool: nn.MaxPool2d(kernel_size=2) attribute ×2",
    ],
  );
  check(
    "self.net = nn.Sequential(*filter(None, [nn.Linear(2, 3), nn.ReLU() if act else None]))",
    [
      "net: nn.Sequential() attribute",
      "net.0: nn.Linear(in_features=2, out_features=3) sequential",
      "net.1: nn.ReLU() conditional",
    ],
    "",
    ", act",
  );
});

test("a name that is given again speaks of what it held before", () => {
  check(
    "conv = nn.Conv1d(3, 4, 1)\nconv = nn.utils.weight_norm(conv)\nself.conv = conv\nrest = [nn.Linear(1, 2)]\nrest = rest + [nn.Linear(2, 3)]\nrest = rest[1:]\nself.rest = nn.Sequential(*rest)",
    [
      "conv: nn.Conv1d(in_channels=3, out_channels=4, kernel_size=1) argument !",
      "rest: nn.Sequential() attribute",
      "rest.*: nn.Linear(in_features=1, out_features=2) sequential",
      "rest.*: nn.Linear(in_features=2, out_features=3) sequential",
    ],
  );
});

test("layers handed to another module are known by the argument, those that are attributes as well by these", () => {
  check(
    "norm = nn.LayerNorm(dim) if last else None\nself.encoder = Encoder(Block(), 3, final=norm)\nself.pair = Switched([nn.Linear(dim, 1), nn.Linear(dim, 2)])\nhead = nn.Linear(dim, 5)\nself.wrapped = Encoder(head)\nself.head = head",
    [
      "encoder: Encoder() attribute",
      "encoder.*: Block() argument",
      "encoder.final: nn.LayerNorm(normalized_shape=8) conditional",
      "pair: .switches.Switched() attribute",
      "pair.*.*: nn.Linear(in_features=8, out_features=1) argument !",
      "pair.*.*: nn.Linear(in_features=8, out_features=2) argument !",
      "wrapped: Encoder() attribute",
      "head: nn.Linear(in_features=8, out_features=5) attribute",
    ],
    "from .switches import Switched\nclass Block(nn.Module): ...\nclass Encoder(nn.Module):\n    def __init__(self, *parts, final=None): ...\n",
    ", dim=8, last=True",
  );
});

test("layers behind a lambda, in pairs that are collected first, and in what functions within the constructor return", () => {
  check(
    "self.proj = default(proj, lambda: nn.Linear(2, 3) if wide else nn.Identity())\nparts = []\nparts.append(('up', nn.Linear(3, 6)))\nself.parts = nn.Sequential(OrderedDict(parts))\ndef block(width):\n    layers = nn.Sequential()\n    layers.add_module('fc', nn.Linear(width, 2))\n    return layers\nself.block = block(7)\nself.fc = self.build(4)",
    [
      "proj: nn.Linear(in_features=2, out_features=3) conditional !",
      "proj: nn.Identity() conditional !",
      "parts: nn.Sequential() attribute",
      "parts.up: nn.Linear(in_features=3, out_features=6) sequential",
      "block: nn.Sequential() factory",
      "block.fc: nn.Linear(in_features=7, out_features=2) add-module",
      "fc: nn.Linear(in_features=4, out_features=4) factory !",
    ],
    "from noise import noisy\ndef default(value, make): return value if value is not None else make()\n",
    ", proj=None, wide=True):\n        pass\n    def build(self, width):\n        return noisy(nn.Linear(width, width), 0.1)\n    def rest(self, proj, wide",
  );
});

test("what comes after a list of unknown length has no known index", () => {
  check(
    "self.net = nn.Sequential(nn.ReLU(), *[nn.Linear(2, 2) for _ in range(n)], nn.Linear(2, 1))",
    [
      "net: nn.Sequential() attribute",
      "net.0: nn.ReLU() sequential",
      "net.*: nn.Linear(in_features=2, out_features=2) comprehension",
      "net.*: nn.Linear(in_features=2, out_features=1) sequential",
    ],
    "",
    ", n",
  );
});

test("helpers that build or pass on layers are followed", () => {
  check(
    "def block(i, o):\n    layers = [nn.Linear(i, o)]\n    layers.append(nn.ReLU())\n    return layers\nself.net = nn.Sequential(*block(2, 3), nn.Linear(3, 1))",
    [
      "net: nn.Sequential() attribute",
      "net.0: nn.Linear(in_features=2, out_features=3) sequential",
      "net.1: nn.ReLU() append",
      "net.2: nn.Linear(in_features=3, out_features=1) sequential",
    ],
  );
  check("make = lambda: nn.Linear(2, 3)\nself.a = make()", [
    "a: nn.Linear(in_features=2, out_features=3) attribute",
  ]);
  check(
    "self.a = zeroed(nn.Linear(2, 3))\nself.b = tricky(nn.Linear(2, 3))\nnorm_f = weight_norm if flag else spectral_norm\nself.c = norm_f(nn.Linear(4, 5))",
    [
      "a: nn.Linear(in_features=2, out_features=3) argument",
      "b: nn.Linear(in_features=2, out_features=3) argument !",
      "c: nn.Linear(in_features=4, out_features=5) argument !",
    ],
    "from .tricks import tricky\nfrom torch.nn.utils import weight_norm, spectral_norm\ndef zeroed(module):\n    module.weight.data.zero_()\n    return module",
    ", flag",
  );
  const text = `from torch import nn
class A(nn.Module):
    def __init__(self):
        self.stage = self._stage(4)
    def _stage(self, planes):
        layers = []
        layers.append(nn.Linear(planes, 2 * planes))
        return nn.Sequential(*layers)
`;
  assert.deepEqual(layerLines(moduleOf(read(text), "A")), [
    "stage: nn.Sequential() factory",
    "stage.0: nn.Linear(in_features=4, out_features=8) append",
  ]);
});

test("imported classes are layers where they are used like layers", () => {
  const text = `from torch import nn
from timm.layers import ClassifierHead
from tools import Widget, Gadget
from .utils import BoxCoder
class lowercase(nn.Module):
    pass
class A(nn.Module):
    def __init__(self):
        self.head = ClassifierHead(4, 2)
        self.widget = Widget(3)
        self.gadgets = nn.ModuleList([Gadget(1)])
        self.coder = BoxCoder()
        self.low = lowercase()
    def forward(self, x):
        return self.head(self.widget.run(x))
`;
  assert.deepEqual(
    moduleOf(read(text), "A").layers.map(({ path }) => path),
    ["head", "gadgets", "gadgets.0", "low"],
  );
});

test("a class that is made of linear layers is none, whatever it is called", () => {
  const roleOf = (body: string): string | undefined =>
    moduleOf(
      read(
        `import torch\nfrom torch import nn\n\n\nclass GatedDense(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n        ${body}\n\n\nclass Layer(nn.Module):\n    def __init__(self, width):\n        super().__init__()\n        self.net = GatedDense(width)\n`,
      ),
      "Layer",
    ).layers[0]?.role;
  assert.equal(roleOf("self.inner = nn.Linear(width, 4 * width)"), "module");
  assert.equal(roleOf("self.weight = nn.Parameter(torch.zeros(width, width))"), "linear");
});

test("layers that an adapter inside them would not reach say so", () => {
  check("self.a = nn.MultiheadAttention(8, 2)", [
    "a: nn.MultiheadAttention(embed_dim=8, num_heads=2) attribute",
  ]);
  check("self.a = nn.Linear(2, 3)\nself.b = nn.Embedding(3, 2)\nself.a.weight = self.b.weight", [
    "a: nn.Linear(in_features=2, out_features=3) attribute tied to b",
    "b: nn.Embedding(num_embeddings=3, embedding_dim=2) attribute tied to a",
  ]);
  check("self.a = torch.jit.script(nn.Linear(2, 3))", [
    "a: nn.Linear(in_features=2, out_features=3) argument !",
  ]);
  const used =
    "from torch import nn\nimport torch.nn.functional as F\nclass A(nn.Module):\n    def __init__(self):\n        self.p = nn.Linear(1, 2)\n    def forward(self, x):\n        return F.linear(x, self.p.weight)\n";
  assert.match(moduleOf(read(used), "A").layers[0]?.weightReads?.reason ?? "", /used directly/);
  check("self.a = nn.Linear(2, 3)\nself.apply(self._init_weights)", [
    "a: nn.Linear(in_features=2, out_features=3) attribute",
  ]);
});

test("a GPT: every layer with its sizes", () => {
  const facts = read(fixture("gpt.py"));
  assert.deepEqual(layerLines(moduleOf(facts, "CausalSelfAttention")), [
    "c_attn: nn.Linear(in_features=768, out_features=2304, bias=true) attribute",
    "c_proj: nn.Linear(in_features=768, out_features=768, bias=true) attribute",
    "resid_dropout: nn.Dropout(p=0) attribute",
  ]);
  assert.deepEqual(layerLines(moduleOf(facts, "GPT")), [
    "transformer: nn.ModuleDict() attribute",
    "transformer.wte: nn.Embedding(num_embeddings=50304, embedding_dim=768) module-dict tied to lm_head",
    "transformer.wpe: nn.Embedding(num_embeddings=1024, embedding_dim=768) module-dict",
    "transformer.drop: nn.Dropout(p=0) module-dict",
    "transformer.h: nn.ModuleList() module-dict",
    "transformer.h.*: Block() comprehension ×12",
    "transformer.ln_f: LayerNorm(ndim=768, bias=true) module-dict",
    "lm_head: nn.Linear(in_features=768, out_features=50304, bias=false) attribute tied to transformer.wte",
  ]);
});
