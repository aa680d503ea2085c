import { ok, strictEqual as equal } from "node:assert/strict";
import { PlaybackController } from "../../../../src/browser/worklet/controller.ts";

const perMs = 48;

function controller(): PlaybackController {
  return new PlaybackController({ sampleRate: 48_000, slackMs: 30 });
}

/** A second in which the level never falls below `leastMs`. Returns what was to be skipped, in milliseconds. */
function second(of: PlaybackController, leastMs: number): number {
  let skipped = 0;
  for (let i = 0; i < 100; i++) {
    skipped += of.observe((i === 50 ? leastMs : leastMs + 20) * perMs, 480);
  }
  return skipped / perMs;
}

Deno.test("PlaybackController plays at 1 while the least level is the slack", () => {
  const steady = controller();
  second(steady, 30);
  equal(steady.rate, 1);
});

Deno.test("PlaybackController makes good an error in two seconds, at 1 % at most", () => {
  const steady = controller();
  second(steady, 40);
  ok(Math.abs(steady.rate - 1.005) < 1e-9);
  second(steady, 80);
  equal(steady.rate, 1.01);
  second(steady, 0);
  equal(steady.rate, 0.99);
});

Deno.test("PlaybackController skips what two seconds in sequence had too much of", () => {
  const steady = controller();
  equal(second(steady, 300), 0);
  equal(second(steady, 200), 170);
  equal(steady.rate, 1);
  equal(second(steady, 300), 0);
});

Deno.test("PlaybackController skips nothing when one of two seconds was short", () => {
  const steady = controller();
  for (let i = 0; i < 5; i++) {
    equal(second(steady, 130), 0);
    equal(second(steady, 30), 0);
  }
});

Deno.test("PlaybackController adds slack with each underrun, and takes it back 1 ms a second", () => {
  const steady = controller();
  steady.underrun();
  equal(steady.slack / perMs, 50);
  for (let i = 0; i < 10; i++) steady.underrun();
  equal(steady.slack / perMs, 120);
  for (let i = 0; i < 40; i++) second(steady, 100);
  equal(steady.slack / perMs, 80);
  for (let i = 0; i < 100; i++) second(steady, 100);
  equal(steady.slack / perMs, 30);
});
