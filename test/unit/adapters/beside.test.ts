/** An adapter beside a layer that no subclass can stand for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { actionsAt, applied, checkInsertion, serviceWith, source, uri } from "./check";

const utils = "from torch.nn.utils import weight_norm\n\n\n";
const header = `from torch import nn\n${utils}`;
const brought = `import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
${utils}${source("lora/lora.py", "LoRABeside")}


`;

const head = (line: string, call: string, added = ""): string => `class Head(nn.Module):
    def __init__(self, d):
        super().__init__()
        ${line}
        nn.init.zeros_(self.head.bias)${added}

    def forward(self, x, y):
        return ${call}self.norm(x)) + ${call}y.to(self.head.weight.dtype))
`;

const line = "self.head = weight_norm(nn.Linear(d, 8))";
const before = head(line, "self.head(");
const after = head(
  line,
  "self.head_lora(self.head, ",
  "\n        self.head_lora = LoRABeside(self.head, rank=8, alpha=16)",
);

test("a product beside a layer under weight_norm, at every call of it", async () => {
  await checkInsertion(
    header + before.replace("self.head = ", "self.he|ad = "),
    "Add LoRA beside `head`",
    brought + after,
  );
});

test("and taken out again", async () => {
  const text = brought + after;
  const service = serviceWith(text);
  const position = {
    line: text.slice(0, text.indexOf("self.head_lora =")).split("\n").length - 1,
    character: 12,
  };
  const removal = service
    .codeActions(
      uri,
      { start: position, end: position },
      { diagnostics: [], only: ["refactor.rewrite.adapter"] },
    )
    .find(({ title }) => title.startsWith("Remove"));
  assert.ok(removal);
  assert.equal(
    applied((await service.resolveCodeAction(removal)).edit, { [uri]: text })[uri],
    header + before,
  );
});

test("not where the layer is handed on, called with more than its input, or one of several", () => {
  for (const use of ["run(self.head, x)", "self.head(x, y)", "self.head(input=x)", "[self.head]"]) {
    const text =
      header + before.replace("self.head = ", "self.he|ad = ").replace("self.head(self.norm(x))", use);
    const { actions } = actionsAt(text);
    assert.deepEqual(
      actions.filter(({ title }) => title.includes("LoRA beside")),
      [],
      use,
    );
  }
});

const casting = `import torch.nn.functional as F
from torch import nn


class Linear(nn.Linear):
    def forward(self, x):
        return F.linear(x, self.weight.to(x.dtype), self.bias.to(x.dtype))


`;

test("beside a layer of a class that computes in a way of its own", () => {
  const titles = (text: string): string[] =>
    actionsAt(text).actions.flatMap(({ title, disabled }) => (disabled === undefined ? [title] : []));
  const own = casting + before.replace(/self\.head = .*/, "self.he|ad = Linear(d, 8)");
  assert.deepEqual(titles(own), ["Add LoRA beside `head`"]);
  assert.match(
    actionsAt(own).actions.find(({ title }) => title === "Adapt `head` with LoRA")?.disabled?.reason ?? "",
    /^`head` is a Linear, not a torch\.nn\.Linear, and may compute in a way of its own\. Build it as one/,
  );
  // what its own constructor takes and does is not known, nor what is cached of its output
  for (const other of [
    own.replace(
      "    def forward(self, x):",
      "    def __init__(self, d, n):\n        super().__init__(d, n)\n\n    def forward(self, x):",
    ),
    own.replace("self.head(self.norm(x))", "cache[self.head]"),
    own.replace("self.norm(x)", "self.head.weight @ x"),
  ])
    assert.deepEqual(titles(other), []);
});
