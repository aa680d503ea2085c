import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concatBytes } from "../../../src/base/bytes.ts";
import {
  BucketInfo,
  encodeRefusal,
  encodeReply,
  ExecuteDialplanResponse,
  type Method,
  methods,
  readRefusal,
  ReplyReader,
} from "../../../src/wire/mod.ts";

const refusal = { errorCode: 7, errorMessage: "Unknown call_sid" };

describe("encodeRefusal() and ReplyReader.refusal", () => {
  for (const framed of [false, true]) {
    const manner = framed ? "framed" : "bare";
    for (
      const method of [
        methods.Barge,
        methods.SetInboundRouting,
        methods.GetActiveBuckets,
        methods.GetIncomingCalls,
        methods.OriginateBulk,
        methods.AbortBulk,
        methods.GetTrunk,
      ]
    ) {
      it(`says it behind the fields of the reply to ${method.name}, ${manner}`, () => {
        const reader = new ReplyReader<unknown>(method);
        assert.ok(reader.push(encodeRefusal(method, refusal, {}, { framed })) !== undefined);
        assert.deepEqual(reader.refusal, refusal);
      });

      it(`reads none in an ordinary reply to ${method.name}, ${manner}`, () => {
        const reader = new ReplyReader<unknown>(method);
        assert.ok(reader.push(encodeReply<unknown>(method, {}, { framed })) !== undefined);
        assert.equal(reader.refusal, undefined);
      });
    }
  }

  it("uses the reply's own fields where it has them", () => {
    const reader = new ReplyReader(methods.Terminate);
    const repeated = { callSid: "c", timestampMs: 5 };
    const reply = reader.push(encodeRefusal(methods.Terminate, refusal, repeated));
    assert.deepEqual(reply, { callSid: "c", status: "ERROR", ...refusal, timestampMs: 5 });
    assert.equal(reader.refusal, undefined);
  });

  it("does not take fields of a newer gateway for a refusal", () => {
    for (const tail of [[1], [0, 0, 0, 0], [2, 0, 0, 0, 79, 75, 0, 0, 0, 0, 0, 0, 0, 0]]) {
      const reader = new ReplyReader(methods.Barge);
      const envelope = Uint8Array.of(1, 0, tail.length, 0, 0, 0, ...tail);
      assert.deepEqual(reader.push(envelope), {});
      assert.equal(reader.refusal, undefined);
    }
  });

  it("reads no refusal in a list that is not empty", () => {
    const reader = new ReplyReader(methods.GetActiveBuckets);
    const buckets = [{ bucketId: "b", pendingCount: 3 }];
    assert.deepEqual(reader.push(encodeReply(methods.GetActiveBuckets, { buckets })), { buckets });
    assert.equal(reader.refusal, undefined);
  });

  it("reads no refusal in elements to which a newer gateway has added fields that look like one", () => {
    const tail = ExecuteDialplanResponse.encode({ status: "ERROR", ...refusal }).subarray(6);
    const bucket = concatBytes([BucketInfo.encode({ bucketId: "b", pendingCount: 3 }), tail]);
    bucket[0] = 1;
    bucket[2] = bucket.length - 6;
    const envelope = concatBytes([
      Uint8Array.of(1, 0, bucket.length + 4, 0, 0, 0, 1, 0, 0, 0),
      bucket,
    ]);
    const reader = new ReplyReader(methods.GetActiveBuckets);
    const buckets = [{ bucketId: "b", pendingCount: 3 }];
    assert.deepEqual(reader.push(envelope), { buckets });
    assert.equal(reader.refusal, undefined);
  });

  it("reads a reply that the encoder of this package cannot write", () => {
    const calls = [{ callSid: "c", callFrom: "", startTimestampMs: 0 }];
    const envelope = encodeReply(methods.GetIncomingCalls, { calls });
    envelope[envelope.length - 1] = 0x40;
    const reader = new ReplyReader(methods.GetIncomingCalls);
    assert.deepEqual(reader.push(envelope), {
      calls: [{ callSid: "c", callFrom: "", startTimestampMs: 2 ** 62 }],
    });
    assert.equal(reader.refusal, undefined);
  });
});

it("readRefusal() takes an error with a code alone for a refusal", () => {
  const empty = Object.values<Method<unknown, unknown>>({ ...methods })
    .find(({ reply }) => reply?.fields.length === 0)!;
  const read = (status: string, errorCode: number) =>
    readRefusal(
      empty.reply!,
      ExecuteDialplanResponse.encode({ status, errorMessage: "because", errorCode }),
    );
  assert.deepEqual(read("ERROR", 3), { errorCode: 3, errorMessage: "because" });
  assert.equal(read("ERROR", 0), undefined);
  assert.equal(read("OK", 3), undefined);
});
