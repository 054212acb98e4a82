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
