import { fail, ok } from "node:assert/strict";
import { openRawPage } from "./support/raw_page.ts";
import { until } from "./support/wait.ts";

interface Counts {
  readonly sent: number;
  readonly slotsMissed: number;
  readonly lateTicks: number;
  /** What the microphone gave, in frames of 20 ms. */
  readonly captured: number;
}

const HIDDEN_MS = 20_000;
const ATTEMPTS = 3;

/** Hides a page for 20 s in which its far end is silent. What was sent is compared with what the microphone gave: the load is the same. */
async function countHidden(withClock: boolean): Promise<Counts & { readonly log: string[] }> {
  await using page = await openRawPage();
  await page.click();
  await page.call("open", {});
  await page.call("dial", { to: "+15550100", withClock });
  // A page that is heard is not held back.
  await page.call("setVolume", 0);
  const count = async (): Promise<Counts> => {
    const { sent, slotsMissed, lateTicks } = await page.call<Counts>("clientStats");
    const { capturedMs } = await page.call<{ capturedMs: number }>("stats");
    return { sent, slotsMissed, lateTicks, captured: capturedMs / 20 };
  };
  await page.hide();
  const before = await count();
  const after = await until(
    count,
    ({ captured }) => captured >= before.captured + HIDDEN_MS / 20,
    4 * HIDDEN_MS,
  );
  return {
    sent: after.sent - before.sent,
    slotsMissed: after.slotsMissed - before.slotsMissed,
    lateTicks: after.lateTicks - before.lateTicks,
    captured: after.captured - before.captured,
    log: await page.call("log"),
  };
}

Deno.test("a hidden page whose client uses audio.clock sends at least 99 % of its frames", async () => {
  // Another program that takes the machine for 60 ms costs frames too: what is asked is whether a hidden page can.
  const seen: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { sent, captured, lateTicks } = await countHidden(true);
    seen.push(`${sent} of ${captured}, ${lateTicks} late ticks`);
    if (sent >= 0.99 * captured && lateTicks === 0) return;
  }
  fail(seen.join("; "));
});

Deno.test("a hidden page without it sends a part of them, and says why", async () => {
  const { sent, captured, slotsMissed, lateTicks, log } = await countHidden(false);
  ok(sent < 0.9 * captured, `${sent} of ${captured}`);
  ok(slotsMissed > 0 && lateTicks > 0);
  ok(log.includes("audio.timers-throttled"));
});
