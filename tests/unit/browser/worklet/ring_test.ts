import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import fc from "fast-check";
import { Ring } from "../../../../src/browser/worklet/ring.ts";

Deno.test("Ring gives whole positions back as they were written", () => {
  fc.assert(fc.property(
    fc.array(fc.int16Array({ maxLength: 40 }), { maxLength: 20 }),
    (chunks) => {
      const ring = new Ring(1_000);
      for (const chunk of chunks) ring.write(chunk);
      const all = chunks.flatMap((chunk) => [...chunk]);
      equal(ring.end, all.length);
      same(all.map((_, i) => ring.at(i) * 32_768), all);
    },
  ));
});

Deno.test("Ring keeps the newest samples when more are written than it holds", () => {
  const ring = new Ring(256);
  ring.write(Int16Array.from({ length: 1_000 }, (_, i) => i));
  equal(ring.end, 1_000);
  for (let i = 744; i < 1_000; i++) equal(ring.at(i) * 32_768, i);
});

Deno.test("Ring.readableFrom() leaves the two samples that a cubic needs", () => {
  const ring = new Ring(64);
  ring.write(new Int16Array(10));
  equal(ring.readableFrom(0), 8);
  equal(ring.readableFrom(7.5), 1);
  equal(ring.readableFrom(8), 0);
  equal(ring.readableFrom(20), 0);
});

Deno.test("Ring.at() follows a 1 kHz tone between its samples within -70 dB", () => {
  const ring = new Ring(4_096);
  const tone = (position: number): number => Math.sin(2 * Math.PI * 1_000 * position / 48_000);
  ring.write(Int16Array.from({ length: 4_000 }, (_, i) => Math.round(16_384 * tone(i))));
  for (let position = 100; position < 3_900; position += 1.0037) {
    ok(Math.abs(ring.at(position) - tone(position) / 2) < 0.5 * 10 ** (-70 / 20));
  }
});
