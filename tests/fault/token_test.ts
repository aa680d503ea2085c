import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  type AudioLink,
  type Call,
  type CallEvent,
  type ClientStatus,
  decodeToken,
  mintBrowserToken,
  signToken,
  TeleQuickClient,
  type TeleQuickError,
} from "../../mod.ts";
import { clientSetup, hasCode } from "../support/client_kit.ts";
import { settle } from "../../src/testing/mod.ts";
import { testAccount, TestGateway } from "../support/tenant_kit.ts";

const CALLS = 20;

function collect(client: TeleQuickClient): ClientStatus[] {
  const statuses: ClientStatus[] = [];
  void (async () => {
    for await (const status of client.status()) statuses.push(status);
  })();
  return statuses;
}

async function callsUp(
  client: TeleQuickClient,
  setup: TestGateway,
  count = CALLS,
): Promise<Call[]> {
  const calls = await Promise.all(
    Array.from({ length: count }, () => client.dial({ to: "+15550100", trunkId: "main" })),
  );
  await setup.clock.advance(250);
  await Promise.all(calls.map((call) => call.answered()));
  return calls;
}

/** Every call speaks all the time, and what it hears is looked at: each frame once, in order. */
class Conversation {
  readonly #links: AudioLink[];
  readonly #heard: number[][] = [];

  constructor(calls: readonly Call[]) {
    this.#links = calls.map((call) => call.audio({ silence: "send", receiveCapacity: 100_000 }));
    for (const link of this.#links) {
      const numbers: number[] = [];
      this.#heard.push(numbers);
      void (async () => {
        for await (const frame of link.readable) numbers.push(frame.sequenceNumber);
      })();
    }
  }

  /** Checks that no frame was lost or doubled in either direction; what is on its way now counts as there. */
  check(): void {
    for (const [index, link] of this.#links.entries()) {
      const { sent, sendDropped, lost, duplicated, received } = link.stats();
      assert.equal(sendDropped, 0);
      assert.equal(lost, 0);
      assert.equal(duplicated, 0);
      assert.ok(sent - received <= 2, `${received} of ${sent} frames came back`);
      const numbers = this.#heard[index]!;
      assert.equal(new Set(numbers).size, numbers.length);
    }
  }
}

