import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { encodeHex } from "../../../src/base/bytes.ts";
import {
  AudioFrame,
  BulkRequest,
  CallEvent,
  Empty,
  GetIncomingCallsResponse,
  messages,
  OriginateRequest,
  SuperviseSubscribeRequest,
} from "../../../src/wire/mod.ts";
import { seed } from "../../support/seed.ts";
import { valueArbitrary } from "./support/arbitrary.ts";
import { assertThrows } from "./support/errors.ts";
import { type AnyMessage, everyMessage, modelEncode } from "./support/model.ts";
import { bytesOf } from "./support/vectors.ts";

const all = Object.entries<unknown>(messages).filter((entry): entry is [string, AnyMessage] =>
  everyMessage.includes(entry[1] as AnyMessage)
);

describe("every message", () => {
  for (const [name, message] of all) {
    it(`${name} is declared under its name, with distinct camelCase fields`, () => {
      assert.equal(message.name, name);
      assert.equal(message.version, name === "OriginateRequest" ? 1 : 0);
      assert.equal(message.compat, 0);
      const names = message.fields.map((field) => field.name);
      assert.equal(new Set(names).size, names.length);
      for (const field of names) assert.match(field, /^[a-z][a-zA-Z0-9]*$/);
    });

    it(`${name} encodes as the model does and decodes to what was encoded`, () => {
      const hasTail = message.fields.some((field) => field.optional);
      fc.assert(
        fc.property(valueArbitrary(message), (value) => {
          const bytes = message.encode(value);
          const decoded = message.decode(bytes);
          assert.deepEqual(decoded, value);
          assert.deepEqual(Object.keys(decoded), message.fields.map((field) => field.name));
          const model = modelEncode(message, value);
          if (!hasTail || bytes.length === model.length) assert.deepEqual(bytes, model);
          assert.deepEqual(message.decode(model), value);
        }),
        { seed, numRuns: 60 },
      );
    });

    it(`${name} encodes missing and undefined fields as their defaults`, () => {
      const defaults = Object.fromEntries(
        message.fields.map((field) => [field.name, field.default]),
      );
      const undefineds = Object.fromEntries(message.fields.map((field) => [field.name, undefined]));
      const bytes = message.encode({});
      assert.deepEqual(message.encode(defaults), bytes);
      assert.deepEqual(message.encode(undefineds as Record<string, never>), bytes);
      assert.deepEqual(message.decode(bytes), defaults);
      assert.deepEqual(message.decode(bytesOf("000000000000")), defaults);
    });
  }

  it("keeps tokens, secrets and passwords out of the cache of texts", () => {
    let secrets = 0;
    for (const [name, message] of all) {
      for (const field of message.fields) {
        const isSecret = /token|secret|password/i.test(field.name);
        assert.equal(field.kind === "secret", isSecret, `${name}.${field.name}`);
        if (isSecret) secrets++;
      }
    }
    assert.equal(secrets, 13);
  });
});

