/** Long work in short slices, so that a hover never waits for it. */

/** Milliseconds of work after which others get their turn. */
const slice = 3;

/** A request is read in one turn of the event loop, queued in the next, answered in a third, and its answer written. */
const turns = 4;

/** In Node, a timer of no time is called again and again before anything that has arrived is read. */
const breathe: () => Promise<void> =
  "setImmediate" in globalThis
    ? async () => {
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      }
    : () => new Promise((resolve) => setTimeout(resolve, 0));

/** The slices of all work follow one another: two at once would take twice as long from a hover. */
let latest = Promise.resolve();

/** Runs all steps, with pauses between slices of them; the result is what the generator returns. */
export async function inSlices<T>(steps: Generator<undefined, T>): Promise<T>;
/** Gives up, undefined, after the slice in which the work has become `pointless`. */
export async function inSlices<T>(
  steps: Generator<undefined, T>,
  pointless: () => boolean,
): Promise<T | undefined>;
export async function inSlices<T>(
  steps: Generator<undefined, T>,
  pointless = (): boolean => false,
): Promise<T | undefined> {
  for (;;) {
    await (latest = latest.then(breathe));
    if (pointless()) return undefined;
    const end = performance.now() + slice;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
  }
}
