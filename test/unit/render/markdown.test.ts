import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { code, codeBlock, commandLink, escape, link, prose } from "../../../server/src/render/markdown";

describe("escaping foreign text for Markdown", () => {
  const cases: readonly [why: string, text: string, escaped: string][] = [
    ["a link that runs a command", "[x](command:evil)", "\\[x\\](command:evil)"],
    ["an image", "![x](https://evil.example/p.png)", "!\\[x\\](https://evil.example/p.png)"],
    ["code", "a `rm -rf` b", "a \\`rm -rf\\` b"],
    ["HTML", "<img src=x onerror=alert(1)>", "\\<img src=x onerror=alert(1)\\>"],
    ["an autolink", "<command:evil>", "\\<command:evil\\>"],
    ["line breaks, which could begin a block", "a\n\n# b\r\n> c\u2028- d", "a # b \\> c - d"],
    ["a heading at the start", "# b", "\\# b"],
    ["a list item at the start", "- b", "\\- b"],
    ["a numbered item at the start", "12. b", "12\\. b"],
    ["emphasis", "**b** and _c_", "\\*\\*b\\*\\* and \\_c\\_"],
    ["a backslash that would undo an escape", "\\[x\\](y)", "\\\\\\[x\\\\\\](y)"],
    ["an entity", "&lt;b&gt; R&D", "\\&lt;b\\&gt; R&D"],
    ["text that runs backwards", "a\u202egpj.exe\u2066", "agpj.exe"],
    ["control characters", "a\u0000b\u001bc", "a b c"],
  ];
  for (const [why, text, escaped] of cases) {
    it(`disarms ${why}`, () => assert.equal(escape(text), escaped));
  }

  it("leaves ordinary titles and identifiers readable", () => {
    for (const text of [
      "LoRA: Low-Rank Adaptation of Large Language Models",
      "lora_alpha = 16 (2r)",
      "W₀x + (α/r)·BAx, 50 %!",
    ])
      assert.equal(escape(text), text);
  });
});

describe("sentences of the corpus", () => {
  it("keep their code spans and nothing else", () => {
    assert.equal(prose("an update of rank `r`, see `a_b`"), "an update of rank `r`, see `a_b`");
    assert.equal(
      prose("`r` [x](command:evil) `[y](z)` *b* `"),
      "`r` \\[x\\](command:evil) `[y](z)` \\*b\\* \\`",
    );
    assert.equal(prose("# a\n`b`\n# c"), "\\# a `b` # c");
  });
});

describe("code", () => {
  it("fences a span with more backticks than it holds", () => {
    assert.equal(code("r=8"), "`r=8`");
    assert.equal(code("a ``b`` c"), "```a ``b`` c```");
    assert.equal(code("`x"), "`` `x ``");
    assert.equal(code("a\nb"), "`a b`");
  });

  it("fences a block with more backticks than it holds", () => {
    assert.equal(codeBlock("latex", "x\n```\ny"), "````latex\nx\n```\ny\n````");
  });
});

describe("links", () => {
  it("go to the web alone", () => {
    assert.equal(
      link("arXiv:2106.09685", "https://arxiv.org/abs/2106.09685"),
      "[arXiv:2106.09685](https://arxiv.org/abs/2106.09685)",
    );
    for (const url of [
      "command:evil",
      "javascript:alert(1)",
      "data:text/html,x",
      "file:///etc/passwd",
      "https://",
      "//evil",
    ])
      assert.equal(link("here", url), "here");
  });

  it("cannot be ended from within", () => {
    assert.equal(
      link("a](b", "https://a.example/x) [y](command:evil)"),
      "[a\\](b](https://a.example/x%29%20%5By%5D%28command:evil%29)",
    );
  });

  it("carry arguments of commands as encoded JSON", () => {
    assert.equal(
      commandLink("Paper", "litlens.showPaper", ["lora"]),
      "[Paper](command:litlens.showPaper?%5B%22lora%22%5D)",
    );
    assert.equal(
      commandLink("Paper", "litlens.showPaper", ["a) b(c'd"]),
      "[Paper](command:litlens.showPaper?%5B%22a%29%20b%28c%27d%22%5D)",
    );
  });
});
