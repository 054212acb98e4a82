/** Open documents among files that are read in the background. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Documents } from "../../../server/src/documents";
import { linearLayerNames } from "../../../server/src/features/completion/layerNames";
import { moduleOfType } from "../../../server/src/python/local";
import { Neighbours } from "../../../server/src/workspace/neighbours";
import { layerLines, moduleOf } from "../python/check";

const root = "file:///project/";

/** A workspace of which `main.py` is open. */
class Project {
  readonly documents = new Documents();
  readonly reads: string[] = [];
  readonly logged: string[] = [];
  changes = 0;
  readonly neighbours: Neighbours;

  private readonly files: Map<string, string>;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
    this.neighbours = new Neighbours({
      documents: this.documents,
      readFile: (uri) => {
        const text = this.files.get(uri.replace(root, ""));
        if (text === undefined) return Promise.reject(new Error(`no file ${uri}`));
        this.reads.push(uri.replace(root, ""));
        return Promise.resolve(text);
      },
      onChange: () => this.changes++,
      log: (message) => this.logged.push(message),
    });
    this.neighbours.setFolders([root]);
  }

  async open(path = "main.py", text = this.files.get(path) ?? ""): Promise<void> {
    this.documents.open(root + path, "python", 1, text);
    this.neighbours.opened(root + path);
    await this.neighbours.settled();
  }

  async close(path: string): Promise<void> {
    this.documents.close(root + path);
    this.neighbours.opened(root + path);
    await this.neighbours.settled();
  }

  async edit(path: string, text: string): Promise<void> {
    this.documents.change(root + path, 2, [{ text }]);
    this.neighbours.changed();
    await this.neighbours.settled();
  }

  async onDisk(path: string, text: string | undefined): Promise<void> {
    if (text === undefined) this.files.delete(path);
    else this.files.set(path, text);
    this.neighbours.changedOnDisk([root + path]);
    await this.neighbours.settled();
  }

  facts(path = "main.py") {
    const found = this.documents.get(root + path);
    assert.ok(found, `${path} is not open`);
    return found.document.python.facts;
  }

  check(expected: readonly string[], name = "Net"): void {
    assert.deepEqual(layerLines(moduleOf(this.facts(), name)), expected);
    assert.deepEqual(this.logged, []);
  }
}

const network = (imports: string, layers: string): string =>
  `import torch.nn as nn\n${imports}\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = ${layers}\n`;
const main = network("from config import WIDTH", "nn.Linear(WIDTH, 2)");
const wide = (width: number) => [`fc: nn.Linear(in_features=${width}, out_features=2) attribute`];
const unknown = ["fc: nn.Linear(out_features=2) attribute"];

test("what a document imports is read in the background, and its reader told once", async () => {
  const project = new Project({ "main.py": main, "config.py": "WIDTH = 7\n" });
  project.documents.open(`${root}main.py`, "python", 1, main);
  project.check(unknown);
  await project.open();
  project.check(wide(7));
  assert.equal(project.changes, 1);
  assert.deepEqual(project.reads, ["config.py"]);
});

test("the unsaved text of an open neighbour wins, and the file's when it is closed", async () => {
  const project = new Project({ "main.py": main, "config.py": "WIDTH = 7\n" });
  await project.open();
  await project.open("config.py", "WIDTH = 8\n");
  project.check(wide(8));
  await project.edit("config.py", "WIDTH = 9\n");
  project.check(wide(9));
  await project.close("config.py");
  project.check(wide(7));
});

test("a change on disk is seen: edited, deleted, come back, come where it was not", async () => {
  const project = new Project({ "main.py": main, "config.py": "WIDTH = 7\n" });
  await project.open();
  await project.onDisk("config.py", "WIDTH = 8\n");
  project.check(wide(8));
  await project.onDisk("config.py", undefined);
  project.check(unknown);
  await project.onDisk("src/config.py", "WIDTH = 3\n");
  project.check(wide(3));
  await project.onDisk("config.py", "WIDTH = 9\n");
  project.check(wide(9));
});

