import assert from "node:assert/strict";
import { test } from "node:test";
import { callAt } from "../../../server/src/python/at";
import { readPython } from "../../../server/src/python/document";
import { cursor, layerLines, moduleOf, read, source } from "./check";

const head = "import torch\nfrom torch import nn\nfrom peft import LoraConfig, get_peft_model\n\n";
const before = "class Before(nn.Module):\n    def forward(self, x):\n        return x\n\n";
const after =
  "\nclass After(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(2, 3)\n\n    def forward(self, x):\n        return self.fc(x)\n";

/** Whatever stands between them, the classes above and below are known with their layers. */
function check(between: string): void {
  const facts = read(head + before + between + after);
  assert.ok(
    facts.modules.some((module) => module.name === "Before"),
    between,
  );
  assert.deepEqual(
    layerLines(moduleOf(facts, "After")),
    ["fc: nn.Linear(in_features=2, out_features=3) attribute"],
    between,
  );
}

test("what is left open takes nothing down", () => {
  check("config = LoraConfig(r=8,\n");
  check("config = LoraConfig(\n");
  check("config = LoraConfig(r=[1, {2: (\n");
  check("config = LoraConfig(r=8, target_modules=['q\n");
  check('"""An open docstring\n');
  check("x = '''open\n");
  check("class Half\n");
  check("class Half(nn.Module\n");
  check("class Half(nn.Module):\n    def __init__(self\n");
  check("class Half(nn.Module):\n    def __init__(self):\n        self.fc = nn.Linear(\n");
  check("def f(\n");
  check("@decorator(\n");
  check("%matplotlib inline\n!pip install peft\n");
  check("x = )]}\n");
  check("x = 1 +\n");
  check("for x in\n");
  check("if x\n    y\n");
  check("x = \\\n");
});

test("an open bracket inside a class leaves the class's other methods and layers", () => {
  const facts = read(
    `${head}class A(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(2, 3)\n        self.b = nn.Linear(4,\n        self.c = nn.Linear(5, 6)\n\n    def forward(self, x):\n        return self.a(x)\n`,
  );
  const module = moduleOf(facts, "A");
  assert.deepEqual(
    module.methods.map((method) => method.name),
    ["__init__", "forward"],
  );
  assert.deepEqual(layerLines(module), [
    "a: nn.Linear(in_features=2, out_features=3) attribute",
    "b: nn.Linear(in_features=4) attribute",
    "c: nn.Linear(in_features=5, out_features=6) attribute",
  ]);
});

test("an open f-string leaves the class's other methods, and what it holds", () => {
  for (const open of ["print(f'{x", 'y = f"{x', "y = rf'{{}} {x['a", "y = f'{x!r:{width"]) {
    const facts = read(
      `${head}class A(nn.Module):\n    def one(self):\n        ${open}\n        return 1\n\n    def two(self):\n        return 2\n${after}`,
    );
    assert.deepEqual(
      moduleOf(facts, "A").methods.map((method) => method.name),
      ["one", "two"],
      open,
    );
    assert.ok(moduleOf(facts, "After").forward);
  }
});

test("an open call knows its arguments and takes the cursor behind them", () => {
  for (const rest of ["", "\nmodel = get_peft_model(base, config)\n", "\n\nclass A(nn.Module): ...\n"]) {
    const { text, offset, facts } = cursor(`${head}config = LoraConfig(r=8, |${rest}`);
    const found = callAt(facts, offset);
    assert.equal(found?.call.qualified, "peft.LoraConfig", rest);
    assert.equal(found.call.closed, false);
    assert.equal(found.index, 1);
    assert.deepEqual(
      found.call.arguments.map((argument) => source(text, argument.range)),
      ["r=8"],
    );
    assert.equal(found.call.assignedTo, "config");
  }
});

test("brackets that close later keep lines that look like statements", () => {
  const { facts } = cursor(
    "|from peft import LoraConfig\nc = LoraConfig(\nr=8,\nlora_alpha=16\n)\nd = LoraConfig()\n",
  );
  assert.deepEqual(
    facts.calls.map((call) => [call.closed, call.arguments.length]),
    [
      [true, 2],
      [true, 0],
    ],
  );
});