describe("encode()", () => {
  it("returns a buffer of its own, of exactly the envelope's size", () => {
    const bytes = OriginateRequest.encode({ to: "+15550100" });
    assert.equal(bytes.byteOffset, 0);
    assert.equal(bytes.buffer.byteLength, bytes.length);
    const copy = bytes.slice();
    OriginateRequest.encode({ to: "+15550101" });
    assert.deepEqual(bytes, copy);
  });

  it("leaves headroom free before the envelope", () => {
    for (const [, message] of all) {
      const bytes = message.encode({}, 8);
      assert.deepEqual(bytes.subarray(0, 8), new Uint8Array(8));
      assert.deepEqual(bytes.slice(8), message.encode({}));
    }
    const frame = { callSid: "s", payload: Uint8Array.of(1), codec: "PCMU", sequenceNumber: 1 };
    const bytes = AudioFrame.encode({ ...frame, endOfStream: true }, 8);
    assert.deepEqual(bytes.slice(8), AudioFrame.encode({ ...frame, endOfStream: true }));
  });

  const refusals: readonly [string, () => unknown, string][] = [
    [
      "a fraction",
      () => OriginateRequest.encode({ maxDurationMs: 1.5 }),
      "maxDurationMs is 1.5, expected an integer from -2147483648 to 2147483647",
    ],
    [
      "NaN where an integer is due",
      () => OriginateRequest.encode({ defaultApp: NaN }),
      "defaultApp is NaN, expected an integer from -2147483648 to 2147483647",
    ],
    [
      "an int32 overflow",
      () => OriginateRequest.encode({ maxDurationMs: 2 ** 31 }),
      "maxDurationMs is 2147483648, expected an integer from -2147483648 to 2147483647",
    ],
    [
      "a uint32 overflow",
      () => OriginateRequest.encode({ sessionId: -1 }),
      "sessionId is -1, expected an integer from 0 to 4294967295",
    ],
    [
      "a uint16 overflow",
      () => messages.AllocateWtResponse.encode({ port: 65536 }),
      "port is 65536, expected an integer from 0 to 65535",
    ],
    [
      "a uint8 overflow",
      () => SuperviseSubscribeRequest.encode({ mode: 256 }),
      "mode is 256, expected an integer from 0 to 255",
    ],
    [
      "an unsafe int64",
      () => CallEvent.encode({ timestampMs: 2 ** 53 }),
      "timestampMs is 9007199254740992, expected an integer from -9007199254740991 to 9007199254740991",
    ],
    [
      "a negative uint64",
      () => CallEvent.encode({ bytesSent: -1 }),
      "bytesSent is -1, expected an integer from 0 to 9007199254740991",
    ],
    [
      "a negative sequence number",
      () => AudioFrame.encode({ sequenceNumber: -1 }),
      "sequenceNumber is -1, expected an integer from 0 to 9007199254740991",
    ],
    [
      "infinity",
      () => CallEvent.encode({ bytesSent: Infinity }),
      "bytesSent is Infinity, expected an integer from 0 to 9007199254740991",
    ],
    [
      "a lone surrogate",
      () => OriginateRequest.encode({ to: "a\ud800" }),
      "to is text with a lone surrogate, expected well-formed Unicode",
    ],
    [
      "a lone surrogate in audio",
      () =>
        AudioFrame.encode({
          callSid: "\udc00",
          codec: "PCMU",
          payload: new Uint8Array(0),
          sequenceNumber: 0,
          endOfStream: false,
        }),
      "callSid is text with a lone surrogate, expected well-formed Unicode",
    ],
    [
      "a value in a vector's text",
      () => messages.AddTrunkRequest.encode({ mediaIpCidrs: ["a", "\ud800"] }),
      "mediaIpCidrs is text with a lone surrogate, expected well-formed Unicode",
    ],
  ];
  for (const [title, run, message] of refusals) {
    it(`refuses ${title}, and leaves nothing behind`, () => {
      const before = encodeHex(OriginateRequest.encode({ to: "+15550100" }));
      assert.throws(run, { code: "ERR_VALUE_INVALID" });
      assertThrows(
        run,
        "ERR_VALUE_INVALID",
        new RegExp(`^Cannot encode \\w+: ${escape(message)}$`),
      );
      assert.equal(encodeHex(OriginateRequest.encode({ to: "+15550100" })), before);
    });
  }

  const secret = "eyJhbGciOiJSUzI1NiJ9.secret.secret";
  const wrongTypes: readonly [string, () => unknown, RegExp][] = [
    [
      "text",
      () => OriginateRequest.encode({ to: 15550100 as never }),
      /to is 15550100, expected a string/,
    ],
    ["null", () => OriginateRequest.encode({ to: null as never }), /to is null, expected a string/],
    [
      "integer",
      () => OriginateRequest.encode({ defaultApp: "1" as never }),
      /defaultApp is a string/,
    ],
    ["bigint", () => CallEvent.encode({ timestampMs: 1n as never }), /timestampMs is a bigint/],
    ["boolean", () => OriginateRequest.encode({ autoBargeIn: 1 as never }), /autoBargeIn is 1/],
    ["double", () => CallEvent.encode({ jitterMs: "1" as never }), /jitterMs is a string/],
    [
      "binary",
      () => AudioFrame.encode({ payload: [1] as never }),
      /payload is an array, expected a Uint8Array/,
    ],
    [
      "buffer",
      () => AudioFrame.encode({ payload: new ArrayBuffer(1) as never }),
      /payload is an object/,
    ],
    [
      "vector",
      () => GetIncomingCallsResponse.encode({ calls: {} as never }),
      /calls is an object, expected an array/,
    ],
    [
      "element",
      () => GetIncomingCallsResponse.encode({ calls: [null] as never }),
      /IncomingCallInfo: value is null, expected an object/,
    ],
    [
      "element of a text vector",
      () => messages.AddTrunkRequest.encode({ mediaIpCidrs: [1] as never }),
      /mediaIpCidrs is 1, expected a string/,
    ],
    ["value", () => Empty.encode("x" as never), /value is a string, expected an object/],
    ["missing value", () => OriginateRequest.encode(undefined as never), /value is undefined/],
    [
      "secret",
      () => OriginateRequest.encode({ sessionId: secret as never }),
      /sessionId is a string/,
    ],
  ];
  for (const [title, run, message] of wrongTypes) {
    it(`throws a TypeError for a wrong ${title}, and does not quote it`, () => {
      assert.throws(run, (error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, /^Cannot encode /);
        assert.match(error.message, message);
        assert.ok(!error.message.includes("eyJ"));
        return true;
      });
    });
  }

  it("is not disturbed by a getter that encodes", () => {
    const plain = OriginateRequest.encode({ trunkId: "t1", to: "+15550100", clientId: "c" });
    let inner = "";
    const value = {
      trunkId: "t1",
      get to() {
        inner = encodeHex(CallEvent.encode({ recordingUrl: "x".repeat(5000) }));
        return "+15550100";
      },
      clientId: "c",
    };
    assert.deepEqual(OriginateRequest.encode(value), plain);
    assert.equal(inner, encodeHex(CallEvent.encode({ recordingUrl: "x".repeat(5000) })));
  });

  it("throws the error of a getter, and works afterwards", () => {
    const error = new RangeError("getter");
    const value = {
      trunkId: "t".repeat(100),
      get to(): string {
        throw error;
      },
    };
    assert.throws(() => OriginateRequest.encode(value), error);
    assert.deepEqual(
      OriginateRequest.encode({ trunkId: "t1" }),
      Uint8Array.from(modelEncode(messages.OriginateRequest as unknown as AnyMessage, {
        ...OriginateRequest.decode(bytesOf("000000000000")),
        trunkId: "t1",
      })),
    );
  });

  it("grows for a large message", () => {
    const payload = new Uint8Array(300_000).fill(7);
    const decoded = AudioFrame.decode(AudioFrame.encode({ callSid: "\u00e9", payload }));
    assert.deepEqual(decoded.payload, payload);
    const to = "\u00e9".repeat(100_000);
    assert.equal(OriginateRequest.decode(OriginateRequest.encode({ to })).to, to);
  });
});

