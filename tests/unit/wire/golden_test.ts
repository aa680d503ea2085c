import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeHex } from "../../../src/base/bytes.ts";
import {
  encodeFrame,
  encodeReply,
  encodeRequest,
  type Message,
  messages,
  type Method,
  methods,
} from "../../../src/wire/mod.ts";
import { bytesOf } from "./support/vectors.ts";

/** One message with the bytes that the published codec writes for it. */
interface Golden<T> {
  readonly title: string;
  readonly message: Message<T>;
  readonly value: Partial<T>;
  readonly envelope: string;
}

function golden<T>(
  title: string,
  message: Message<T>,
  value: Partial<T>,
  envelope: string,
): Golden<unknown> {
  return { title, message, value, envelope } as Golden<unknown>;
}

const originateV1 = {
  trunkId: "t1",
  to: "+15551234567",
  callFrom: "+1800",
  aiWebsocketUrl: "w",
  aiQuicUrl: "q",
  tenantId: "acme",
  maxDurationMs: 60000,
  callSid: "sid",
  defaultApp: 6,
  defaultAppArgs: "ag",
  autoBargeIn: true,
  bargeInPatienceMs: 250,
  clientId: "cid",
  sessionId: 7,
  agentConfigKey: "k",
  traceparent: "tp",
};
const audio = {
  callSid: "s",
  payload: Uint8Array.of(0x00, 0xff, 0x80),
  codec: "PCMU",
  sequenceNumber: 0x0102030405060708,
  endOfStream: true,
};
const incoming = { callSid: "s", callFrom: "+1", startTimestampMs: 9 };

const list: readonly Golden<unknown>[] = [
  golden("Empty", messages.Empty, {}, "000000000000"),
  golden(
    "TerminateRequest",
    messages.TerminateRequest,
    { callSid: "abc" },
    "00000700000003000000616263",
  ),
  golden(
    "OriginateRequest v1",
    messages.OriginateRequest,
    originateV1,
    "0100610000000200000074310c0000002b3135353531323334353637050000002b31383030010000007701000000710400000061636d6560ea0000030000007369640600000002000000616701fa0000000300000063696407000000010000006b020000007470",
  ),
  golden(
    "OriginateResponse",
    messages.OriginateResponse,
    { callSid: "c", status: "QUEUED", errorCode: 3, timestampMs: 1700000000000 },
    "00001f00000001000000630600000051554555454400000000030000000068e5cf8b010000",
  ),
  golden(
    "BulkRequest",
    messages.BulkRequest,
    {
      csvUrl: "u",
      templateTrunkId: "t",
      templateCallFrom: "f",
      templateTenantId: "acme",
      templateMaxDurationMs: 1,
      templateDefaultApp: 1,
      callsPerSecond: 5,
      maxConcurrentCalls: 6,
      campaignId: "c",
    },
    "00003c0000000100000075010000007400000000010000006600000000000000000400000061636d6501000000010000000000000005000000060000000100000063",
  ),
  golden(
    "BulkResponse",
    messages.BulkResponse,
    { status: "ok", loadedNumbers: 42 },
    "00000a000000020000006f6b2a000000",
  ),
  golden(
    "SetInboundRoutingRequest",
    messages.SetInboundRoutingRequest,
    {
      trunkId: "t",
      rule: 3,
      audioUrl: "a",
      webhookUrl: "h",
      aiWebsocketUrl: "w",
      aiQuicUrl: "q",
    },
    "00001d0000000100000074030000000100000061010000006801000000770100000071",
  ),
  golden(
    "ExecuteDialplanRequest",
    messages.ExecuteDialplanRequest,
    { callSid: "a", action: 12, appArgs: "5:rfc2833:200" },
    "00001a00000001000000610c0000000d000000353a726663323833333a323030",
  ),
  golden(
    "CallEvent",
    messages.CallEvent,
    {
      callSid: "s",
      eventType: 3,
      status: "COMPLETED",
      startTimestampMs: 1,
      q850Cause: 16,
      durationSeconds: 2,
      answerTimestampMs: 3,
      endTimestampMs: 4,
      packetsSent: 5,
      packetsReceived: 6,
      packetsLost: 7,
      bytesSent: 8,
      jitterMs: 1.5,
      estimatedMos: 4.25,
      trunkId: "t",
      tenantId: "acme",
      codec: "PCMU",
      timestampMs: 9,
      clientId: "cid",
    },
    "00008200000001000000730300000009000000434f4d504c455445440100000000000000100000000000000002000000030000000000000004000000000000000500000006000000070000000800000000000000000000000000f83f000000000000114001000000740400000061636d650400000050434d55090000000000000003000000636964",
  ),
  golden(
    "IncomingCallInfo",
    messages.IncomingCallInfo,
    incoming,
    "0000130000000100000073020000002b310900000000000000",
  ),
  golden(
    "GetIncomingCallsResponse",
    messages.GetIncomingCallsResponse,
    { calls: [incoming] },
    "00001d000000010000000000130000000100000073020000002b310900000000000000",
  ),
  golden(
    "BucketInfo",
    messages.BucketInfo,
    { bucketId: "b", pendingCount: 3 },
    "000009000000010000006203000000",
  ),
  golden(
    "ListBucketsResponse",
    messages.ListBucketsResponse,
    { buckets: [{ bucketId: "b", pendingCount: 3 }] },
    "00001300000001000000000009000000010000006203000000",
  ),
  golden(
    "BucketCallList",
    messages.BucketCallList,
    { callSids: "a,b" },
    "00000700000003000000612c62",
  ),
  golden(
    "BucketActionRequest",
    messages.BucketActionRequest,
    { bucketId: "b", action: 1 },
    "000009000000010000006201000000",
  ),
  golden(
    "AllocateWtRequest",
    messages.AllocateWtRequest,
    { callSid: "s", agentId: "a", tenantId: "t", trunkId: "k", realm: "r" },
    "000019000000010000007301000000610100000074010000006b0100000072",
  ),
  golden(
    "AllocateWtResponse",
    messages.AllocateWtResponse,
    {
      host: "h",
      port: 0x1234,
      nodeId: "n",
      mediaToken: "m",
      status: "s",
      errorMessage: "e",
      errorCode: 7,
      timestampMs: 9,
    },
    "00002700000001000000683412010000006e010000006d01000000730100000065070000000900000000000000",
  ),
  golden(
    "SuperviseSubscribeResponse",
    messages.SuperviseSubscribeResponse,
    { status: "OK" },
    "00000a000000020000004f4b00000000",
  ),
];