test("typing reads no file again and tells nobody of neighbours that are as they were", async () => {
  const project = new Project({ "main.py": main, "config.py": "WIDTH = 7\nDEPTH = 5\n" });
  await project.open();
  await project.edit("main.py", `${main}# more\n`);
  project.check(wide(7));
  assert.deepEqual([project.reads, project.changes], [["config.py"], 1]);
  await project.edit("main.py", main.replaceAll("WIDTH", "DEPTH"));
  project.check(wide(5));
  await project.edit("main.py", main.replace("from config", "from conf"));
  project.check(unknown);
});

test("what a neighbour needs of its own neighbours is followed, and only that", async () => {
  const project = new Project({
    "main.py": network("from pkg import Layer", "Layer(1, 2)"),
    "pkg/__init__.py": "from .layers import *\nfrom .unused import Thing\n",
    "pkg/layers.py":
      "from . import parts\nfrom .other import helper\nclass Layer(parts.Base): pass\ndef f(): helper()\n",
    "pkg/parts.py":
      "from torch import nn\nfrom ..unasked import x\nclass Base(nn.Linear): pass\ndef g(): x()\n",
    "pkg/unused.py": "Thing = 1\n",
    "pkg/other.py": "def helper(): pass\n",
    "unasked.py": "x = 1\n",
  });
  await project.open();
  project.check(["fc: pkg.Layer(in_features=1, out_features=2) attribute"]);
  assert.deepEqual(project.reads.toSorted(), ["pkg/__init__.py", "pkg/layers.py", "pkg/parts.py"]);
});

test("a change far away reaches the document that can see it", async () => {
  const project = new Project({
    "main.py": network("from a import make", "make()"),
    "a.py": "from torch import nn\nfrom b import B\ndef make():\n    return nn.Linear(B, 2)\n",
    "b.py": "from c import C\nB = C + 1\n",
    "c.py": "C = 1\n",
  });
  await project.open();
  project.check(["fc: nn.Linear(in_features=2, out_features=2) factory !"]);
  await project.open("c.py", "C = 10\n");
  project.check(["fc: nn.Linear(in_features=11, out_features=2) factory !"]);
});

test("files that import each other in a circle come to an end, also while one of them is typed in", async () => {
  const project = new Project({
    "main.py": network("from other import A", "nn.Linear(A, 2)") + "B = 4\n",
    "other.py": "from main import B\nA = B + 1\n",
  });
  await project.open();
  project.check(wide(5));
  await project.edit("main.py", network("from other import A", "nn.Linear(A, 2)") + "B = 5\n");
  project.check(wide(6));
  await project.open("other.py");
  await project.edit("other.py", "from main import B\nA = B + 2\n");
  project.check(wide(7));
});

test("neither a huge neighbour nor a broken one takes the document down", async () => {
  const imports = "from huge import A\nfrom broken import Low\nfrom long import WIDTH\nfrom deep import D";
  const project = new Project({
    "main.py": network(imports, "Low(WIDTH, A)"),
    "huge.py": `A = 1\n${"x = 1\n".repeat(100_000)}`,
    "broken.py": 'from torch import nn\nclass Low(nn.Linear): pass\ndef f(:\n  """\nclass Lower(((\n\0',
    "long.py": `TABLE = [${"1, ".repeat(100_000)}]\nWIDTH = 2\n`,
    "deep.py": `D = ${"(".repeat(3000)}\nclass E: pass\n`,
  });
  await project.open();
  project.check(["fc: broken.Low(in_features=2) attribute"]);
});

test("no more files are read than the limit, and misses are not looked for again", async () => {
  const files: Record<string, string> = {};
  for (let index = 0; index < 50; index++) files[`m${index}.py`] = `from m${index + 1} import x\ny = x\n`;
  const project = new Project({ ...files, "main.py": "from m0 import y\nimport numpy as np\n" });
  await project.open("main.py", "from m0 import x as y\n");
  assert.equal(project.reads.length, 30);
  await project.edit("main.py", "from m0 import x as y\ny = 1\n");
  assert.equal(project.reads.length, 30);
});

