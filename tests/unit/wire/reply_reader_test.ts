import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes } from "../../../src/base/bytes.ts";
import { encodeReply, type Method, methods, ReplyReader } from "../../../src/wire/mod.ts";
import { assertThrows } from "./support/errors.ts";
import { bytesOf } from "./support/vectors.ts";

const value = { callSid: "c", status: "QUEUED", errorMessage: "", errorCode: 0, timestampMs: 1 };
const bare = encodeReply(methods.Originate, value);
const framed = encodeReply(methods.Originate, value, { framed: true });
const inclusive = framed.slice();
new DataView(inclusive.buffer).setUint32(0, framed.length, true);

describe("ReplyReader", () => {
  const forms = { "a bare": bare, "a framed": framed, "an inclusively framed": inclusive };
  for (const [form, bytes] of Object.entries(forms)) {
    it(`gives ${form} reply as soon as it is whole, wherever it is cut`, () => {
      for (let a = 0; a <= bytes.length; a++) {
        for (let b = a; b <= bytes.length; b += 3) {
          const reader = new ReplyReader(methods.Originate);
          const given = [bytes.slice(0, a), bytes.slice(a, b), bytes.slice(b)]
            .map((chunk) => reader.push(chunk));
          assert.deepEqual(given.filter((reply) => reply !== undefined), [value], `${a}, ${b}`);
          assert.deepEqual(reader.end(), value);
        }
      }
    });

    it(`refuses the end of the stream at every byte inside ${form} reply (G-04)`, () => {
      for (let at = 0; at < bytes.length; at++) {
        const reader = new ReplyReader(methods.Originate);
        assert.equal(reader.push(bytes.slice(0, at)), undefined);
        assertThrows(
          () => reader.end(),
          "ERR_WIRE_INVALID",
          `Cannot read reply to Originate: stream is closed after ${at} bytes, expected the whole reply`,
        );
      }
    });
  }

  it("reads the reply of every method, bare and framed, byte by byte", () => {
    for (const method of Object.values<Method<unknown, unknown>>({ ...methods })) {
      if (method.reply === undefined) continue;
      const expected = method.reply.decode(method.reply.encode({}));
      for (const isFramed of [false, true]) {
        const bytes = encodeReply(method, {}, { framed: isFramed });
        const reader = new ReplyReader(method);
        for (let at = 0; at < bytes.length; at++) {
          const reply = reader.push(bytes.slice(at, at + 1));
          const isLast = at === bytes.length - 1;
          assert.deepEqual(reply, isLast ? expected : undefined, `${method.name} ${at}`);
        }
      }
    }
  });

  it("ignores the bytes after the reply", () => {
    const reader = new ReplyReader(methods.Originate);
    assert.deepEqual(reader.push(concatBytes([bare, bare, Uint8Array.of(1, 2, 3)])), value);
    assert.equal(reader.push(framed), undefined);
    assert.deepEqual(reader.end(), value);
  });

  it("takes a stream without a byte as the reply to a request whose reply has no fields", () => {
    assert.deepEqual(new ReplyReader(methods.Barge).end(), {});
    assertThrows(
      () => new ReplyReader(methods.Originate).end(),
      "ERR_WIRE_INVALID",
      /after 0 bytes/,
    );
  });

  it("reads a reply of a newer sender, and one of 64 KiB and more", () => {
    const reader = new ReplyReader(methods.Barge);
    assert.deepEqual(reader.push(bytesOf("010002000000ff00")), {});
    const message = "x".repeat(200_000);
    const large = encodeReply(methods.Originate, { ...value, errorMessage: message });
    for (const size of [1000, 300_000]) {
      const reader = new ReplyReader(methods.Originate);
      let reply;
      for (let at = 0; at < large.length; at += size) {
        reply = reader.push(large.slice(at, at + size));
      }
      assert.equal(reply?.errorMessage, message);
    }
  });

  it("refuses bytes that are neither an envelope nor a frame of the method", () => {
    const refused = [
      "485454502f312e31", // HTTP/1.1
      "110000000000",
      "010200000000",
      "0000ffffffff",
      "000001001000", // 1 MiB and one byte
    ];
    for (const hex of refused) {
      assertThrows(
        () => new ReplyReader(methods.Originate).push(bytesOf(hex)),
        "ERR_WIRE_INVALID",
        /^Cannot read reply to Originate: start is not a header, expected that of an envelope or of a frame$/,
      );
    }
    const other = encodeReply(methods.AbortBulk, {}, { framed: true });
    assert.throws(() => new ReplyReader(methods.Originate).push(other), {
      code: "ERR_WIRE_INVALID",
    });
  });

  it("refuses a framed reply whose length is one off", () => {
    for (const off of [-1, 1, 3, 5]) {
      const bytes = framed.slice();
      const view = new DataView(bytes.buffer);
      view.setUint32(0, view.getUint32(0, true) + off, true);
      assert.throws(() => new ReplyReader(methods.Originate).push(bytes), {
        code: "ERR_WIRE_INVALID",
      });
    }
  });

  it("refuses a payload above its limit before it stores it", () => {
    const payload = bare.length - 6;
    const limits = [[payload, true], [payload - 1, false]] as const;
    for (const [limitBytes, fits] of limits) {
      for (const bytes of [bare, framed]) {
        const reader = new ReplyReader(methods.Originate, { limitBytes });
        if (fits) assert.deepEqual(reader.push(bytes), value);
        else assert.throws(() => reader.push(bytes.slice(0, 14)), { code: "ERR_WIRE_INVALID" });
      }
    }
  });

  it("throws the error of decoding, and throws it again at the next push", () => {
    const bytes = bare.slice();
    bytes[6] = 0xff;
    const reader = new ReplyReader(methods.Originate);
    for (let i = 0; i < 2; i++) {
      assertThrows(
        () => reader.push(bytes),
        "ERR_WIRE_INVALID",
        /^Cannot decode OriginateResponse: callSid/,
      );
    }
  });

  it("throws a TypeError for a chunk that is not a Uint8Array", () => {
    for (const chunk of [undefined, "000000000000", bare.buffer]) {
      assert.throws(() => new ReplyReader(methods.Originate).push(chunk as never), TypeError);
    }
  });

  it("throws a TypeError for a push", () => {
    assert.throws(
      () => new ReplyReader(methods.CallEvent),
      new TypeError("Cannot read reply to CallEvent: it is a push, expected a request"),
    );
  });
});

