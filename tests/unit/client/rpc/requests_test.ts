import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DialOptions, ErrorCode, TeleQuickError } from "../../../../mod.ts";
import {
  accepted,
  answerRequest,
  bulkRequest,
  inboundRoutingRequest,
  originateRequest,
} from "../../../../src/client/rpc/requests.ts";
import { hasCode } from "../../../support/client_kit.ts";

const own = { clientId: "mine" };
const dial = (options: object): unknown =>
  originateRequest({ to: "+15550100", trunkId: "t", ...options } as DialOptions, own);

describe("originateRequest()", () => {
  it("fills in the defaults of the protocol", () => {
    const { callSid, ...request } = originateRequest({ to: "+15550100", trunkId: "t" }, own);
    assert.match(callSid, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.deepEqual(request, {
      trunkId: "t",
      to: "+15550100",
      callFrom: "",
      aiWebsocketUrl: "",
      aiQuicUrl: "",
      maxDurationMs: 0,
      defaultApp: 1,
      defaultAppArgs: "",
      autoBargeIn: false,
      bargeInPatienceMs: 250,
      clientId: "mine",
      sessionId: 0,
      agentConfigKey: "",
      traceparent: "",
    });
  });

  it("keeps a real 0 of patience, an id of the caller's, a trace", () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const given = { bargeInPatienceMs: 0, callSid: "c", clientId: "other", traceparent };
    const request = originateRequest({ to: "sip:a@b.example", trunkId: "t", ...given }, own);
    assert.equal(request.bargeInPatienceMs, 0);
    assert.equal(request.callSid, "c");
    assert.equal(request.clientId, "other");
    assert.equal(request.traceparent, traceparent);
  });

  for (
    const to of [
      "",
      "15550100",
      "+",
      "+0123",
      "+1234567890123456",
      "tel:+1",
      "sip:",
      "sip:host",
      "sip:a b@c",
    ]
  ) {
    it(`refuses to call ${JSON.stringify(to)}`, () => {
      assert.throws(() => dial({ to }), hasCode("ERR_VALUE_INVALID"));
    });
  }

  for (const to of ["+15550100", "+491511234567", "sip:alice@example.com", "sips:a@b:5061"]) {
    it(`takes ${to}`, () => {
      assert.doesNotThrow(() => dial({ to }));
    });
  }

  it("refuses values out of range, each by its name", () => {
    for (
      const [options, name] of [
        [{ maxDurationMs: -1 }, "maxDurationMs"],
        [{ maxDurationMs: 2 ** 31 }, "maxDurationMs"],
        [{ maxDurationMs: 1.5 }, "maxDurationMs"],
        [{ bargeInPatienceMs: NaN }, "bargeInPatienceMs"],
        [{ defaultApp: 7 }, "defaultApp"],
        [{ defaultApp: 13 }, "defaultApp"],
        [{ callSid: "" }, "callSid"],
        [{ callSid: "a b" }, "callSid"],
        [{ callSid: "-a" }, "callSid"],
        [{ callSid: "x".repeat(129) }, "callSid"],
        [{ traceparent: "00-0-0-01" }, "traceparent"],
        [{ aiWebsocketUrl: "https://a.example" }, "aiWebsocketUrl"],
        [{ aiQuicUrl: "ws://a.example" }, "aiQuicUrl"],
        [{ trunkId: "" }, "trunkId"],
      ] as const
    ) {
      assert.throws(() => dial(options), (error: Error) => {
        hasCode("ERR_VALUE_INVALID")(error);
        assert.match(error.message, new RegExp(name));
        return true;
      });
    }
  });

  it("does not repeat a URL that may carry a secret", () => {
    for (const user of ["user:canary-4711", ":canary-4711", "canary-4711"]) {
      const aiWebsocketUrl = `wss://${user}@a.example`;
      assert.throws(() => dial({ aiWebsocketUrl }), (error: Error) => {
        hasCode("ERR_VALUE_INVALID")(error);
        return !/canary/.test(error.message);
      });
    }
  });

  it("throws TypeError for wrong types", () => {
    assert.throws(() => originateRequest(null as unknown as DialOptions, own), TypeError);
    const names = [
      "to",
      "maxDurationMs",
      "defaultApp",
      "aiWebsocketUrl",
      "aiQuicUrl",
      "traceparent",
    ];
    for (const name of names) {
      for (const wrong of [null, {}, Symbol("wrong"), 1n]) {
        assert.throws(() => dial({ [name]: wrong }), {
          name: "TypeError",
          message: new RegExp(`^Cannot dial: \`${name}\` must be a (string|number)$`),
        }, name);
      }
    }
  });
});

