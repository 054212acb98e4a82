import assert from "node:assert/strict";
import { test } from "node:test";
import { callAt, layerAt, proseAt } from "../../../server/src/python/at";
import { cursor, read, source } from "./check";

const imports = "from peft import LoraConfig, get_peft_model\n";

/** The innermost call at the cursor, its argument there and that argument's place. */
function check(marked: string, expected: readonly [string, string | undefined, number] | undefined): void {
  const { text, offset, facts } = cursor(imports + marked);
  const found = callAt(facts, offset);
  assert.deepEqual(
    found && [source(text, found.call.name), source(text, found.argument?.range), found.index],
    expected,
    marked,
  );
}

test("the innermost call and the argument at the cursor", () => {
  check("get_peft_model(m, Lora|Config(r=8))", ["LoraConfig", undefined, 0]);
  check("get_peft_model(m, LoraConfig(r=8|))", ["LoraConfig", "r=8", 0]);
  check("get_peft_model(m|, LoraConfig(r=8))", ["get_peft_model", "m", 0]);
  check("LoraConfig(r=8, |)", ["LoraConfig", undefined, 1]);
  check("LoraConfig(r=8, lora_alpha=|)", ["LoraConfig", "lora_alpha=", 1]);
  check("LoraConfig(|", ["LoraConfig", undefined, 0]);
  check("LoraConfig()|\n", undefined);
  check("print(|)", undefined);
});

test("values of arguments: literals, lists, references, names of the file", () => {
  const text = `${imports}R = 2 * 4\nc = LoraConfig(r=R, target_modules=["q", "v"], lora_dropout=1e-1, bias=None, use_dora=not False, m=get_peft_model, x=f())\n`;
  assert.deepEqual(
    read(text).calls[0]?.arguments.map((argument) => argument.value.value),
    [
      { kind: "number", value: 8 },
      {
        kind: "list",
        items: [
          { kind: "string", value: "q" },
          { kind: "string", value: "v" },
        ],
      },
      { kind: "number", value: 0.1 },
      { kind: "none" },
      { kind: "boolean", value: true },
      { kind: "reference", qualified: "peft.get_peft_model" },
      { kind: "unknown" },
    ],
  );
});

test("f-strings of names that the file knows", () => {
  const text = `${imports}N, S = 16, "gauss"\nc = LoraConfig(a=f"pissa_niter_{N}", b=f'{S}ian{{x}}', c=f"{S}-{N}.", d=f"{N:03}", e=f"{other}", f=rf"{S}", g=f"{S}" "ian")\n`;
  assert.deepEqual(
    read(text).calls[0]?.arguments.map(({ value: { value } }) => value.kind === "string" && value.value),
    ["pissa_niter_16", false, "gauss-16.", false, false, false, false],
  );
});

test("what a function gives is known past any number of branches that do not decide it", () => {
  const branches = "    if flag:\n        note = 1\n    elif other:\n        note = 2\n".repeat(40);
  const value = (body: string) =>
    read(`${imports}def rank(flag, other):\n${body}c = LoraConfig(r=rank(a, b))\n`).calls.find(
      ({ qualified }) => qualified === "peft.LoraConfig",
    )?.arguments[0]?.value.value;
  assert.deepEqual(value(`${branches}    return 8, note\n`), {
    kind: "list",
    items: [{ kind: "number", value: 8 }, { kind: "unknown" }],
  });
  assert.equal(value(`${branches}    if flag:\n        return 4\n    return 8\n`)?.kind, "unknown");
  assert.equal(value("    for x in flag:\n        return 4\n    return 8\n")?.kind, "unknown");
});

test("fields of a plain class that nothing outside it assigns", () => {
  const settings = "class S:\n    rank = 8\n    alpha = 2 * rank\n    scale: float = 2 * 4\n";
  const values = (after: string) =>
    read(
      `${imports}${settings}${after}c = LoraConfig(r=S.rank, lora_alpha=S.alpha, s=S.scale, m=S.missing)\n`,
    )
      .calls.find(({ qualified }) => qualified === "peft.LoraConfig")
      ?.arguments.map(({ value: { value, assumed } }) =>
        value.kind === "number" && assumed !== true ? value.value : undefined,
      );
  assert.deepEqual(values(""), [8, undefined, 8, undefined]);
  assert.deepEqual(values("S.rank = 16\n"), [undefined, undefined, 8, undefined]);
  assert.deepEqual(values("def f():\n    S.rank += 16\n"), [undefined, undefined, 8, undefined]);
  assert.deepEqual(values("setattr(S, name, 1)\n"), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(values("print(S.rank == 16, S.scale <= 8)\n"), [8, undefined, 8, undefined]);
});

test("a call knows its statement and the name it is given", () => {
  const text = `${imports}class A:\n    def f(self):\n        self.config = LoraConfig(\n            **options,\n        )\n`;
  const [call] = read(text).calls;
  assert.equal(call?.assignedTo, "self.config");
  assert.equal(source(text, call.statement), "self.config = LoraConfig(\n            **options,\n        )");
  assert.equal(call.arguments[0]?.star, "**");
});

test("layers and prose at the cursor", () => {
  const layer = cursor(
    "from torch import nn\nclass A(nn.Module):\n    def __init__(self):\n        self.f|c = nn.Linear(2, 3)\n",
  );
  assert.equal(layerAt(layer.facts, layer.offset)?.layer.path, "fc");
  const comment = cursor('x = 1  # see arXiv:2106.|09685\n"""doc"""\n');
  assert.equal(proseAt(comment.facts, comment.offset)?.kind, "comment");
  const docstring = cursor('def f():\n    """See| LoRA."""\n');
  assert.equal(proseAt(docstring.facts, docstring.offset)?.kind, "docstring");
  const string = cursor("x = f('LoRA|')\n");
  assert.equal(proseAt(string.facts, string.offset)?.kind, "string");
  const code = cursor("x |= 1\n");
  assert.equal(proseAt(code.facts, code.offset), undefined);
});

test("the layout: indentation, line break, quotes, where imports end, names of torch", () => {
  const end = (marked: string) => {
    const { facts, offset } = cursor(marked);
    assert.equal(facts.layout.importEnd, offset, marked);
  };
  end('"""Doc."""\nfrom __future__ import annotations\nimport torch\n|\n\nx = 1\n');
  end("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n|x = 1\n");
  end('"""Doc."""\n|\nclass A: ...\n');
  end("try:\n    import peft\nexcept ImportError:\n    peft = None\n|x = 1\n");
  const { layout } = read("import torch.nn as N\r\nimport torch\r\nclass A:\r\n  x = 'a'\r\n");
  assert.deepEqual(
    [layout.indent, layout.lineBreak, layout.quote, layout.torch, layout.torchNn, layout.endsWithLineBreak],
    ["  ", "\r\n", "'", "torch", "N", true],
  );
});

test("names that every object of JavaScript has mean nothing", () => {
  const { references } = read(
    `${imports}constructor.x = 1\nfor toString in items:\n    toString.y(valueOf)\n`,
  );
  assert.deepEqual(
    references.map(({ qualified }) => qualified),
    ["peft", "peft.LoraConfig", "peft.get_peft_model"],
  );
});
