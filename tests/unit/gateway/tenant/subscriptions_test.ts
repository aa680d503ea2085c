import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Subscriber, Subscriptions } from "../../../../src/gateway/tenant/subscriptions.ts";
import { seed } from "../../../support/seed.ts";

function subscriber(): Subscriber {
  return { clientIds: new Set(), isLive: true, event() {}, audio() {}, hush() {} };
}

describe("Subscriptions.newest()", () => {
  it("is who subscribed last of those that are there", () => {
    const everybody = Array.from({ length: 4 }, subscriber);
    const step = fc.tuple(fc.boolean(), fc.nat(everybody.length - 1));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const subscriptions = new Subscriptions();
        let order: Subscriber[] = [];
        for (const [comes, index] of steps) {
          const one = everybody[index]!;
          order = order.filter((other) => other !== one);
          if (comes) {
            subscriptions.add(one, "");
            order.push(one);
          } else subscriptions.remove(one);
          assert.equal(subscriptions.newest(), order.at(-1));
        }
      }),
      { seed },
    );
  });
});
