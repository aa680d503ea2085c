import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  encodeReply,
  encodeReplyInSteps,
  type Method,
  methods,
  type ReplyOptions,
} from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";
import { valueArbitrary } from "./support/arbitrary.ts";
import type { AnyMessage } from "./support/model.ts";

const table = Object.values<Method<unknown, unknown>>({ ...methods });
const replies = table.filter(({ reply }) => reply !== undefined);

/** Takes every step. Returns the bytes, and how many steps there were. */
function take(
  method: Method<unknown, unknown>,
  value: object,
  options?: ReplyOptions,
): { readonly bytes: Uint8Array; readonly steps: number } {
  const all = encodeReplyInSteps(method, value, options);
  for (let steps = 0;; steps++) {
    const step = all.next();
    if (step.done) return { bytes: step.value, steps };
  }
}

describe("encodeReplyInSteps()", () => {
  it("gives the bytes of encodeReply() for every reply, bare and framed", () => {
    const given = fc.constantFrom(...replies).chain((method) =>
      fc.record({
        method: fc.constant(method),
        value: valueArbitrary(method.reply as AnyMessage),
        missing: fc.nat(7),
        framed: fc.boolean(),
      })
    );
    fc.assert(
      fc.property(given, ({ method, value, missing, framed }) => {
        const some = Object.fromEntries(Object.entries(value).filter((_, i) => i !== missing));
        for (const each of [value, some, {}]) {
          assert.deepEqual(
            Uint8Array.from(take(method, each, { framed }).bytes),
            encodeReply(method, each, { framed }),
          );
        }
      }),
      { seed, numRuns: 500 },
    );
  });

  it("takes a step for each element of a list", () => {
    const call = { callSid: "c", callFrom: "+15550100", startTimestampMs: 1 };
    const calls = Array.from({ length: 100 }, () => call);
    const { bytes, steps } = take(methods.GetIncomingCalls, { calls });
    assert.equal(steps, 100);
    assert.deepEqual(Uint8Array.from(bytes), encodeReply(methods.GetIncomingCalls, { calls }));
  });

  it("takes a step for each part of a long text, and cuts no character in two", () => {
    const emoji = "\u{1f600}";
    for (const shift of ["", "a", "ab"]) {
      for (const unit of ["x", "\u{e9}", emoji]) {
        const callSids = shift + unit.repeat(50_000);
        const { bytes, steps } = take(methods.GetBucketCalls, { callSids });
        assert.ok(steps >= callSids.length / 8_192 && steps <= callSids.length / 8_192 + 2);
        assert.deepEqual(
          Uint8Array.from(bytes),
          encodeReply(methods.GetBucketCalls, { callSids }),
        );
      }
    }
  });

  it("refuses what encodeReply() refuses, in the same words", () => {
    const calls = [{ callSid: "c", callFrom: "f", startTimestampMs: 0.5 }];
    const wrong: readonly (readonly [Method<unknown, unknown>, object])[] = [
      [methods.GetIncomingCalls as Method<unknown, unknown>, { calls }],
      [methods.GetIncomingCalls as Method<unknown, unknown>, { calls: "none" }],
      [methods.GetBucketCalls as Method<unknown, unknown>, { callSids: 1 }],
      [methods.GetBucketCalls as Method<unknown, unknown>, { callSids: null }],
      [methods.GetBucketCalls as Method<unknown, unknown>, { callSids: "\ud800" }],
      [methods.CallEvent as Method<unknown, unknown>, {}],
    ];
    for (const [method, value] of wrong) {
      const failure = (encode: () => unknown): unknown => {
        try {
          encode();
        } catch (error) {
          return [(error as Error).name, (error as Error).message];
        }
        return undefined;
      };
      const expected = failure(() => encodeReply(method, value));
      assert.ok(expected !== undefined);
      assert.deepEqual(failure(() => take(method, value)), expected);
    }
  });
});
