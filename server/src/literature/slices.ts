/** Long work in short slices, so that a hover never waits for it. */

/** Milliseconds of work after which others get their turn. */
const slice = 5;

/** Runs all steps, with pauses between slices of them; the result is what the generator returns. */
export async function inSlices<T>(steps: Generator<undefined, T>): Promise<T> {
  let began = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - began < slice) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    began = performance.now();
  }
}