describe("Sessions that outlive tokens and keys", () => {
  it(`F-11 ${CALLS} calls talk through 50 renewals: no call drops, no event twice, no frame lost, no RPC fails`, async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const calls = await callsUp(client, setup);
    const told: CallEvent[] = [];
    void (async () => {
      for await (const event of client.events()) told.push(event);
    })();
    const conversation = new Conversation(calls);
    for (let renewal = 0; renewal < 50; renewal++) {
      const rpc = client.streamEvents(client.clientId);
      await client.renew();
      await rpc;
      await setup.clock.advance(200);
    }
    await setup.clock.advance(2_000);
    conversation.check();
    for (const call of calls) assert.equal(call.state, "answered");
    await Promise.all(calls.map((call) => call.hangUp()));
    await Promise.all(calls.map((call) => call.ended));
    await settle();
    const keys = told.map(({ callSid, eventType }) => `${callSid} ${eventType}`);
    assert.equal(new Set(keys).size, keys.length, "no event twice");
    assert.equal(keys.length, CALLS, "every call's end was reported once");
    assert.equal(client.stats().session.opened, 51);
  });

  it("F-11 the token ends in the middle of calls: the session is renewed before, the calls talk on", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const statuses = collect(client);
    const conversation = new Conversation(await callsUp(client, setup, 2));
    for (let minute = 0; minute < 61; minute++) await setup.clock.advance(60_000);
    conversation.check();
    assert.ok(statuses.some((status) => status.type === "renewing"));
    assert.ok(!statuses.some((status) => status.type === "reconnecting"), "it never broke");
  });

  it("F-11 a token function that throws, hangs, and gives a stale token: reported, tried again for 5 minutes, closed with the right code in the end", async () => {
    await using setup = new TestGateway();
    const account = await setup.addTenant("acme");
    const fresh = await setup.token(account, { lifetimeSeconds: 300 });
    const answers: (() => string | Promise<string>)[] = [
      () => fresh,
      () => Promise.reject(new Error("the vault is sealed")),
      () => new Promise<string>(() => {}),
      () => fresh,
    ];
    let asked = 0;
    const client = new TeleQuickClient(
      "https://gateway.test",
      () => (answers[asked++] ?? (() => fresh))(),
      true,
      { webTransport: setup.gateway.webTransport, clock: setup.clock },
    );
    await client.connect();
    await setup.clock.advance(400_000);
    assert.equal(client.stats().session.status, "reconnecting", "the session ended with its token");
    await setup.clock.advance(300_000);
    assert.ok(asked > 4, "it kept asking");
    assert.equal(client.stats().session.status, "closed");
    await assert.rejects(client.connect(), hasCode("ERR_TOKEN_EXPIRED"));
  });

  it(`F-12 the key is rotated and the old one revoked while ${CALLS} calls are up: none drops`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "telequick-"));
    try {
      await using setup = new TestGateway();
      const old = await setup.addTenant("acme");
      const path = join(folder, "acme.json");
      await writeFile(path, fileText(old.account), { mode: 0o600 });
      const client = new TeleQuickClient("https://gateway.test", path, false, {
        webTransport: setup.gateway.webTransport,
        clock: setup.clock,
      });
      await client.connect();
      const statuses = collect(client);
      const calls = await callsUp(client, setup);
      const conversation = new Conversation(calls);
      // Generate, publish, swap the file, revoke: old and new are valid side by side until the last step.
      const next = await testAccount("acme", "second");
      await setup.gateway.publishServiceAccount({
        tenantId: "acme",
        privateKeyId: next.keyId,
        publicKeyPem: next.publicKeyPem,
      });
      await writeFile(path, fileText(next.account), { mode: 0o600 });
      await setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: old.keyId });
      // No time passes while the client reads the file and signs in again: what it waits for is real, not the clock's.
      for await (const { type } of client.status()) if (type === "open") break;
      await setup.clock.advance(5_000);
      assert.equal(client.stats().session.keyId, next.keyId);
      for (const call of calls) assert.equal(call.state, "answered");
      conversation.check();
      assert.ok(statuses.some((status) => status.type === "renewing"));
      await Promise.all(calls.map((call) => call.hangUp()));
      const closing = client.close();
      await setup.clock.advance(10_000);
      await closing;
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("F-12 the key is revoked and no other is there: the client ends with ERR_UNAUTHORIZED after 5 minutes, and does not loop", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const { keyId } = await testAccount("acme");
    await setup.gateway.revokeServiceAccount({ tenantId: "acme", privateKeyId: keyId });
    // Time passes only where the client waits for it: signing and verifying take real time, which no fake clock knows.
    let attempts = 0;
    for await (const status of client.status()) {
      if (status.type === "renewing") await setup.clock.advance(1_000);
      if (status.type !== "reconnecting") continue;
      attempts++;
      await setup.clock.advance(status.delayMs);
    }
    assert.ok(attempts <= 45, `${attempts} attempts`);
    await assert.rejects(client.connect(), (error: TeleQuickError) => {
      assert.match(error.message, /^Cannot reconnect within 300 s: Cannot sign in: .* as revoked/);
      assert.equal(error.refusal, "revoked");
      return hasCode("ERR_UNAUTHORIZED")(error);
    });
    assert.equal(client.stats().session.opened, 1);
  });

  it("F-09 the clock jumps two hours forward and back: fresh tokens, no storm, pacing unaffected", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const [call] = await callsUp(client, setup);
    const link = call!.audio({ silence: "send" });
    for (const jump of [7_200_000, -7_200_000, 30_000]) {
      const { opened } = client.stats().session;
      const before = link.stats();
      setup.clock.jump(jump);
      await setup.clock.advance(20_000);
      const { sent, sendDropped, slotsMissed } = link.stats();
      assert.ok(client.stats().session.opened - opened <= 2, `at most two mints after ${jump} ms`);
      const paced = sent + sendDropped - before.sent - before.sendDropped;
      assert.ok(Math.abs(paced - 1_000) <= 1, `${paced} frames in 20 s`);
      assert.equal(slotsMissed, 0);
    }
    assert.equal(client.stats().session.status, "open");
    assert.equal(call!.state, "answered");
  });

  for (const skewMs of [-600_000, -240_000, 240_000, 310_000, 600_000]) {
    it(`F-09 a page's clock is ${skewMs / 1_000} s ahead from the start: it signs in with what its backend mints, and renews in time`, async () => {
      await using setup = new TestGateway();
      const { signer } = await setup.addTenant("acme");
      const { clock } = setup;
      const ends: number[] = [];
      const client = new TeleQuickClient(
        "https://gateway.test",
        async () => {
          const token = await mintBrowserToken(signer, { now: clock.now() });
          ends.push(Number(decodeToken(token).claims["exp"]) * 1_000);
          return token;
        },
        true,
        {
          webTransport: setup.gateway.webTransport,
          clock: {
            now: () => clock.now() + skewMs,
            monotonic: () => clock.monotonic(),
            schedule: (ms, callback) => clock.schedule(ms, callback),
          },
        },
      );
      const statuses = collect(client);
      await client.connect();
      assert.equal(client.stats().session.expiresAtMs, ends[0]);
      await clock.advance(600_000);
      const last = statuses.findLast((status) => status.type === "open");
      assert.equal(last?.expiresAtMs, ends.at(-1), "what is shown is the token's own end");
      assert.ok(statuses.some((status) => status.type === "renewing"));
      assert.ok(!statuses.some((status) => status.type === "reconnecting"), "it never broke");
      assert.ok(ends.length <= 16, `${ends.length} tokens in ten minutes`);
      const closing = client.close();
      await clock.advance(10_000);
      await closing;
    });
  }

  it("F-16 misuse has a defined result: twice closed, used after close, closed while connecting", async () => {
    const story = await clientSetup();
    const { client, setup } = story;
    const [call] = await callsUp(client, setup);
    const first = client.close();
    const second = client.close();
    await setup.clock.advance(10_000);
    await Promise.all([first, second]);
    await assert.rejects(
      client.dial({ to: "+15550100", trunkId: "main" }),
      hasCode("ERR_SESSION_CLOSED"),
    );
    await assert.rejects(call!.hangUp(), hasCode("ERR_SESSION_CLOSED"));
    assert.throws(() => call!.audio(), hasCode("ERR_SESSION_CLOSED"));
    const { account } = await testAccount("acme");
    const other = new TeleQuickClient("https://gateway.test", account, false, {
      webTransport: setup.gateway.webTransport,
      clock: setup.clock,
    });
    const connecting = assert.rejects(other.connect(), hasCode("ERR_SESSION_CLOSED"));
    await other.close();
    await connecting;
    await story[Symbol.asyncDispose]();
    assert.equal(setup.clock.pending, 0, "no timer is left");
  });

  it("a token minted before the machine's clock was set is refused by the gateway in words", async () => {
    await using setup = new TestGateway();
    const { signer } = await setup.addTenant("acme");
    const token = await signToken(signer, { now: setup.clock.now() + 3_600_000 });
    const client = new TeleQuickClient("https://gateway.test", () => token, true, {
      webTransport: setup.gateway.webTransport,
      clock: setup.clock,
    });
    await assert.rejects(client.connect(), (error: { refusal?: string }) => {
      hasCode("ERR_UNAUTHORIZED")(error);
      assert.equal(error.refusal, "not yet valid");
      return true;
    });
    await client.close();
  });
});

function fileText(
  account: {
    readonly tenantId: string;
    readonly privateKeyId: string;
    readonly privateKey: string;
  },
): string {
  return JSON.stringify({
    tenant_id: account.tenantId,
    private_key_id: account.privateKeyId,
    private_key: account.privateKey,
  });
}