describe("bulkRequest()", () => {
  const base = { csvUrl: "https://a.example/x.csv", campaignId: "c", trunkId: "t" };

  it("leaves out the tail that older gateways do not know, unless it is asked for", () => {
    const request = bulkRequest(base);
    assert.equal("autoBargeIn" in request, false);
    assert.equal("clientId" in request, false);
    assert.equal(request.callsPerSecond, 1);
    assert.equal(request.maxConcurrentCalls, 10);
    assert.equal(bulkRequest({ ...base, bargeInPatienceMs: 0 }).bargeInPatienceMs, 0);
  });

  it("throws TypeError for wrong types", () => {
    for (const name of ["csvUrl", "campaignId", "trunkId", "to", "defaultApp", "callsPerSecond"]) {
      for (const wrong of [null, {}, Symbol("wrong"), 1n]) {
        assert.throws(() => bulkRequest({ ...base, [name]: wrong }), {
          name: "TypeError",
          message: new RegExp(`^Cannot start campaign: \`${name}\` must be a (string|number)$`),
        }, name);
      }
    }
  });

  it("refuses other schemes than a gateway could fetch", () => {
    assert.throws(
      () => bulkRequest({ ...base, csvUrl: "gopher://a.example" }),
      hasCode("ERR_VALUE_INVALID"),
    );
    assert.throws(() => bulkRequest({ ...base, to: "x" }), hasCode("ERR_VALUE_INVALID"));
  });
});

describe("inboundRoutingRequest() and answerRequest()", () => {
  it("take what the protocol names, and refuse the rest", () => {
    assert.equal(inboundRoutingRequest({ trunkId: "t", rule: 0 }).rule, 0);
    assert.throws(
      () => inboundRoutingRequest({ trunkId: "t", rule: 4 }),
      hasCode("ERR_VALUE_INVALID"),
    );
    assert.throws(
      () => inboundRoutingRequest({ trunkId: "t", rule: 2, webhookUrl: "ftp://a" }),
      hasCode("ERR_VALUE_INVALID"),
    );
    assert.deepEqual(answerRequest({ callSid: "c" }, own), {
      callSid: "c",
      aiWebsocketUrl: "",
      aiQuicUrl: "",
      clientId: "mine",
    });
    assert.throws(() => answerRequest({ callSid: "" }, own), hasCode("ERR_VALUE_INVALID"));
  });
});

describe("accepted()", () => {
  it("passes a reply without an error", () => {
    const reply = { errorCode: 0, errorMessage: "" };
    assert.equal(accepted("dial", reply), reply);
  });

  for (const [name, errorCode] of Object.entries(ErrorCode)) {
    if (errorCode === ErrorCode.SUCCESS) continue;
    it(`rejects ${name} with its code, its name and the gateway's words`, () => {
      assert.throws(
        () => accepted("dial", { errorCode, errorMessage: "because" }),
        (error: unknown) => {
          assert.ok(error instanceof TeleQuickError);
          assert.equal(error.code, "ERR_RPC_REJECTED");
          assert.equal(error.rpcCode, errorCode);
          assert.equal(error.retryable, [3, 4, 5].includes(errorCode));
          assert.match(error.message, new RegExp(`${name}.*because`));
          return true;
        },
      );
    });
  }

  it("keeps a code that it does not know", () => {
    assert.throws(
      () => accepted("dial", { errorCode: 99, errorMessage: "" }),
      hasCode("ERR_RPC_REJECTED", 99),
    );
  });
});