describe("the optional tail", () => {
  const bare = BulkRequest.encode({ csvUrl: "u", campaignId: "c" });

  it("is left out when all its fields have their defaults", () => {
    const value = { csvUrl: "u", campaignId: "c" };
    assert.equal(bare.length, 6 + 11 * 4 + 2 + 2 * 4);
    const nothing = { autoBargeIn: false, bargeInPatienceMs: 0, clientId: "" };
    assert.deepEqual(BulkRequest.encode({ ...value, ...nothing }), bare);
    assert.deepEqual(BulkRequest.encode(BulkRequest.decode(bare)), bare);
  });

  it("is written whole when one of its fields differs from its default", () => {
    for (const tail of [{ autoBargeIn: true }, { bargeInPatienceMs: 250 }, { clientId: "id" }]) {
      const bytes = BulkRequest.encode({ csvUrl: "u", campaignId: "c", ...tail });
      const clientId = "clientId" in tail ? 2 : 0;
      assert.equal(bytes.length, bare.length + 1 + 4 + 4 + clientId);
      assert.deepEqual(BulkRequest.decode(bytes), { ...BulkRequest.decode(bare), ...tail });
    }
  });

  it("is read as far as the sender wrote it", () => {
    const full = BulkRequest.encode({ autoBargeIn: true, bargeInPatienceMs: 250, clientId: "id" });
    const partial = full.slice(0, -6);
    new DataView(partial.buffer).setInt32(2, partial.length - 6, true);
    const decoded = BulkRequest.decode(partial);
    assert.equal(decoded.autoBargeIn, true);
    assert.equal(decoded.bargeInPatienceMs, 250);
    assert.equal(decoded.clientId, "");
  });

  it("is one field of AnswerIncomingCallRequest", () => {
    const request = messages.AnswerIncomingCallRequest;
    assert.equal(request.encode({ callSid: "s" }).length, 6 + 3 * 4 + 1);
    const bytes = request.encode({ callSid: "s", clientId: "id" });
    assert.equal(bytes.length, 6 + 4 * 4 + 1 + 2);
    assert.equal(request.decode(bytes).clientId, "id");
  });
});

