import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type GatewayOptions, parsePhoneScripts } from "../../../../../src/gateway/mod.ts";
import { DialplanAction, InboundRule, methods } from "../../../../../src/wire/mod.ts";
import type { RawClient } from "../../../../support/raw_client.ts";
import { TestGateway } from "../../../../support/tenant_kit.ts";

/** A call to a scripted phone, and a gateway that reads its script from JSON. */
async function dialled(
  steps: readonly unknown[],
  options: GatewayOptions = {},
  defaultApp: number = DialplanAction.ANSWER,
): Promise<{ readonly setup: TestGateway; readonly client: RawClient }> {
  const text = JSON.stringify({ numbers: { "+15550142": steps } });
  const { farEnd } = await parsePhoneScripts(text);
  const setup = new TestGateway({ farEnd, ...options } as GatewayOptions & { clock?: never });
  const acme = await setup.addTenant("acme");
  const client = await setup.connect(acme, { clientId: "c" });
  await client.rpc(methods.Originate, {
    ...{ trunkId: "main", to: "+15550142", callSid: "call", clientId: "c" },
    defaultApp,
  });
  return { setup, client };
}

/** How many milliseconds of audio have arrived. */
const heardMs = ({ audio }: RawClient): number =>
  audio.filter(({ endOfStream }) => !endOfStream).length * 20;

describe("a scripted phone", () => {
  it("begins a step with atMs so long after the answer, and what follows after it", async () => {
    const { setup, client } = await dialled([
      { type: "ring", ms: 500 },
      { type: "answer" },
      { type: "talk", atMs: 3_200, ms: 800 },
      { type: "press", digits: "1", atMs: 5_000 },
      { type: "hangUp", atMs: 6_000, q850Cause: 31 },
    ]);
    await setup.clock.advance(3_690);
    assert.equal(heardMs(client), 0);
    await setup.clock.advance(10);
    assert.equal(heardMs(client), 20, "the first frame at 3,200 ms after the answer");
    await setup.clock.advance(1_000);
    assert.equal(heardMs(client), 800);
    await setup.clock.advance(799);
    assert.equal(heardMs(client), 800);
    await setup.clock.advance(1);
    assert.equal(heardMs(client), 820);
    await setup.clock.advance(999);
    assert.equal(client.events.at(-1)!.status, "ANSWERED");
    assert.equal(heardMs(client), 1_000);
    await setup.clock.advance(1);
    const { status, q850Cause } = client.events.at(-1)!;
    assert.deepEqual([status, q850Cause], ["COMPLETED", 31]);
    await setup[Symbol.asyncDispose]();
  });

  it("begins a step at once whose time has passed", async () => {
    const { setup, client } = await dialled([
      { type: "answer" },
      { type: "talk", ms: 400 },
      { type: "talk", atMs: 100, ms: 200 },
    ]);
    await setup.clock.advance(2_000);
    assert.equal(heardMs(client), 600);
    await setup[Symbol.asyncDispose]();
  });

  it("echoes, also over a bad line, and plays a tone until a barge", async () => {
    const { setup, client } = await dialled([
      { type: "answer" },
      { type: "tone" },
      { type: "wait", ms: 1_000 },
      { type: "echo", lossy: true },
    ]);
    await setup.clock.advance(500);
    const before = heardMs(client);
    assert.ok(before >= 480 && before <= 520, `${before} ms of the tone`);
    await client.rpc(methods.Barge, { callSid: "call" });
    await setup.clock.advance(500);
    assert.equal(heardMs(client), before);
    const audio = await client.openAudio();
    for (let sequenceNumber = 0; sequenceNumber < 100; sequenceNumber++) {
      const payload = new Uint8Array(160);
      await audio.send({ callSid: "call", payload, codec: "PCMU", sequenceNumber });
    }
    await setup.clock.advance(0);
    const echoed = (heardMs(client) - before) / 20;
    assert.ok(echoed === 90 || echoed === 89, `${echoed} of 100, the last one can be held back`);
    await setup[Symbol.asyncDispose]();
  });

  it("counts atMs of a call that comes in from its answer by the tenant", async () => {
    const { farEnd } = await parsePhoneScripts(
      JSON.stringify({
        numbers: { "+15550142": [{ type: "answer" }, { type: "talk", atMs: 300, ms: 100 }] },
      }),
    );
    await using setup = new TestGateway({ farEnd });
    const acme = await setup.addTenant("acme");
    const client = await setup.connect(acme, { clientId: "c" });
    const rule = { rejectIncomingCalls: false, inboundRule: InboundRule.NOTIFY_AND_HANGUP };
    await setup.gateway.addTrunk({ tenantId: "acme", trunkId: "main", ...rule });
    const { callSid } = await setup.gateway.simulateInboundCall({
      ...{ tenantId: "acme", trunkId: "main", from: "+15550142" },
    });
    await setup.clock.advance(5_000);
    await client.rpc(methods.AnswerIncomingCall, { callSid, clientId: "c" });
    await setup.clock.advance(299);
    assert.equal(heardMs(client), 0);
    await setup.clock.advance(500);
    assert.equal(heardMs(client), 100);
  });

  it("stops with its call where the dialplan put a loopback in its place, and with the gateway", async () => {
    const script = [{ type: "answer" }, { type: "talk", ms: 600_000 }];
    for (const end of ["hang up", "close"]) {
      const { setup, client } = await dialled(script, {}, DialplanAction.LOOPBACK);
      await setup.clock.advance(100);
      if (end === "hang up") {
        const running = setup.clock.pending;
        await client.rpc(methods.Terminate, { callSid: "call" });
        await setup.clock.advance(40);
        assert.equal(setup.clock.pending, running - 1, "its ticks have ended");
      }
      await setup[Symbol.asyncDispose]();
      assert.equal(setup.clock.pending, 0, end);
    }
  });

  it("says nothing after the dialplan has put an echo in its place", async () => {
    const { setup, client } = await dialled([
      { type: "answer" },
      { type: "wait", ms: 100 },
      { type: "talk", ms: 1_000 },
      { type: "hangUp" },
    ]);
    await client.rpc(methods.ExecuteDialplan, {
      callSid: "call",
      action: DialplanAction.LOOPBACK,
    });
    await setup.clock.advance(1_050);
    assert.equal(heardMs(client), 0);
    await setup.clock.advance(100);
    assert.equal(client.events.at(-1)!.status, "COMPLETED", "and hangs up all the same");
    await setup[Symbol.asyncDispose]();
  });
});