describe("ReplyReader at the edges", () => {
  it("takes an envelope of version 16, and refuses 17 or a compat version above the version", () => {
    const bytes = encodeReply(methods.GetBucketCalls, { callSids: "a" });
    const of = (version: number, compat: number) => {
      const reply = bytes.slice();
      reply.set([version, compat]);
      return () => new ReplyReader(methods.GetBucketCalls).push(reply);
    };
    assert.deepEqual(of(16, 0)(), { callSids: "a" });
    assert.throws(of(17, 0), { code: "ERR_WIRE_INVALID", message: /start is not a header/ });
    assert.throws(of(1, 2), { code: "ERR_WIRE_INVALID", message: /start is not a header/ });
  });

  it("takes a stream without a byte for an empty reply, and no other stream that is not whole", () => {
    const of = (method: Method<unknown, unknown>, bytes: number) => {
      const reader = new ReplyReader(method);
      reader.push(new Uint8Array(bytes));
      return () => reader.end();
    };
    const table: Record<string, Method<unknown, unknown>> = { ...methods };
    const empty = Object.values(table).find(({ reply }) => reply?.fields.length === 0)!;
    assert.deepEqual(of(empty, 0)(), {});
    for (const ended of [of(empty, 3), of(table["GetBucketCalls"]!, 0)]) {
      assert.throws(ended, { code: "ERR_WIRE_INVALID", message: /expected the whole reply/ });
    }
  });

  it("refuses chunks that are not bytes", () => {
    const reader = new ReplyReader(methods.GetBucketCalls);
    assert.throws(() => reader.push("bytes" as unknown as Uint8Array), TypeError);
  });
});
