import assert from "node:assert/strict";
import { test } from "node:test";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { CodeAction } from "vscode-languageserver-types";
import { actionsAt, applied, serviceWith, uri } from "./check";

const imports = `import torch
from torch import nn


`;

const offeredOn = (service: ReturnType<typeof serviceWith>, text: string): CodeAction[] => {
  const end = TextDocument.create(uri, "python", 1, text).positionAt(text.length);
  const range = { start: { line: 0, character: 0 }, end };
  return service.codeActions(uri, range, { diagnostics: [], only: ["refactor.rewrite.adapter"] });
};

/** What SCEdit makes of the class at the cursor, in whose `class` line it ends; taken out again all is as it was. */
async function check(body: string, title: string, expected: string): Promise<void> {
  const { service, text, actions } = actionsAt(imports + body);
  const named = (offered: readonly CodeAction[], name: string): CodeAction => {
    const action = offered.find((each) => each.title.startsWith(name));
    assert.ok(action, `no action "${name}" among:\n${offered.map((each) => each.title).join("\n")}`);
    assert.equal(action.disabled, undefined);
    return action;
  };
  const made = async (action: CodeAction, before: string): Promise<string> =>
    applied((await service.resolveCodeAction(action)).edit, { [uri]: before })[uri] ?? "";
  let current = await made(named(actions, title), text);
  assert.equal(current.slice(current.indexOf("class Decoder")), expected);
  for (let version = 2; /SCTuner/.test(current); version++) {
    service.changeDocument(uri, version, [{ text: current }]);
    current = await made(named(offeredOn(service, current), "Remove SCEdit"), current);
  }
  assert.equal(current, text);
}

test("skips popped in a loop get one tuner for each block, built where __init__ pops their channels", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, ch, chans, multiples):
        super().__init__()
        self.blocks = nn.ModuleList([])
        for multiple in multiples:
            for _ in range(2):
                ich = chans.pop()
                layers = [nn.Conv2d(ch + ich, multiple * 8, 3)]
                ch = multiple * 8
                self.blocks.append(nn.Sequential(*layers))

    def forward(self, h, hs):
        for block in self.blocks:
            h = torch.|cat([h, hs.pop()], dim=1)
            h = block(h)
        return h
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, ch, chans, multiples):
        super().__init__()
        self.blocks = nn.ModuleList([])
        self.sc_tuners = nn.ModuleList()
        for multiple in multiples:
            for _ in range(2):
                ich = chans.pop()
                layers = [nn.Conv2d(ch + ich, multiple * 8, 3)]
                ch = multiple * 8
                self.blocks.append(nn.Sequential(*layers))
                self.sc_tuners.append(SCTuner(ich, ratio=1))

    def forward(self, h, hs):
        for block, sc_tuner in zip(self.blocks, self.sc_tuners):
            h = torch.cat([h, sc_tuner(hs.pop())], dim=1)
            h = block(h)
        return h
`,
  ));

test("two skips in each turn of a loop share its header, and blocks in a tuple keep theirs", () =>
  check(
    `class De|coder(nn.Module):
    def __init__(self, pairs):
        super().__init__()
        self.ups = nn.ModuleList([])
        for dim_in, dim_out in pairs:
            self.ups.append(nn.ModuleList([nn.Conv2d(dim_out + dim_in, dim_out, 1), nn.Conv2d(dim_out + dim_in, dim_out, 1)]))

    def forward(self, x, h):
        for first, second in self.ups:
            x = torch.cat((x, h.pop()), dim=1)
            x = first(x)
            x = torch.cat((x, h.pop()), dim=1)
            x = second(x)
        return x
`,
    "Tune all 2 skip connections of Decoder with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, pairs):
        super().__init__()
        self.ups = nn.ModuleList([])
        self.sc_tuners1 = nn.ModuleList()
        self.sc_tuners2 = nn.ModuleList()
        for dim_in, dim_out in pairs:
            self.ups.append(nn.ModuleList([nn.Conv2d(dim_out + dim_in, dim_out, 1), nn.Conv2d(dim_out + dim_in, dim_out, 1)]))
            self.sc_tuners1.append(SCTuner(dim_in, ratio=1))
            self.sc_tuners2.append(SCTuner(dim_in, ratio=1))

    def forward(self, x, h):
        for (first, second), sc_tuner1, sc_tuner2 in zip(self.ups, self.sc_tuners1, self.sc_tuners2):
            x = torch.cat((x, sc_tuner1(h.pop())), dim=1)
            x = first(x)
            x = torch.cat((x, sc_tuner2(h.pop())), dim=1)
            x = second(x)
        return x
`,
  ));

test("a decoder block that may stand without a skip builds its tuner only for one", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, ch, skip_channels):
        super().__init__()
        self.conv = nn.Conv2d(ch + skip_channels, ch, 3)

    def forward(self, x, skip=None):
        if skip is not None:
            x = torch.|cat([x, skip], dim=1)
        return self.conv(x)
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, ch, skip_channels):
        super().__init__()
        self.conv = nn.Conv2d(ch + skip_channels, ch, 3)
        self.sc_tuner = SCTuner(skip_channels, ratio=1) if skip_channels else None

    def forward(self, x, skip=None):
        if skip is not None:
            x = torch.cat([x, self.sc_tuner(skip)], dim=1)
        return self.conv(x)
