import { fail, ok } from "node:assert/strict";
import { openRawPage } from "./support/raw_page.ts";
import { until } from "./support/wait.ts";

interface Counts {
  readonly sent: number;
  readonly lateTicks: number;
  /** What the microphone gave, in frames of 20 ms. */
  readonly captured: number;
}

const HIDDEN_MS = 20_000;
const VISIBLE_MS = 3_000;
const ATTEMPTS = 3;

// A page that is seen sends so much on a quiet machine.
const QUIET = 0.995;

interface Count extends Counts {
  readonly log: string[];
  /** The part of its frames that the page sent while it was seen: less than all where the machine is busy. */
  readonly seen: number;
}

/** Hides a page for 20 s in which its far end is silent. What was sent is compared with what the microphone gave. */
async function countHidden(withClock: boolean): Promise<Count> {
  await using page = await openRawPage();
  await page.click();
  await page.call("open", {});
  await page.call("dial", { to: "+15550100", withClock });
  // A page that is heard is not held back.
  await page.call("setVolume", 0);
  const count = async (): Promise<Counts> => {
    const { sent, lateTicks } = await page.call<Counts>("clientStats");
    const { capturedMs } = await page.call<{ capturedMs: number }>("stats");
    return { sent, lateTicks, captured: capturedMs / 20 };
  };
  const during = async (ms: number): Promise<Counts> => {
    const before = await count();
    const after = await until(
      count,
      ({ captured }) => captured >= before.captured + ms / 20,
      4 * ms,
    );
    return {
      sent: after.sent - before.sent,
      lateTicks: after.lateTicks - before.lateTicks,
      captured: after.captured - before.captured,
    };
  };
  const visible = await during(VISIBLE_MS);
  await page.hide();
  const hidden = await during(HIDDEN_MS);
  return { ...hidden, seen: visible.sent / visible.captured, log: await page.call("log") };
}

for (const withClock of [true, false]) {
  const name = withClock ? "with audio.clock" : "without it";
  Deno.test(`a hidden page ${name} sends at least 99 % of its frames`, async () => {
    // Other programs cost frames too, hidden or not: where a page that is seen loses some, a hidden one loses no more than that.
    const tried: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { sent, captured, lateTicks, log, seen } = await countHidden(withClock);
      if (!withClock) {
        ok(lateTicks > 0 && log.includes("audio.timers-throttled"), "it says that timers are late");
      }
      const least = seen >= QUIET ? 0.99 : 0.9 * seen;
      tried.push(`${sent} of ${captured}, ${lateTicks} late ticks, ${seen.toFixed(3)} when seen`);
      if (sent >= least * captured) return;
    }
    fail(tried.join("; "));
  });
}