/** Methods of the class in which something is half written. */
function checkMethods(written: string, expected: readonly string[]): void {
  const facts = read(head + written + after);
  const methods = facts.modules.flatMap((module) => (module.name === "After" ? [] : module.methods));
  assert.deepEqual(
    methods.map((method) => method.name),
    expected,
    written,
  );
  assert.ok(moduleOf(facts, "After"));
}

test("headers without colon or body and lines at no level end nothing", () => {
  const rest = "    def two(self):\n        return 2\n";
  const both = ["one", "two"];
  for (const half of [
    "if x",
    "if x:",
    "for i, (a, ",
    "with a as",
    "try:",
    "while",
    "else",
    "async for",
    "elif x =",
  ])
    checkMethods(`class A(nn.Module):\n    def one(self):\n        y = 1\n        ${half}\n\n${rest}`, both);
  for (const half of ["def one", "def one(", "def one(self", "def one(self):", "def one(self) -> "])
    checkMethods(`class A(nn.Module):\n    ${half}\n\n${rest}`, both);
  for (const typed of [
    "   x = 1\n",
    "            x = 1\n",
    "    x: List[\n",
    "    return y)\n",
    "        z = 3 \\\n\n",
  ])
    checkMethods(
      `class A(nn.Module):\n    def one(self):\n        y = 1\n${typed}        z = 2\n\n${rest}`,
      both,
    );
  checkMethods(`class A(nn.Module): (\n    def one(self): "\n        y = 1\n\n${rest}`, both);
  checkMethods(
    `class A(nn.Module):\n\tdef one(self):\n\t\ty = 1\n\t\t\tz = 2\n\t\tif y\n\n${rest.replaceAll("    ", "\t")}`,
    both,
  );
});

test("what is typed at the margin within a class takes nothing away from it", () => {
  const lines = `${before}${after}`.split("\n");
  const typed = ["x", "self.x = nn.Linear(2", "@wraps", "return x", "foo(a,\n    b)", "x = 'y'", "del"];
  for (const line of [2, 8, 9, 12])
    for (const each of typed) {
      const text = lines.toSpliced(line, 0, each).join("\n");
      const known = read(head + text).modules.map(({ name, methods }) => [
        name,
        ...methods.map((method) => method.name),
      ]);
      const expected = [
        ["Before", "forward"],
        ["After", "__init__", "forward"],
      ];
      assert.deepEqual(known, expected, text);
    }
});

test("a line at the margin ends the class where what follows cannot belong to that", () => {
  const facts = read(`${head}${before}x = 1\nif x:\n    y = 2\nz = 3\n${after}`);
  assert.deepEqual(
    facts.definitions.map(({ name }) => name),
    ["Before", "x", "y", "z", "After"],
  );
});

test("the line after a list of parameters that is open is none of it", () => {
  checkMethods(
    "class A(nn.Module):\n    def one(self, x\n        self.f(x)\n        super().f()\n\n    def two(self): pass\n",
    ["one", "two"],
  );
});

test("f-strings hold strings in their own quotes", () => {
  checkMethods(
    "class A(nn.Module):\n    def one(self):\n        return f'{x['a(']}' + f'{x:{w}}' + f'{{' + f'{x'\n\n    def two(self): pass\n",
    ["one", "two"],
  );
  assert.deepEqual(read('x = f\'{a:{b}}\' + f"{d["("]}"\ny = 1\n').unread, []);
});

test("the end of a header over several lines is no statement of its own", () => {
  const text =
    "class A(nn.Module):\n    def one(self):\n        if any(f(x)\n               for x in y):\n            return [\n              z for z in y\n              if z in (1, 2)]\n\n    def two(self) -> Tuple[\n        int,\n        Optional[int],\n    ]:\n        pass\n";
  checkMethods(text, ["one", "two"]);
  assert.deepEqual(read(text).unread, []);
});

