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
          message: new RegExp(
            `^Cannot dial: \`${name}\` is (null|an? [a-z]+), expected a (string|number)$`,
          ),
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
          message: new RegExp(
            `^Cannot start campaign: \`${name}\` is (null|an? [a-z]+), expected a (string|number)$`,
          ),
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

describe("URLs in requests", () => {
  const base = { csvUrl: "https://a.example/x.csv", campaignId: "c", trunkId: "t" };
  const routing = { trunkId: "t", rule: 3 };
  const members = [
    ["dial", dial, "aiWebsocketUrl", ["ws", "wss"]],
    ["dial", dial, "aiQuicUrl", ["quic", "https"]],
    ["bulk", (o: object) => bulkRequest({ ...base, ...o }), "csvUrl", [
      "http",
      "https",
      "data",
      "file",
    ]],
    ["bulk", (o: object) => bulkRequest({ ...base, ...o }), "aiWebsocketUrl", ["ws", "wss"]],
    ["bulk", (o: object) => bulkRequest({ ...base, ...o }), "aiQuicUrl", ["quic", "https"]],
    ["inbound", (o: object) => inboundRoutingRequest({ ...routing, ...o }), "webhookUrl", [
      "http",
      "https",
    ]],
    ["inbound", (o: object) => inboundRoutingRequest({ ...routing, ...o }), "aiWebsocketUrl", [
      "ws",
      "wss",
    ]],
    ["inbound", (o: object) => inboundRoutingRequest({ ...routing, ...o }), "aiQuicUrl", [
      "quic",
      "https",
    ]],
    ["answer", (o: object) => answerRequest({ callSid: "c", ...o }, own), "aiWebsocketUrl", [
      "ws",
      "wss",
    ]],
    ["answer", (o: object) => answerRequest({ callSid: "c", ...o }, own), "aiQuicUrl", [
      "quic",
      "https",
    ]],
  ] as const;

  for (const [request, build, member, schemes] of members) {
    it(`${request}: ${member} takes ${schemes.join(" and ")} as given, and refuses the rest`, () => {
      for (const scheme of ["http", "https", "ws", "wss", "quic", "data", "file", "ftp"]) {
        const url = scheme === "data" ? "data:text/csv,a" : `${scheme}://a.example/x?y=1`;
        if ((schemes as readonly string[]).includes(scheme)) {
          assert.ok(Object.values(build({ [member]: url }) as object).includes(url), scheme);
        } else {
          assert.throws(() => build({ [member]: url }), hasCode("ERR_VALUE_INVALID"), scheme);
        }
      }
      assert.throws(() => build({ [member]: "not a URL" }), hasCode("ERR_VALUE_INVALID"));
      assert.throws(() => build({ [member]: 7 }), { name: "TypeError" });
    });
  }
});