describe("golden bytes of the published codec", () => {
  for (const { title, message, value, envelope } of list) {
    it(`${title} encodes and decodes`, () => {
      assert.equal(encodeHex(message.encode(value)), envelope);
      const decoded = message.decode(bytesOf(envelope)) as Record<string, unknown>;
      assert.equal(encodeHex(message.encode(decoded)), envelope);
      for (const [name, content] of Object.entries(value)) {
        assert.deepEqual(decoded[name], content, name);
      }
    });
  }

  it("AudioFrame with a sequence number above the safe integers decodes, and encode() refuses it", () => {
    const envelope = "00001d00000001000000730300000000ff800400000050434d55080706050403020101";
    const decoded = messages.AudioFrame.decode(bytesOf(envelope));
    assert.deepEqual(decoded, { ...audio, sequenceNumber: Number(0x0102030405060708n) });
    assert.throws(() => messages.AudioFrame.encode(decoded), { code: "ERR_VALUE_INVALID" });
  });

  it("AudioFrame as a frame has the length 4 + envelope", () => {
    const frame = encodeFrame(methods.AudioFrame, { ...audio, sequenceNumber: 0x04050607 });
    assert.equal(
      encodeHex(frame),
      "27000000f0dd47b200001d00000001000000730300000000ff800400000050434d55070605040000000001",
    );
  });

  const requests: readonly [Method<never, unknown>, object, string, string][] = [
    [
      methods.Terminate as Method<never, unknown>,
      { callSid: "abc" },
      "150000005d108ae400000700000003000000616263",
      "110000005d108ae400000700000003000000616263",
    ],
    [
      methods.StreamEvents as Method<never, unknown>,
      { clientId: "c1" },
      "1400000061ee3539000006000000020000006331",
      "1000000061ee3539000006000000020000006331",
    ],
    [
      methods.GetActiveBuckets as Method<never, unknown>,
      {},
      "0e0000008fc16e9c000000000000",
      "0a0000008fc16e9c000000000000",
    ],
  ];
  for (const [method, value, inclusive, exclusive] of requests) {
    it(`${method.name} is written inclusive, and exclusive when asked`, () => {
      assert.equal(encodeHex(encodeRequest(method, value as never)), inclusive);
      const options = { requestLength: "exclusive" } as const;
      assert.equal(encodeHex(encodeRequest(method, value as never, options)), exclusive);
    });
  }

  it("SuperviseSubscribe is written as the existing client writes it", () => {
    const value = { callSid: "c", supervisorId: "v", tenantId: "t", mode: 3, authToken: "tok" };
    assert.equal(
      encodeHex(encodeRequest(methods.SuperviseSubscribe, value)),
      "25000000f2bd3daa0000170000000100000063010000007601000000740303000000746f6b",
    );
  });

  it("replies are bare, or framed with the option", () => {
    const reply = { status: "ok", loadedNumbers: 42 };
    const envelope = "00000a000000020000006f6b2a000000";
    assert.equal(encodeHex(encodeReply(methods.OriginateBulk, reply)), envelope);
    const framed = encodeReply(methods.OriginateBulk, reply, { framed: true });
    assert.equal(encodeHex(framed), `140000002ca4fa2a${envelope}`);
  });

  it("OriginateRequest version 0 as the published encoder writes it takes the defaults of version 1", () => {
    const bytes = bytesOf(
      "5d0000008369465500004f0000000200000074310c0000002b3135353531323334353637050000002b3138303000000000000000000400000061636d6560ea00000300000073696400000000010000007801fa00000003000000636964",
    );
    assert.deepEqual(messages.OriginateRequest.decode(bytes.subarray(8)), {
      ...originateV1,
      aiWebsocketUrl: "",
      aiQuicUrl: "",
      defaultApp: 0,
      defaultAppArgs: "x",
      sessionId: 0,
      agentConfigKey: "",
      traceparent: "",
    });
  });
});
