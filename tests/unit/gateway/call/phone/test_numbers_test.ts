import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkPhoneScript } from "../../../../../src/gateway/call/phone/phone_script.ts";
import { scriptOf, testNumbers } from "../../../../../src/gateway/call/phone/test_numbers.ts";
import { DialplanAction, EventType, methods } from "../../../../../src/wire/mod.ts";
import { TestGateway } from "../../../../support/tenant_kit.ts";

/** What a number did: refused with a code, or its events with their times, causes and statuses. */
async function outcome(to: string): Promise<unknown> {
  await using setup = new TestGateway();
  const acme = await setup.addTenant("acme");
  const client = await setup.connect(acme, { clientId: "c" });
  const startMs = setup.clock.now();
  const request = { trunkId: "main", to, clientId: "c", defaultApp: DialplanAction.ANSWER };
  const { reply } = await client.rpc(methods.Originate, request);
  if (reply!.errorCode !== 0) return reply!.errorCode;
  await setup.clock.advance(5_000);
  return client.events.map(({ eventType, status, q850Cause, timestampMs }) => [
    timestampMs - startMs,
    eventType,
    status,
    q850Cause,
  ]);
}

const { CHANNEL_CREATE, CHANNEL_ANSWER, CHANNEL_HANGUP_COMPLETE: ENDS } = EventType;
const dialled = [0, CHANNEL_CREATE, "INITIATED", 0];
const rings = [0, CHANNEL_CREATE, "RINGING", 0];
const answers = [200, CHANNEL_ANSWER, "ANSWERED", 0];

describe("testNumbers", () => {
  it("do what the table of numbers says, with its times and causes", async () => {
    const expected: Readonly<Record<string, unknown>> = {
      "+15550100": [dialled, rings, answers],
      "+15550101": [dialled, [50, ENDS, "BUSY", 17]],
      "+15550102": [dialled, rings, [1_000, ENDS, "NO_ANSWER", 19]],
      "+15550103": [dialled, [50, ENDS, "FAILED", 21]],
      "+15550104": [dialled, [50, ENDS, "FAILED", 1]],
      "+15550105": [dialled, rings, answers, [2_200, ENDS, "COMPLETED", 16]],
      "+15550106": [dialled, rings, answers],
      "+15550107": [dialled, rings, answers],
      "+15550108": 4,
      "+15550109": 3,
      "+4930901820": [dialled, rings, answers],
      "sip:anyone@example.org": [dialled, rings, answers],
    };
    for (const [to, events] of Object.entries(expected)) {
      assert.deepEqual(await outcome(to), events, to);
    }
  });

  it("are scripts that a phone can follow, each with words", () => {
    assert.equal(testNumbers.size, 10);
    for (const [number, { does, script }] of testNumbers) {
      checkPhoneScript(script);
      assert.match(does, /^(answers|is|rings|rejects|does)\b/, number);
    }
  });

  it("is not fooled by names of Object.prototype", () => {
    assert.equal(scriptOf("constructor"), scriptOf("+15550100"));
  });
});