test("a notebook has neighbours like a file", async () => {
  const project = new Project({ "config.py": "WIDTH = 7\n" });
  const notebook = `${root}main.ipynb`;
  const cells = main.split("\n\n").map((text, index) => ({
    uri: `${root}main.ipynb#${index}`,
    languageId: "python",
    version: 1,
    text,
  }));
  project.documents.setNotebook(notebook, cells);
  project.neighbours.opened(notebook);
  await project.neighbours.settled();
  assert.deepEqual(layerLines(moduleOf(project.facts("main.ipynb"), "Net")), wide(7));
});

test("sizes that a script takes from elsewhere are not those of the model's file", async () => {
  const gpt =
    "import torch.nn as nn\nclass Config:\n    def __init__(self, width=6):\n        self.width = width\n\n" +
    "class GPT(nn.Module):\n    def __init__(self, config: Config):\n        super().__init__()\n        self.head = nn.Linear(config.width, 5)\n";
  const check = async (config: string, expected: string): Promise<void> => {
    const text = `from gpt import GPT, Config\nfrom args import given\nmodel = GPT(${config})\n`;
    const project = new Project({ "gpt.py": gpt, "main.py": text });
    await project.open();
    const [imported] = project.facts().imported;
    assert.ok(imported);
    assert.deepEqual(layerLines(imported.module), [`head: nn.Linear(${expected}) attribute`]);
  };
  await check("Config()", "in_features=6, out_features=5");
  await check("Config(width=given.width)", "out_features=5");
  await check("Config(**given)", "out_features=5");
  await check("given.config", "out_features=5");
});

test("the config class and the call that a training script builds a model with are known", async () => {
  const project = new Project({
    "main.py": "from gpt import GPT, GPTConfig\nmodel = GPT(GPTConfig())\n",
    "gpt.py":
      "from dataclasses import dataclass\nimport torch.nn as nn\n@dataclass\nclass GPTConfig:\n    width: int = 6\n\n" +
      "class Block(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n        self.fc = nn.Linear(config.width, 2)\n\n" +
      "class GPT(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n        self.blocks = nn.ModuleList([Block(config) for _ in range(3)])\n        self.head = nn.Linear(config.width, 5)\n",
  });
  await project.open();
  const check = (width: number): void => {
    const facts = project.facts();
    const [imported] = facts.imported;
    assert.ok(imported);
    assert.deepEqual([imported.local, imported.uri], ["GPT", `${root}gpt.py`]);
    assert.deepEqual(layerLines(imported.module), [
      "blocks: nn.ModuleList() attribute",
      "blocks.*: Block() comprehension ×3",
      `head: nn.Linear(in_features=${width}, out_features=5) attribute`,
    ]);
    assert.equal(imported.constructedWith[0]?.assignedTo, "model");
    const block = moduleOfType(facts, "Block", imported.module);
    assert.ok(block);
    assert.deepEqual(layerLines(block), [`fc: nn.Linear(in_features=${width}, out_features=2) attribute`]);
  };
  check(6);
  await project.edit("main.py", "from gpt import GPT, GPTConfig\nW = 7\nmodel = GPT(GPTConfig(width=W))\n");
  check(7);
  await project.edit("main.py", "from gpt import GPT, GPTConfig\nW = 8\nmodel = GPT(GPTConfig(width=W))\n");
  check(8);
  assert.deepEqual(linearLayerNames(project.facts()), ["head", "fc"]);
  await project.open("gpt.py");
  check(8);
  assert.deepEqual(
    layerLines(moduleOf(project.facts("gpt.py"), "GPT")).at(-1),
    "head: nn.Linear(in_features=6, out_features=5) attribute",
  );
});
