import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../../../mod.ts";
import { FakeClock, settle } from "../../../../src/testing/mod.ts";
import { scriptedGateway } from "../../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../../support/unsigned_token.ts";

// More turns of the event loop's inner queue than a connect in memory takes.
const TURNS = 80;

describe("TeleQuickClient while it connects", () => {
  it("F-16 leaves no session and no timer, whenever it is closed", async () => {
    let sessions = 0;
    for (let turns = 0; turns < TURNS; turns++) {
      const clock = new FakeClock();
      const gateway = scriptedGateway();
      const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
        webTransport: gateway.webTransport,
        clock,
      });
      const connecting = client.connect().catch(() => {});
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
      await connecting;
      assert.equal(clock.pending, 0, `closed after ${turns} turns: a timer is left`);
      sessions += gateway.peers.length;
      for (const { session } of gateway.peers) {
        await settle();
        assert.ok(session.isClosed, `closed after ${turns} turns: a session is left`);
      }
    }
    assert.ok(sessions > 0 && sessions < TURNS, "some came too early for a session");
  });
});
