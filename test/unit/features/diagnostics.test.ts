import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Diagnostic } from "vscode-languageserver-types";
import { TextDocument } from "vscode-languageserver-textdocument";
import { diagnose } from "../../../server/src/features/diagnostics";
import { quickFixes } from "../../../server/src/features/quickFixes";
import { marked } from "./check";
import { contextWith, open } from "./corpus";

/** Diagnostics of a source, after checking that they stand exactly at the ranges that `^^^` marks. */
function check(source: string): { diagnostics: Diagnostic[]; fixed: () => string } {
  const { text, ranges } = marked(source);
  const document = open(text);
  const diagnostics = diagnose(contextWith(), document);
  assert.deepEqual(
    diagnostics.map(({ range }) => ({
      from: document.text.offsetAt(range.start),
      to: document.text.offsetAt(range.end),
    })),
    ranges,
  );
  const fixed = (): string => {
    const [action] = quickFixes(document, diagnostics);
    const [change] = action?.edit?.documentChanges ?? [];
    assert.ok(change !== undefined && "edits" in change);
    const edits = change.edits.flatMap((edit) => ("newText" in edit ? [edit] : []));
    return TextDocument.applyEdits(TextDocument.create("file:///a.py", "python", 1, text), edits);
  };
  return { diagnostics, fixed };
}

describe("a name that PEFT removed", () => {
  it("is reported at its import and replaced everywhere", () => {
    const { diagnostics, fixed } = check(`from peft import BoneConfig, get_peft_model
                 ^^^^^^^^^^
config = BoneConfig(r=64)
other: BoneConfig = config
`);
    assert.deepEqual(
      diagnostics.map(({ code, source, severity, message }) => ({ code, source, severity, message })),
      [
        {
          code: "removed-symbol",
          source: "Litlens",
          severity: 2,
          message: "peft 0.19 removed \`BoneConfig\`; it is \`MissConfig\` now. So.",
        },
      ],
    );
    assert.equal(
      fixed(),
      "from peft import MissConfig, get_peft_model\nconfig = MissConfig(r=64)\nother: MissConfig = config\n",
    );
  });

  it("keeps an alias", () => {
    const { fixed } = check(`from peft import BoneConfig as BC
                 ^^^^^^^^^^
config = BC(r=64)
`);
    assert.equal(fixed(), "from peft import MissConfig as BC\nconfig = BC(r=64)\n");
  });

  it("is reported where it is used through the module", () => {
    const { fixed } = check(`import peft
config = peft.BoneConfig(r=64)
              ^^^^^^^^^^
`);
    assert.equal(fixed(), "import peft\nconfig = peft.MissConfig(r=64)\n");
  });

  it("is not a namesake", () => {
    check("from mine import BoneConfig\nBoneConfig()\n");
    check("class BoneConfig: ...\nBoneConfig()\n");
  });
});

describe("an arXiv id beside another paper's name", () => {
  it("is reported with the right id as its fix", () => {
    const { diagnostics, fixed } = check(`# DoRA (arXiv:2106.09685) splits the weight
              ^^^^^^^^^^
x = 1
`);
    const [diagnostic] = diagnostics;
    assert.ok(diagnostic !== undefined);
    assert.equal(diagnostic.code, "wrong-arxiv-id");
    assert.equal(
      diagnostic.message,
      "arXiv:2106.09685 is LoRA (“LoRA: Low-Rank Adaptation of Large Language Models”); DoRA is arXiv:2402.09353. So.",
    );
    assert.deepEqual(diagnostic.codeDescription, { href: "https://arxiv.org/abs/2402.09353" });
    assert.equal(fixed(), "# DoRA (arXiv:2402.09353) splits the weight\nx = 1\n");
  });

  const wrong: readonly string[] = [
    `def f():
    """DoRA (Liu et al., 2024, arXiv:2106.09685v2)."""
                                     ^^^^^^^^^^
`,
    `# DoRA, https://arxiv.org/abs/2106.09685
                              ^^^^^^^^^^
`,
    `# DoRA: Weight-Decomposed Low-Rank Adaptation [arXiv:2106.09685]
                                                     ^^^^^^^^^^
`,
    `# LoRA (arXiv:2106.09685)
x = 1  # rsLoRA: arXiv:2402.09353
                       ^^^^^^^^^^
`,
  ];
  for (const source of wrong)
    it(`is found in ${source
      .split("\n")
      .find((line) => /\d\.\d/.test(line))
      ?.trim()}`, () => void check(source));

  const right: readonly string[] = [
    "# DoRA (arXiv:2402.09353)\n",
    "# rsLoRA (arXiv:2312.03732)\n",
    "# as in LoRA (arXiv:2106.09685)\n",
    "# DoRA, unlike LoRA (arXiv:2402.09353)\n",
    "# DoRA and LoRA (arXiv:2106.09685)\n",
    "# after DoRA we follow arXiv:2106.09685\n",
    "# QDoRA (arXiv:2106.09685)\n",
    "# My-DoRA (arXiv:2106.09685)\n",
    "# DoRA (arXiv:1706.03762)\n",
    "# Something (arXiv:2106.09685)\n",
    "# DoRA (2106.09685)\n",
    'x = "DoRA (arXiv:2106.09685)"\n',
  ];
  for (const source of right) it(`is not seen in ${source.trim()}`, () => void check(source));
});

it("diagnostics can be turned off", () => {
  const context = contextWith();
  const settings = { ...context.settings, diagnostics: { enable: false, rules: {} } };
  assert.deepEqual(diagnose({ ...context, settings }, open("from peft import BoneConfig\n")), []);
});
