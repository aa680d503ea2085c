import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventHub } from "../../../../src/client/call/event_hub.ts";
import { CallEvent } from "../../../../src/wire/mod.ts";

const blank = CallEvent.decode(CallEvent.encode({}));

function event(callSid: string, timestampMs: number): CallEvent {
  return { ...blank, callSid, eventType: 4, status: "HELD", timestampMs };
}

/** A sink that notes the times of what it gets. */
function sink(): { readonly times: number[]; deliver(event: CallEvent): void } {
  const times: number[] = [];
  return { times, deliver: ({ timestampMs }) => times.push(timestampMs) };
}

describe("EventHub", () => {
  it("delivers each of many events of one call once, however many came before its double", () => {
    const hub = new EventHub();
    const call = sink();
    hub.register("a", call);
    for (let n = 0; n < 300; n++) {
      hub.accept(event("a", n));
      // The session before says its last ones again.
      for (let back = 0; back < 10 && n >= back; back++) hub.accept(event("a", n - back));
    }
    assert.deepEqual(call.times, Array.from({ length: 300 }, (_, n) => n));
  });

  it("remembers the events of a long call while thousands of others come and go", () => {
    const hub = new EventHub();
    const call = sink();
    hub.register("long", call);
    for (let n = 0; n < 10_000; n++) {
      if (n % 1_000 === 0) hub.accept(event("long", n));
      hub.accept(event(`other-${n}`, n));
      if (n % 1_000 === 0) hub.accept(event("long", n));
    }
    hub.accept(event("long", 9_000));
    assert.equal(call.times.length, 10);
  });

  it("keeps a bounded number of events for calls that are not registered, the newest", () => {
    const hub = new EventHub();
    for (let n = 0; n < 64 * 200; n++) hub.accept(event(`call-${n >> 6}`, n));
    let kept = 0;
    for (let n = 0; n < 200; n++) {
      const call = sink();
      hub.register(`call-${n}`, call);
      kept += call.times.length;
      if (n === 199) assert.equal(call.times.length, 64);
    }
    assert.equal(kept, 4_096);
    // Taken out, they no longer count: as many fit again.
    for (let n = 0; n < 64; n++) hub.accept(event("late", n));
    const late = sink();
    hub.register("late", late);
    assert.equal(late.times.length, 64);
  });

  it("unregisters a sink only if it is the one that is registered", () => {
    const hub = new EventHub();
    const [first, second] = [sink(), sink()];
    hub.register("a", first);
    hub.register("a", second);
    hub.unregister("a", first);
    hub.accept(event("a", 1));
    assert.deepEqual(second.times, [1]);
    hub.unregister("a", second);
    hub.accept(event("a", 2));
    assert.deepEqual(second.times, [1]);
  });

  it("takes nothing more after its end", () => {
    const hub = new EventHub();
    hub.end(undefined);
    hub.accept(event("a", 1));
    const call = sink();
    hub.register("a", call);
    assert.deepEqual(call.times, []);
    assert.deepEqual(hub.counts(), { received: 0, duplicated: 0 });
  });
});
