import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Access } from "../../../../src/gateway/auth/access.ts";
import { type Subscriber, Subscriptions } from "../../../../src/gateway/tenant/subscriptions.ts";
import { seed } from "../../../support/seed.ts";

function subscriber(session: number, scope?: readonly string[], endUser?: string): Subscriber {
  const principal = { scope: scope && new Set(scope), endUser };
  const access = new Access(principal, session);
  return { clientIds: new Set(), access, isLive: true, event() {}, audio() {}, hush() {} };
}

const campaign = { owner: { id: "", space: "" }, isWaiting: false };
const alices = { owner: { id: "user\0alice", space: "user\0alice" }, isWaiting: false };

describe("Subscriptions.newest()", () => {
  it("is the last subscriber that is there and may listen to the call", () => {
    const everyone = [
      ...Array.from({ length: 3 }, (_, i) => subscriber(i)),
      subscriber(3, ["call.listen"]),
      subscriber(4, ["call.dial"], "alice"),
      subscriber(5, ["call.barge"], "alice"),
      subscriber(6, ["call.dial"], "bob"),
    ];
    const step = fc.tuple(fc.boolean(), fc.nat(everyone.length - 1));
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const subscriptions = new Subscriptions();
        let order: Subscriber[] = [];
        for (const [comes, index] of steps) {
          const one = everyone[index]!;
          order = order.filter((other) => other !== one);
          if (comes) {
            subscriptions.add(one, "");
            order.push(one);
          } else subscriptions.remove(one);
          for (const subject of [campaign, alices]) {
            const expected = order.findLast(({ access }) => access.may("listen", subject));
            assert.equal(subscriptions.newest(subject), expected);
          }
        }
      }),
      { seed },
    );
  });
});