`,
  ));

test("channels popped in the middle of a statement are read above it, and two methods share the tuners", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, ch, chans):
        super().__init__()
        self.blocks = nn.ModuleList([])
        for multiple in (2, 1):
            layers = [nn.Conv2d(ch + chans.pop(), multiple * 8, 3)]
            ch = multiple * 8
            self.blocks.append(nn.Sequential(*layers))

    def forward(self, h, hs):
        for block in self.blocks:
            h = block(torch.|cat([h, hs.pop()], dim=1))
        return h

    def features(self, h, hs):
        found = []
        for block in self.blocks:
            h = block(torch.cat([h, hs.pop()], dim=1))
            found.append(h)
        return found
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, ch, chans):
        super().__init__()
        self.blocks = nn.ModuleList([])
        self.sc_tuners = nn.ModuleList()
        for multiple in (2, 1):
            self.sc_tuners.append(SCTuner(chans[-1], ratio=1))
            layers = [nn.Conv2d(ch + chans.pop(), multiple * 8, 3)]
            ch = multiple * 8
            self.blocks.append(nn.Sequential(*layers))

    def forward(self, h, hs):
        for block, sc_tuner in zip(self.blocks, self.sc_tuners):
            h = block(torch.cat([h, sc_tuner(hs.pop())], dim=1))
        return h

    def features(self, h, hs):
        found = []
        for block, sc_tuner in zip(self.blocks, self.sc_tuners):
            h = block(torch.cat([h, sc_tuner(hs.pop())], dim=1))
            found.append(h)
        return found
`,
  ));

test("where not every turn has a skip, each skip takes the next tuner", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, ch, chans, levels):
        super().__init__()
        ups = []
        for level in range(levels):
            for _ in range(2):
                ups.append(nn.Conv2d(in_channels=ch + chans.pop(), out_channels=8, kernel_size=1))
                ch = 8
            ups.append(nn.Upsample(scale_factor=2))
        self.ups = nn.ModuleList(ups)

    def forward(self, h, hs):
        for layer in self.ups:
            if isinstance(layer, nn.Conv2d):
                h = torch.|cat([h, hs.pop()], dim=1)
            h = layer(h)
        return h
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, ch, chans, levels):
        super().__init__()
        ups = []
        self.sc_tuners = nn.ModuleList()
        for level in range(levels):
            for _ in range(2):
                self.sc_tuners.append(SCTuner(chans[-1], ratio=1))
                ups.append(nn.Conv2d(in_channels=ch + chans.pop(), out_channels=8, kernel_size=1))
                ch = 8
            ups.append(nn.Upsample(scale_factor=2))
        self.ups = nn.ModuleList(ups)

    def forward(self, h, hs):
        sc_tuners = iter(self.sc_tuners)
        for layer in self.ups:
            if isinstance(layer, nn.Conv2d):
                h = torch.cat([h, next(sc_tuners)(hs.pop())], dim=1)
            h = layer(h)
        return h
`,
  ));

test("blocks that are numbered level by level in __init__ and forward alike take tuners in that order", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, ch, multiples, depth):
        super().__init__()
        self.levels = levels = len(multiples)
        self.depth = depth
        self.ups = nn.ModuleList()
        for level in reversed(range(levels)):
            blocks = nn.ModuleList()
            for i in range(depth + 1):
                skip_in = multiples[level] * 8
                blocks.append(nn.Conv2d(ch + skip_in, 8, 1))
                ch = 8
            self.ups.insert(0, blocks)

    def forward(self, h, hs):
        for level in reversed(range(self.levels)):
            for i in range(self.depth + 1):
                h = self.ups[level][i](torch.|cat([h, hs.pop()], dim=1))
        return h
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, ch, multiples, depth):
        super().__init__()
        self.levels = levels = len(multiples)
        self.depth = depth
        self.ups = nn.ModuleList()
        self.sc_tuners = nn.ModuleList()
        for level in reversed(range(levels)):
            blocks = nn.ModuleList()
            for i in range(depth + 1):
                skip_in = multiples[level] * 8
                blocks.append(nn.Conv2d(ch + skip_in, 8, 1))
                self.sc_tuners.append(SCTuner(skip_in, ratio=1))
                ch = 8
            self.ups.insert(0, blocks)

    def forward(self, h, hs):
        sc_tuners = iter(self.sc_tuners)
        for level in reversed(range(self.levels)):
            for i in range(self.depth + 1):
                h = self.ups[level][i](torch.cat([h, next(sc_tuners)(hs.pop())], dim=1))
        return h
`,
  ));

