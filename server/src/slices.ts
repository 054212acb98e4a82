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

/** Milliseconds left to the requests that often follow one: a pointer moves on, a list is asked for beside a hover. */
const courtesy = 10;

/** Milliseconds after which a slice is worked even though requests keep coming. */
const patience = 60;

let latestRequest = -Infinity;

/** Tells background work that somebody waits for answers just now. */
export function requestArrived(): void {
  latestRequest = performance.now();
}

/** Resolves when a slice may be worked. */
async function turn(): Promise<void> {
  const since = performance.now();
  await breathe();
  while (performance.now() < Math.min(latestRequest + courtesy, since + patience))
    await new Promise((resolve) => setTimeout(resolve, courtesy));
}

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
    await (latest = latest.then(turn));
    if (pointless()) return undefined;
    const end = performance.now() + slice;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (performance.now() < end);
  }
}
