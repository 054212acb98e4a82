/** Which layers a class uses in a way that an adapted one would not survive. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readPython } from "../../../server/src/python/document";

/**
 * The class body's layers with their obstacles, `# no: <words of the reason>` at the end of each refused line, or
 * `# reads: <words>` where a method that has a weight to offer may stand.
 */
function checkObstacles(source: string): void {
  const text = `import torch\nimport torch.nn.functional as F\nfrom torch import nn\nfrom torch.nn.utils import weight_norm\nfrom transformers import PreTrainedModel\n\n\n${source.trim()}\n`;
  const wanted = text.split("\n").flatMap((line, index) => {
    const [, kind, words] = /# (no|reads): (.*)$/.exec(line) ?? [];
    return kind === undefined ? [] : [[`${kind} ${index}`, words] as const];
  });
  const found = readPython(text).facts.modules.flatMap(({ layers }) =>
    layers.flatMap(({ obstacle, weightReads, call }) => {
      const reason = obstacle ?? weightReads?.reason;
      const line = text.slice(0, call.range.from).split("\n").length - 1;
      return reason === undefined
        ? []
        : [[`${obstacle === undefined ? "reads" : "no"} ${line}`, reason] as const];
    }),
  );
  assert.deepEqual(
    found.map(([line]) => line),
    wanted.map(([line]) => line),
    JSON.stringify(found),
  );
  found.forEach(([, reason], index) => {
    assert.ok(reason.includes(String(wanted[index]?.[1])), `${reason} lacks "${String(wanted[index]?.[1])}"`);
  });
}

test("a weight that forward computes with is not adapted, one that is only looked at is", () => {
  checkObstacles(`
class Net(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.a = nn.Linear(dim, dim)  # reads: torch.nn.functional.linear
        self.b = nn.Linear(dim, dim)  # reads: @
        self.c = nn.Linear(dim, dim)  # reads: .t()
        self.d = nn.Linear(dim, dim)  # reads: =
        self.e = nn.Linear(dim, dim)  # reads: fused_kernel
        self.f = nn.Linear(dim, dim)
        self.g = nn.Linear(dim, dim)
        self.h = nn.Linear(dim, dim)  # reads: torch.nn.functional.linear
        nn.init.zeros_(self.f.weight)
        self.g.weight.data.mul_(0.5)

    def forward(self, x):
        x = x.to(self.f.weight.dtype).to(self.f.weight.device)
        y = F.linear(x, self.a.weight, self.a.bias) + x @ self.b.weight.T
        z = x @ (self.c.weight.t())
        w = self.d.weight
        x = fused_kernel(x, w, self.e.weight)
        x = F.linear(x, self.h.weight.to(x.dtype))
        return self.g(self.f(x)) + y + z

    def reset_head(self, other):
        self.f.weight.copy_(other.f.weight * 2)
        old = self.f.weight
        return old + 1
`);
});

test("weights of layers in lists and under other names", () => {
  checkObstacles(`
class Lists(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d, d),  # reads: used directly
            nn.ReLU(),
            nn.Linear(d, d),  # no: weight_norm
        )
        weight_norm(self.net[2])
        self.heads = nn.ModuleList([nn.Linear(d, d) for _ in range(3)])  # reads: used directly
        self.called = nn.ModuleList([nn.Linear(d, d) for _ in range(3)])
        self.out = nn.Linear(d, d)  # reads: used directly
        self.attn = nn.MultiheadAttention(d, 4)  # no: used directly
        self.other = nn.MultiheadAttention(d, 4)

    def forward(self, x):
        x = F.linear(x, self.net[0].weight)
        for index, (head, layer) in enumerate(zip(self.heads, self.called)):
            x = layer(x)
        for head, layer in zip(self.heads, self.called):
            x = F.linear(layer(x), head.weight)
        out = self.out
        return F.linear(x, out.weight) @ self.attn.out_proj.weight, self.other.in_proj_weight.dtype
`);
});

test("parts that torch's own layers read past their forward", () => {
  checkObstacles(`
class Layer(nn.TransformerEncoderLayer):
    def __init__(self, d):
        super().__init__(d, 4)
        self.linear1 = nn.Linear(d, d)  # no: fused path
        self.gate = nn.Linear(d, d)


class Own(nn.TransformerEncoderLayer):
    def __init__(self, d):
        super().__init__(d, 4)
        self.linear1 = nn.Linear(d, d)

    def forward(self, x):
        return self.linear1(x)


class Attention(nn.MultiheadAttention):
    def __init__(self, d):
        super().__init__(d, 4)
        self.out_proj = nn.Linear(d, d)  # no: fused path
`);
});

test("classes that are compiled, layers that are wrapped after they are built, tied heads", () => {
  checkObstacles(`
class Compiled(torch.jit.ScriptModule):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)  # no: torch.jit.script


class Methodical(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)  # no: torch.jit.script

    @torch.jit.script_method
    def forward(self, x):
        return self.fc(x)


class Normed(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc = nn.Linear(d, d)  # no: weight_norm
        weight_norm(self.fc)


class GPTPreTrainedModel(PreTrainedModel):
    _tied_weights_keys = ["lm_head.weight"]

    def __init__(self, config):
        super().__init__(config)
        self.lm_head = nn.Linear(8, 8)  # no: _tied_weights_keys
        self.score = nn.Linear(8, 8)


class OtherPreTrainedModel(PreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.decoder = nn.Linear(8, 8)  # no: get_output_embeddings

    def get_output_embeddings(self):
        return self.decoder
`);
});

test("a weight that is handed out, written to, read while the model is built or one of several is not replaced", () => {
  checkObstacles(`
class Kept(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.a = nn.Linear(d, d)  # no: return
        self.b = nn.Linear(d, d)  # no: =
        self.c = nn.Linear(d, d)  # no: *
        self.d = nn.Linear(d, d)  # reads: @
        self.net = nn.Sequential(
            nn.Linear(d, d),  # no: used directly
            nn.Linear(d, d),  # no: used directly
        )
        self.e = nn.Linear(d, d)  # no: stack
        self.f = nn.Linear(d, d)  # no: stack
        self.start = self.c.weight * 2 + 1

    @property
    def table(self):
        return self.a.weight

    def forward(self, x):
        w = self.b.weight
        w.mul_(2)
        v = self.d.weight.shape[0]
        for layer in self.net:
            x = F.linear(x, layer.weight)
        layers = [self.e, self.f]
        z = torch.stack([each.weight for each in layers])
        return x @ w + self.d.weight @ x + z
`);
});
