import assert from "node:assert/strict";
import { stat } from "node:fs";
import { test } from "node:test";
import { inSlices, requestArrived } from "../../server/src/slices";

/** Steps of which each is longer than a slice. */
function* longSteps(count: number, done: { steps: number }): Generator<undefined, string> {
  for (let step = 0; step < count; step++) {
    const end = performance.now() + 4;
    while (performance.now() < end);
    done.steps++;
    yield;
  }
  return "finished";
}

test("what arrives while several long works go on is taken in between two slices", async () => {
  const done = { steps: 0 };
  const arrived = new Promise<number>((resolve) => stat(".", () => resolve(done.steps)));
  const all = Promise.all([longSteps(40, done), longSteps(40, done)].map((steps) => inSlices(steps)));
  assert.ok((await arrived) < 60, `only after ${await arrived} of 80 steps`);
  assert.deepEqual(await all, ["finished", "finished"]);
});

test("a callback chain as long as a request's is through before the next slice", async () => {
  const done = { steps: 0 };
  const all = inSlices(longSteps(5, done));
  while (done.steps === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(done.steps, 1);
  await all;
});

test("work that has become pointless goes no further than its slice", async () => {
  const done = { steps: 0 };
  assert.equal(await inSlices(longSteps(40, done), () => done.steps >= 2), undefined);
  assert.equal(done.steps, 2);
});

test("while requests keep coming, background work is done now and then, and all of it in the end", async () => {
  const done = { steps: 0 };
  let requests = 0;
  const all = inSlices(longSteps(5, done));
  while (done.steps < 3) {
    requestArrived();
    requests++;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(requests > 3 * 3, `three slices between ${requests} requests`);
  assert.equal(await all, "finished");
});