test("newer and older Python than the grammar's costs no more than its statement", () => {
  const rest = "    def two(self):\n        self.fc = nn.Linear(2, 3)\n";
  for (const statement of [
    "match x:\n            case {'a': [1, *more], **kw} if more:\n                y = 1\n            case _:\n                pass",
    "with (open(a) as f, open(b) as g):\n            y = 1",
    "try:\n            y = 1\n        except* (A, B) as e:\n            y = 2",
    "print >>f, 'x', y\n        exec 'x' in d\n        raise ValueError, 'x'",
    "x[*a, 1] = [*a, *b]\n        for q in *a, *b: pass",
    "type Alias[T] = list[T]\n        def g[T: (int, str), *Ts, **P](x: T, /, y, *, z=3) -> T: return x",
    `x = f'{a!r:>{w}.{p}}' f"{b['k']}" rf'\\d{c}' f'{x=}' f"{a["k"]}"`,
    "x = 1. + 1.e3 + 1e-5 + 2.5J + 1_0.0_1 + 0xFF_FF if a else 1.if b else 0777L",
    "a = 1; b = 2;\n        y @= c; z = lambda *a, k=1, **kw: (yield)",
  ])
    checkMethods(`class A[T](nn.Module):\n    def one(self):\n        ${statement}\n\n${rest}`, [
      "one",
      "two",
    ]);
});

test("a docstring that shows code hides it", () => {
  const facts = read(`${head}"""\nExample:\n\nclass Shown(nn.Module):\n    pass\n"""\n${before}`);
  assert.deepEqual(
    facts.modules.map((module) => module.name),
    ["Before"],
  );
});

test("a triple quote too much takes down nothing, whatever the prose behind it looks like", () => {
  const more = [
    'class Said(nn.Module):\n    """It\'s said in prose."""\n\n    def forward(self, x):\n        return x\n',
    "class Args(nn.Module):\n    '''\n    Args:\n        x (int\n    '''\n\n    def forward(self, x):\n        return x\n",
  ].join("\n");
  for (const marks of ['"""', "'''", 'f"""{x', '"""Begun (and\n\n    Args:'])
    for (const place of ["class Half(nn.Module):\n    ", 'class Half(nn.Module):\n    """Done."""', "x = "]) {
      const text = `${head}${before}${place}${marks}\n    def f(self):\n        return 1\n\n\n${more}${after}`;
      const names = read(text).modules.map((module) => module.name);
      const expected = ["Before", ...(place.startsWith("x") ? [] : ["Half"]), "Said", "Args", "After"];
      assert.deepEqual(names, expected, place + marks);
    }
});

test("hostile texts are read without an exception and without haste", () => {
  const texts = [
    "(".repeat(100_000),
    "[".repeat(3000) + "]".repeat(3000),
    `x = ${"a + ".repeat(20_000)}1`,
    `x = ${"-".repeat(20_000)}1`,
    `x${".a".repeat(20_000)}`,
    `x = ${"f(".repeat(5000)}${")".repeat(5000)}`,
    Array.from({ length: 2000 }, (_, depth) => `${" ".repeat(depth)}if x:\n`).join(""),
    "f(\n".repeat(5000),
    "f(a\n".repeat(5000),
    '"""\n'.repeat(5001),
    "'''\n\"\"\"\n".repeat(2000),
    "\\\n".repeat(5000),
    "class A(nn.Module):\n".repeat(500),
    "\0\u0001\u0002\uFFFD".repeat(10_000),
    Array.from({ length: 20_000 }, (_, index) => String.fromCharCode((index * 7919) % 65_536)).join(""),
    "\uFEFF",
    "",
    `x = "${"a".repeat(5_000_000)}"`,
    "\uD800 = 1\nclass A: pass",
  ];
  for (const text of texts) {
    const started = performance.now();
    const facts = readPython(text).facts;
    JSON.stringify(facts);
    // Not a benchmark: quadratic behaviour would take minutes.
    assert.ok(performance.now() - started < 20_000, JSON.stringify(text.slice(0, 20)));
  }
});

test("line endings, tabs and a byte order mark change nothing", () => {
  const text = head + before + after;
  const expected = read(text).modules.map((module) => [module.name, module.layers.length]);
  for (const variant of [
    text.replaceAll("\n", "\r\n"),
    text.replaceAll("    ", "\t"),
    `\uFEFF${text}`,
    text.replaceAll("\n", "\r"),
    text.replaceAll("class", "\fclass").replaceAll("    def", "\f    def").replaceAll("\n\n", "\n\f\n"),
  ])
    assert.deepEqual(
      read(variant).modules.map((module) => [module.name, module.layers.length]),
      expected,
    );
});
