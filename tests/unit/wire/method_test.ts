import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { messages, type Method, methodById, methods, pushById } from "../../../src/wire/mod.ts";

const table = Object.values<Method<unknown, unknown>>({ ...methods });

/** CRC-32 as IEEE 802.3 and zlib have it. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of new TextEncoder().encode(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** The derivation of ids, section 5 of src/wire/PROTOCOL.md. */
function idByFormula(method: string, request: string, reply: string): number {
  const space = "clutchcall::api:";
  const name = (type: string) => `${space}:${type}`;
  const service = crc32(`${space}clutchcall`);
  return (service ^ crc32(method + space + name(request) + space + name(reply))) >>> 0;
}

describe("methods", () => {
  it("hold every method that is declared beside its messages", () => {
    const declared = Object.values<unknown>(messages).filter((value) =>
      typeof value === "object" && value !== null && "request" in value
    );
    assert.deepEqual(new Set(table), new Set(declared));
  });

  it("have the ids that the formula gives", () => {
    assert.equal(crc32("123456789"), 0xcbf43926);
    const derived = [
      "Originate",
      "OriginateBulk",
      "AbortBulk",
      "Terminate",
      "SetInboundRouting",
      "GetIncomingCalls",
      "AnswerIncomingCall",
      "GetActiveBuckets",
      "GetBucketCalls",
      "ExecuteBucketAction",
      "ExecuteDialplan",
      "Barge",
      "Authenticate",
    ] as const;
    for (const name of derived) {
      const { id, request, reply } = methods[name];
      assert.equal(id, idByFormula(name, request.name, reply!.name), name);
    }
  });

  it("have the id that the formula gives for StreamEvents with CallEvent as its reply", () => {
    const id = idByFormula("StreamEvents", "EventStreamRequest", "CallEvent");
    assert.equal(methods.StreamEvents.id, id);
    assert.equal(methods.CallEvent.id, id);
  });

  it("have an id for SessionEnding by the formula, with Empty as its reply", () => {
    assert.equal(methods.SessionEnding.id, idByFormula("SessionEnding", "SessionEnding", "Empty"));
  });

  it("have the published ids that no formula gives", () => {
    assert.equal(methods.AudioFrame.id, 2991054320);
    assert.equal(methods.AllocateWt.id, 1763028449);
    assert.equal(methods.SuperviseSubscribe.id, 2856173042);
  });

  it("have the CRC-32 of their names as admin ids", () => {
    const admin = [
      "AddTrunk",
      "UpdateTrunk",
      "RemoveTrunk",
      "GetTrunk",
      "ReloadCertificates",
      "SessionAuth",
      "PublishServiceAccount",
      "RevokeServiceAccount",
      "BootstrapOrg",
    ] as const;
    for (const name of admin) assert.equal(methods[name].id, crc32(name), name);
  });

  it("are named by their keys, and their ids differ within requests and within pushes", () => {
    for (const [name, method] of Object.entries(methods)) assert.equal(method.name, name);
    for (const isPush of [false, true]) {
      const ids = table.filter(({ reply }) => (reply === undefined) === isPush).map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    }
  });

  it("have ids whose low half is high enough to tell a framed reply from a bare one", () => {
    for (const { id, name } of table) assert.ok((id & 0xffff) > 16, name);
  });
});

describe("methodById()", () => {
  it("finds every request and no push", () => {
    for (const method of table) {
      if (method.reply !== undefined) assert.equal(methodById(method.id), method);
    }
    assert.equal(methodById(methods.AudioFrame.id), undefined);
    assert.equal(methodById(methods.CallEvent.id), methods.StreamEvents);
  });

  it("knows the ids that other sources have", () => {
    assert.equal(methodById(3514036100), methods.ExecuteDialplan);
    assert.equal(
      methodById(idByFormula(
        "SuperviseSubscribe",
        "SuperviseSubscribeRequest",
        "SuperviseSubscribeResponse",
      )),
      methods.SuperviseSubscribe,
    );
    assert.equal(methodById(425376200), methods.SuperviseSubscribe);
  });

  it("does not know other ids, nor those that only pushes have", () => {
    for (const id of [0, 1, 9999, 10000, 2 ** 32 - 1, -1, NaN]) {
      assert.equal(methodById(id), undefined);
    }
  });
});

describe("pushById()", () => {
  it("finds every push and no request", () => {
    for (const method of table) {
      if (method.reply === undefined) assert.equal(pushById(method.id), method);
    }
    assert.equal(pushById(methods.Originate.id), undefined);
    assert.equal(pushById(methods.StreamEvents.id), methods.CallEvent);
  });

  it("knows the ids that audio and events had before", () => {
    assert.equal(pushById(9999), methods.AudioFrame);
    assert.equal(pushById(10000), methods.CallEvent);
  });
});
