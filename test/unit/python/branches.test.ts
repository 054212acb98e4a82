/** Residual branches as many authors write them: which expression an adapter goes around, and how wide it is there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { fixture, moduleOf, read, residualLines, source } from "./check";

const text = fixture("branches.py");
const facts = read(text);

/** Residual branches of a class as `role form layer: branch | width`, `!` where it must not be wrapped. */
function check(name: string, expected: readonly string[]): void {
  assert.deepEqual(residualLines(text, moduleOf(facts, name)), expected);
}

test("attention and feed-forward side by side, and both again in the other arm of the switch", () => {
  check("Parallel", ["attention pre-norm attn: attended | dim", "feed-forward pre-norm mlp: fed | dim"]);
  const again = moduleOf(facts, "Parallel").residuals.map(({ repeats }) =>
    repeats?.map(({ branch, stream, statement }) => [source(text, branch), stream, source(text, statement)]),
  );
  assert.deepEqual(again, [
    [["attended", "residual", "x = residual + attended"]],
    [["fed", "x", "x = fed + x"]],
  ]);
});

test("a gate is a factor, not the sub-layer; casts hide no stream", () => {
  check("Gated", [
    "attention plain attn1: attended * gate.unsqueeze(1) | dim",
    "feed-forward pre-norm ff: gate_ff.unsqueeze(1) * self.ff(self.norm2(x)) | dim",
    "feed-forward pre-norm extra: self.alpha.tanh() * self.extra(self.norm2(x)) | dim",
  ]);
});

test("one call that gives the outputs of two streams is adapted on the first", () => {
  check("TwoStreams", [
    "attention plain attn: attended[0] | dim",
    "attention plain attn: attended[1] | dim !",
  ]);
});

test("through a function, an `if` and a checkpoint, under one name", () => {
  check("Windowed", ["attention plain attn: h | dim", "feed-forward plain mlp: h | dim"]);
});

test("the stream's own norm tells the width where a branch works along the tokens", () => {
  check("Mixer", [
    "feed-forward plain mlp_tokens: y | dim",
    "feed-forward in-place mlp_channels: self.mlp_channels(self.norm2(x)) | dim",
  ]);
});

test("channels in dimension 1 are no place for an adapter that takes them last", () => {
  check("ConvBlock", ["feed-forward pre-norm mlp: x | dim !"]);
  assert.match(moduleOf(facts, "ConvBlock").residuals[0]?.obstacle ?? "", /channels in dimension 1/);
});

test("branches in functions of a method and in helper methods", () => {
  check("Nested", [
    "attention pre-norm attn: attended | dim",
    "feed-forward pre-norm _ff_block: self._ff_block(self.norm2(x)) | dim",
  ]);
});

test("a norm's width is no epsilon, and tuples are no tensors", () => {
  check("LayerFF", ["feed-forward pre-norm dense: self.dropout(forwarded) | config.d_model"]);
});

test("scale and shift are no residual", () => {
  check("Film", []);
});

test("a constant index is one layer, a running one is many", () => {
  check("Stacked", [
    "feed-forward pre-norm mlps.0: self.mlps[0](self.norm(x)) | dim",
    "feed-forward pre-norm mlps.*: self.mlps[index](self.norm(x)) | dim !",
  ]);
});

test("the dense layers of separate output modules end the attention and the feed-forward net", () => {
  check("SelfOutput", ["attention post-norm dense: hidden_states | dim"]);
  check("Output", ["feed-forward post-norm dense: hidden_states | dim"]);
});