describe("decode()", () => {
  const valid = OriginateRequest.encode({ trunkId: "t1", to: "+15550100" });

  /** The same envelope with other header bytes. */
  function withHeader(version: number, compat: number): Uint8Array {
    const bytes = valid.slice();
    bytes[0] = version;
    bytes[1] = compat;
    return bytes;
  }

  it("accepts any version whose compat version is not above its own", () => {
    for (const [version, compat] of [[0, 0], [1, 0], [1, 1], [2, 1], [255, 0]] as const) {
      assert.equal(OriginateRequest.decode(withHeader(version, compat)).to, "+15550100");
    }
  });

  it("refuses a compat version above its own", () => {
    for (const [version, compat] of [[2, 2], [255, 255], [0, 2]] as const) {
      assertThrows(
        () => OriginateRequest.decode(withHeader(version, compat)),
        "ERR_WIRE_INVALID",
        `Cannot decode OriginateRequest: envelope is of compat version ${compat}, expected at most 1`,
      );
    }
    assert.throws(() => Empty.decode(bytesOf("010100000000")), { code: "ERR_WIRE_INVALID" });
  });

  it("reads the defaults of fields that an older sender did not write, and skips fields that a newer one appended", () => {
    const decoded = OriginateRequest.decode(valid);
    for (let count = 0; count <= 16; count++) {
      const { fields } = OriginateRequest;
      const kept = Object.fromEntries(
        fields.map(({ name, default: zero }, i) => [
          name,
          i < count ? decoded[name as keyof OriginateRequest] : zero,
        ]),
      );
      const size = fields.slice(0, count).reduce((sum, { name, kind }) => {
        const value = decoded[name as keyof OriginateRequest];
        return sum + (kind === "bool" ? 1 : 4) + (typeof value === "string" ? value.length : 0);
      }, 6);
      const older = valid.slice(0, size);
      new DataView(older.buffer).setInt32(2, size - 6, true);
      assert.deepEqual(OriginateRequest.decode(older), kept, `${count} fields`);
    }
    const newer = new Uint8Array([...valid, 1, 2, 3, 255]);
    new DataView(newer.buffer).setInt32(2, newer.length - 6, true);
    newer[0] = 9;
    assert.deepEqual(OriginateRequest.decode(newer), decoded);
  });

  it("has default lists and bytes that a caller cannot change for the next one", () => {
    const { calls } = GetIncomingCallsResponse.decode(bytesOf("000000000000"));
    assert.throws(() => (calls as unknown[]).push(1), TypeError);
    const trunk = messages.GetTrunkResponse.decode(bytesOf("000000000000"));
    assert.deepEqual(trunk.codecPreferences, ["PCMU", "PCMA", "OPUS"]);
    assert.throws(() => (trunk.codecPreferences as string[]).pop(), TypeError);
  });

  it("names the field that does not fit", () => {
    assertThrows(
      () => messages.TerminateRequest.decode(bytesOf("000007000000040000006162ff")),
      "ERR_WIRE_INVALID",
      "Cannot decode TerminateRequest: callSid is 3 bytes left, expected 4",
    );
    assertThrows(
      () => messages.TerminateRequest.decode(bytesOf("0000070000000300000061c328")),
      "ERR_WIRE_INVALID",
      "Cannot decode TerminateRequest: callSid is malformed, expected UTF-8",
    );
    assertThrows(
      () => messages.TerminateRequest.decode(bytesOf("000004000000ffffffff")),
      "ERR_WIRE_INVALID",
      "Cannot decode TerminateRequest: callSid is -1 bytes, expected at least 0",
    );
    assertThrows(
      () => messages.BucketInfo.decode(bytesOf("0000060000000000000000 01".replace(" ", ""))),
      "ERR_WIRE_INVALID",
      "Cannot decode BucketInfo: pendingCount is 2 bytes left, expected 4",
    );
  });

  it("refuses anything but exactly one envelope", () => {
    for (const hex of ["", "00", "0000000000", "00000000000000", "000001000000", "0000ffffffff"]) {
      assertThrows(() => Empty.decode(bytesOf(hex)), "ERR_WIRE_INVALID", /envelope is \d+ bytes/);
    }
  });

  it("throws a TypeError for anything but a Uint8Array", () => {
    for (const input of [undefined, null, "000000000000", [0, 0, 0, 0, 0, 0], new ArrayBuffer(6)]) {
      assert.throws(() => Empty.decode(input as never), TypeError);
    }
  });

  it("reads a Uint8Array at any offset of its buffer, and a Node.js Buffer as one", async () => {
    const frame = AudioFrame.encode({ callSid: "s", payload: Uint8Array.of(1, 2, 3) });
    const shifted = new Uint8Array(frame.length + 7);
    shifted.set(frame, 5);
    const view = shifted.subarray(5, 5 + frame.length);
    assert.deepEqual(AudioFrame.decode(view), AudioFrame.decode(frame));
    const { Buffer } = await import("node:buffer");
    const { payload } = AudioFrame.decode(Buffer.from(frame));
    assert.equal(Object.getPrototypeOf(payload), Uint8Array.prototype);
    assert.deepEqual(payload, Uint8Array.of(1, 2, 3));
  });

  it("returns binary fields as views of its input", () => {
    const frame = AudioFrame.encode({ callSid: "s", payload: Uint8Array.of(1, 2, 3) });
    const { payload } = AudioFrame.decode(frame);
    assert.equal(payload.buffer, frame.buffer);
  });

  it("rounds 64-bit integers beyond 2^53 - 1 to the nearest double, as JSON.parse does", () => {
    const cases = [
      2n ** 53n,
      2n ** 53n + 1n,
      2n ** 53n + 3n,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 62n + 511n,
    ];
    for (const value of cases) {
      const bytes = CallEvent.encode({});
      // callSid, eventType, status, then startTimestampMs.
      new DataView(bytes.buffer).setBigInt64(6 + 12, value, true);
      assert.equal(CallEvent.decode(bytes).startTimestampMs, JSON.parse(String(value)));
    }
  });

  it("keeps unknown enum numbers, NUL and byte order marks", () => {
    const value = { callSid: "\ufeffa\0b", eventType: 999 };
    const decoded = CallEvent.decode(CallEvent.encode(value));
    assert.equal(decoded.callSid, value.callSid);
    assert.equal(decoded.eventType, 999);
  });
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