test("a block that takes in twice what it gives out has half of it from the skip", () =>
  check(
    `class Decoder(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.ups = nn.ModuleList([])
        for dim in dims:
            self.ups.append(nn.ModuleList([nn.Upsample(scale_factor=2), nn.Conv2d(dim * 2, dim, 1)]))

    def forward(self, x, h):
        for up, block in self.ups:
            x = torch.|cat((up(x), h.pop()), dim=1)
            x = block(x)
        return x
`,
    "Tune the skip connection with SCEdit",
    `class Decoder(nn.Module):
    def __init__(self, dims):
        super().__init__()
        self.ups = nn.ModuleList([])
        self.sc_tuners = nn.ModuleList()
        for dim in dims:
            self.ups.append(nn.ModuleList([nn.Upsample(scale_factor=2), nn.Conv2d(dim * 2, dim, 1)]))
            self.sc_tuners.append(SCTuner(dim, ratio=1))

    def forward(self, x, h):
        for (up, block), sc_tuner in zip(self.ups, self.sc_tuners):
            x = torch.cat((up(x), sc_tuner(h.pop())), dim=1)
            x = block(x)
        return x
`,
  ));

/** The reason why the skip at the cursor gets no tuner. */
function reasonAt(body: string): string | undefined {
  const [tuner] = actionsAt(imports + body).actions.filter(({ title }) => title.includes("SCEdit"));
  return tuner?.disabled?.reason;
}

test("tuners in the order of __init__ are refused where forward counts levels from the other end", () => {
  const reason = reasonAt(`class Decoder(nn.Module):
    def __init__(self, ch, chans):
        super().__init__()
        self.ups = nn.ModuleList()
        for level in reversed(range(3)):
            self.ups.append(nn.Conv2d(ch + chans.pop(), ch, 1))

    def forward(self, h, hs):
        for level in range(3):
            h = self.ups[level](torch.|cat([h, hs.pop()], dim=1))
        return h
`);
  assert.match(reason ?? "", /channels of this skip are not known/);
});

test("a gate of one channel says nothing about what it is multiplied with", () => {
  const reason = reasonAt(`class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.psi = nn.Conv2d(channels, 1, 1)

    def forward(self, x):
        psi = self.psi(x)
        return x * psi


class Decoder(nn.Module):
    def __init__(self, channels, blocks):
        super().__init__()
        self.gate = Gate(channels)
        self.blocks = nn.Sequential(*blocks)

    def forward(self, x, skip):
        skip = self.gate(skip)
        return self.blocks(torch.|cat([x, skip], dim=1))
`);
  assert.match(reason ?? "", /channels of this skip are not known/);
});

test("the layer that takes in a joined tensor is the next one, though nothing is known of it", () => {
  const reason = reasonAt(`class Decoder(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.up = nn.ConvTranspose2d(width * 2, width, 2)
        self.decoder = Decoder.block(width * 2, width)
        self.last = nn.ConvTranspose2d(width, width, 2)

    def forward(self, x, skip):
        x = self.up(x)
        x = torch.|cat([x, skip], dim=1)
        x = self.decoder(x)
        return self.last(x)
`);
  assert.match(reason ?? "", /channels of this skip are not known/);
});

test("signals along one dimension are no images, and get no tuner", () => {
  const reason = reasonAt(`class Decoder(nn.Module):
    def __init__(self, ch, skip_channels):
        super().__init__()
        self.conv = nn.Conv1d(ch + skip_channels, ch, 3)

    def forward(self, x, skip):
        return self.conv(torch.|cat([x, skip], dim=1))
`);
  assert.match(reason ?? "", /works on \(B, C, L\)/);
});

/** Bodies of `__init__` whose loop does not say one channel for each turn, or in another order than `forward` runs. */
for (const [why, build, run] of [
  [
    "not every turn adds a block",
    "if ich > 8:\n                self.blocks.append(nn.Conv2d(ch + ich, ch, 1))",
    "self.blocks",
  ],
  ["blocks are put in front", "self.blocks.insert(0, nn.Conv2d(ch + ich, ch, 1))", "self.blocks"],
  ["forward runs from the end", "self.blocks.append(nn.Conv2d(ch + ich, ch, 1))", "reversed(self.blocks)"],
  [
    "the channels change before they are kept",
    "conv = nn.Conv2d(ch + ich, ch, 1)\n            ich = 2\n            self.blocks.append(conv)",
    "self.blocks",
  ],
] as const)
  test(`a tuner for the skips of a loop is refused where ${why}`, () => {
    const { actions } = actionsAt(`${imports}class Decoder(nn.Module):
    def __init__(self, ch, chans):
        super().__init__()
        self.blocks = nn.ModuleList([])
        for _ in range(4):
            ich = chans.pop()
            ${build}

    def forward(self, h, hs):
        for block in ${run}:
            h = torch.|cat([h, hs.pop()], dim=1)
            h = block(h)
        return h
`);
    const [tuner] = actions.filter(({ title }) => title.includes("SCEdit"));
    assert.match(tuner?.disabled?.reason ?? "", /channels of this skip are not known/);
  });
