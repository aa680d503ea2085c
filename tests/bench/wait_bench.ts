import {
  bounded,
  type Cancellation,
  Canceller,
  SharedClock,
  systemClock,
  within,
} from "../../src/base/signal.ts";
import { cpuMicroseconds, percentile, scenario } from "./support/scenario.ts";

const COUNT = 20_000;
const ROUNDS = 9;
const timeoutMs = 10_000;
const onTimeout = (): Error => new Error("timeout");

/** Work that listens for its end and settles at once, as a request on an open session does. */
async function work(over: Cancellation): Promise<void> {
  const listener = (): void => {};
  over.addEventListener("abort", listener);
  await undefined;
  over.removeEventListener("abort", listener);
}

// What src/base/signal.ts keeps beside the platform's own means, and why: every request waits under a deadline and its session's end.
scenario({
  name: "wait: a request's deadline and cancellation",
  async run() {
    const shared = new SharedClock(systemClock);
    const canceller = new Canceller();
    const { signal } = new AbortController();
    const ways = {
      ours: () => bounded(work, { timeoutMs, onTimeout, clock: shared, lost: canceller }),
      "a timer each": () => bounded(work, { timeoutMs, onTimeout, lost: canceller }),
      "AbortController each": () =>
        within(work, { timeoutMs, onTimeout, clock: shared, lost: signal }),
    };
    const samples = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
    for (let round = -1; round < ROUNDS; round++) {
      for (const [name, wait] of Object.entries(ways)) {
        const before = cpuMicroseconds();
        for (let i = 0; i < COUNT; i++) await wait();
        if (round >= 0) samples.get(name)!.push((cpuMicroseconds() - before) / COUNT);
      }
    }
    shared.stop();
    const [ours = 0, timers = 0, controllers = 0] = [...samples.values()].map((each) =>
      percentile(each, 0.5)
    );
    return [
      { what: "ours", value: ours, unit: "us" },
      { what: "a timer each, times ours", value: timers / ours, unit: "x" },
      { what: "an AbortController each, times ours", value: controllers / ours, unit: "x" },
    ];
  },
});