describe("requests", () => {
  it("carry every option as it was given", () => {
    const own = { clientId: "mine" };
    const call = {
      to: "+15550100",
      trunkId: "t",
      callFrom: "+15550199",
      aiWebsocketUrl: "wss://a.example",
      aiQuicUrl: "quic://a.example",
      maxDurationMs: 2 ** 31 - 1,
      callSid: "x".repeat(128),
      defaultApp: 14,
      defaultAppArgs: "args",
      autoBargeIn: true,
      bargeInPatienceMs: 1,
      clientId: "other",
      sessionId: 9,
      agentConfigKey: "key",
      traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
    };
    assert.deepEqual(originateRequest(call, own), call);
    const { to: templateTo, trunkId: templateTrunkId } = call;
    const bulk = {
      ...{ csvUrl: "https://a.example/x.csv", campaignId: "c", callsPerSecond: 3 },
      ...{ maxConcurrentCalls: 4, autoBargeIn: true, bargeInPatienceMs: 5, clientId: "other" },
    };
    assert.deepEqual(bulkRequest({ ...call, ...bulk }), {
      ...bulk,
      templateTo,
      templateTrunkId,
      templateCallFrom: call.callFrom,
      templateAiWebsocketUrl: call.aiWebsocketUrl,
      templateAiQuicUrl: call.aiQuicUrl,
      templateMaxDurationMs: call.maxDurationMs,
      templateDefaultApp: call.defaultApp,
      templateDefaultAppArgs: call.defaultAppArgs,
    });
    const routing = {
      ...{ trunkId: "t", rule: 3, audioUrl: "x", webhookUrl: "http://a.example" },
      ...{ aiWebsocketUrl: "ws://a.example", aiQuicUrl: "https://a.example" },
    };
    assert.deepEqual(inboundRoutingRequest(routing), routing);
    const answer = { callSid: "c", aiWebsocketUrl: "", aiQuicUrl: "", clientId: "other" };
    assert.deepEqual(answerRequest(answer, own), answer);
  });

  it("have a trunk of their own, else the client's, else are refused with what to do", () => {
    const owned = { clientId: "mine", trunkId: "default" };
    assert.equal(originateRequest({ to: "+15550100" }, owned).trunkId, "default");
    assert.equal(originateRequest({ to: "+15550100", trunkId: "t" }, owned).trunkId, "t");
    assert.throws(() => originateRequest({ to: "+15550100" }, own), {
      name: "TypeError",
      message: /`trunkId` is missing.*TELEQUICK_TRUNK/,
    });
  });

  it("take each default app of the protocol, and refuse its near misses", () => {
    for (const defaultApp of [0, 1, 2, 3, 4, 5, 6, 14]) {
      assert.equal((dial({ defaultApp }) as { defaultApp: number }).defaultApp, defaultApp);
    }
    for (const defaultApp of [-1, 0.5, 7, 13, 15, NaN]) {
      assert.throws(() => dial({ defaultApp }), hasCode("ERR_VALUE_INVALID"));
    }
  });

  it("refuse a trace whose ids are all zero, short, long or in capitals", () => {
    const [trace, span] = ["a".repeat(32), "b".repeat(16)];
    for (
      const traceparent of [
        `00-${"0".repeat(32)}-${span}-01`,
        `00-${trace}-${"0".repeat(16)}-01`,
        `00-${trace}-${span}-0`,
        `00-${trace}-${span}-011`,
        `x00-${trace}-${span}-01`,
        `00-${trace.toUpperCase()}-${span}-01`,
      ]
    ) {
      assert.throws(() => dial({ traceparent }), hasCode("ERR_VALUE_INVALID"), traceparent);
    }
  });

  it("quote at most 64 characters of what was given", () => {
    assert.throws(() => dial({ to: "x".repeat(64) }), { message: /"x{64}"/ });
    assert.throws(() => dial({ to: "x".repeat(65) }), { message: /"x{64}\.\.\."/ });
  });

  it("refuse what is not an object, or has a member of another type, by its name", () => {
    for (const wrong of [null, undefined, 1, "x"]) {
      assert.throws(() => bulkRequest(wrong as never), { message: /with `csvUrl`$/ });
      assert.throws(() => inboundRoutingRequest(wrong as never), {
        message: /`trunkId` and `rule`/,
      });
      assert.throws(() => answerRequest(wrong as never, own), { message: /with `callSid`$/ });
    }
    const routing = { trunkId: "t", rule: 0 };
    for (const [name, type] of [["trunkId", "string"], ["rule", "number"]] as const) {
      assert.throws(() => inboundRoutingRequest({ ...routing, [name]: {} } as never), {
        name: "TypeError",
        message: `Cannot set inbound routing: \`${name}\` is an object, expected a ${type}`,
      });
    }
    for (const name of ["csvUrl", "campaignId", "trunkId"] as const) {
      const bulk = { csvUrl: "https://a.example", campaignId: "c", trunkId: "t", [name]: "" };
      assert.throws(() => bulkRequest(bulk), {
        message: `Cannot start campaign: \`${name}\` is empty`,
      });
    }
    for (
      const name of ["maxDurationMs", "bargeInPatienceMs", "callsPerSecond", "maxConcurrentCalls"]
    ) {
      const bulk = { csvUrl: "https://a.example", campaignId: "c", trunkId: "t", [name]: -1 };
      assert.throws(() => bulkRequest(bulk), {
        message: new RegExp(`\`${name}\` is -1, expected`),
      });
    }
    assert.throws(
      () =>
        bulkRequest({ csvUrl: "https://a.example", campaignId: "c", trunkId: "t", defaultApp: 7 }),
      hasCode("ERR_VALUE_INVALID"),
    );
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
      (error: Error) => {
        assert.equal(error.message, "Cannot dial: the gateway answered an unknown error (99)");
        return hasCode("ERR_RPC_REJECTED", 99)(error);
      },
    );
  });
});
