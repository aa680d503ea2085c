import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ClientMethods, send } from "../../../../src/client/rpc/methods.ts";
import type { RequestOptions } from "../../../../src/client/rpc/rpc.ts";
import type { Method } from "../../../../src/wire/mod.ts";
import { hasCode } from "../../../support/client_kit.ts";

interface Sent {
  readonly name: string;
  readonly request: unknown;
  readonly options: RequestOptions | undefined;
}

/** The methods, with a gateway that gives one reply. */
class Recorded extends ClientMethods {
  readonly sent: Sent[] = [];
  readonly #reply: unknown;

  constructor(reply: unknown = { errorCode: 0, errorMessage: "" }) {
    super();
    this.#reply = reply;
  }

  [send]<Q, R>(method: Method<Q, R>, request: Partial<Q>, options?: RequestOptions): Promise<R> {
    this.sent.push({ name: method.name, request, options });
    return Promise.resolve(this.#reply as R);
  }
}

const options: RequestOptions = { timeoutMs: 7 };

describe("ClientMethods", () => {
  it("refuses an empty id, and one that is not a string, before anything is sent", async () => {
    const rows: readonly [string, (client: Recorded, id: string) => Promise<unknown>][] = [
      ["Cannot hang up: `callSid`", (client, id) => client.terminate(id)],
      ["Cannot barge in: `callSid`", (client, id) => client.barge(id)],
      ["Cannot abort campaign: `campaignId`", (client, id) => client.abortBulk(id)],
      ["Cannot list incoming calls: `trunkId`", (client, id) => client.getIncomingCalls(id)],
      ["Cannot list bucket: `bucketId`", (client, id) => client.getBucketCalls(id)],
      ["Cannot act on bucket: `bucketId`", (client, id) => client.executeBucketAction(id, 1)],
      ["Cannot run dialplan action: `callSid`", (client, id) => client.executeDialplan(id, 1)],
      ["Cannot run dialplan action: `callSid`", (client, id) => client.hold(id)],
      [
        "Cannot allocate media session: `callSid`",
        (client, id) => client.allocateWt({ callSid: id }),
      ],
    ];
    for (const [start, invoke] of rows) {
      const client = new Recorded({});
      await assert.rejects(invoke(client, ""), (error: Error) => {
        assert.equal(error.message, `${start} is empty`);
        return hasCode("ERR_VALUE_INVALID")(error);
      });
      await assert.rejects(invoke(client, 7 as unknown as string), {
        name: "TypeError",
        message: `${start} is a number, expected a string`,
      });
      assert.deepEqual(client.sent, [], start);
    }
  });

  it("rejects a refusal of every method whose reply has an error code", async () => {
    const rows: readonly ((client: Recorded) => Promise<unknown>)[] = [
      (client) => client.terminate("c"),
      (client) => client.executeDialplan("c", 1),
      (client) => client.allocateWt({ callSid: "c" }),
    ];
    for (const invoke of rows) {
      const client = new Recorded({ errorCode: 3, errorMessage: "too fast" });
      await assert.rejects(invoke(client), hasCode("ERR_RPC_REJECTED", 3));
      assert.equal(client.sent.length, 1);
    }
  });

  it("subscribes to every call of the tenant with no id or an empty one", async () => {
    const client = new Recorded({});
    await client.streamEvents();
    await client.streamEvents("");
    await client.streamEvents("other", options);
    await assert.rejects(client.streamEvents(7 as unknown as string), TypeError);
    assert.deepEqual(client.sent, [
      { name: "StreamEvents", request: { clientId: "" }, options: undefined },
      { name: "StreamEvents", request: { clientId: "" }, options: undefined },
      { name: "StreamEvents", request: { clientId: "other" }, options },
    ]);
  });

  it("allocates a media session with what was given, and empty strings for the rest", async () => {
    const client = new Recorded();
    await assert.rejects(client.allocateWt(null as never), {
      name: "TypeError",
      message: /Cannot allocate media session: expected an object with `callSid`/,
    });
    await client.allocateWt({ callSid: "c" }, options);
    const whole = { callSid: "c", agentId: "a", trunkId: "t", realm: "r" };
    await client.allocateWt(whole);
    assert.deepEqual(client.sent.map(({ request }) => request), [
      { callSid: "c", agentId: "", trunkId: "", realm: "" },
      whole,
    ]);
    assert.equal(client.sent[0]!.options, options);
  });
});
