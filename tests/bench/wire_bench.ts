import { pack, unpack } from "msgpackr";
import { AudioFrame, AudioFrameEncoder, CallEvent, OriginateRequest } from "../../src/wire/mod.ts";
import { bench } from "./support/bench.ts";
import * as floor from "./support/floor.ts";
import { audioFrames, callEvents, cycle, originateRequests } from "./support/inputs.ts";
import { protobufPeer } from "./support/protobuf.ts";

const audioPeer = protobufPeer(AudioFrame);
const audioValues = audioFrames.map((frame) => audioPeer.valuesOf(frame));
const nextAudio = cycle(audioFrames);
const nextAudioValues = cycle(audioValues);

bench({
  name: "AudioFrame, encode into a fresh buffer",
  baseline: "ours",
  contenders: {
    "ours": () => AudioFrame.encode(nextAudio()),
    "protobuf-es": () => audioPeer.encode(nextAudioValues()),
    "msgpackr": () => pack(nextAudio()),
    "floor": () => floor.encodeAudioFrame(nextAudio()),
  },
  targets: { "protobuf-es": 5, "msgpackr": 1.1 },
});

const encoder = new AudioFrameEncoder({ callSid: audioFrames[0]!.callSid, codec: "PCMU" });
const batch = new Uint8Array(16 * encoder.size(160));
let sequenceNumber = 0;
let batchOffset = 0;

bench({
  name: "AudioFrame, encode through the encoder of a call",
  baseline: "ours",
  contenders: {
    "ours": () => {
      if (batchOffset === batch.length) batchOffset = 0;
      batchOffset = encoder.encodeInto(
        batch,
        batchOffset,
        nextAudio().payload,
        sequenceNumber++,
        false,
      );
      return batchOffset;
    },
    "ours, into a fresh buffer": () => encoder.encode(nextAudio().payload, sequenceNumber++),
    "protobuf-es": () => audioPeer.encode(nextAudioValues()),
  },
  targets: { "protobuf-es": 30 },
});

const nextAudioBytes = cycle(audioFrames.map((frame) => AudioFrame.encode(frame)));
const nextAudioProtobuf = cycle(audioValues.map((value) => audioPeer.encode(value)));
const nextAudioMsgpack = cycle(audioFrames.map((frame) => new Uint8Array(pack(frame))));

bench({
  name: "AudioFrame, decode",
  baseline: "ours",
  contenders: {
    "ours": () => AudioFrame.decode(nextAudioBytes()),
    "protobuf-es": () => audioPeer.decode(nextAudioProtobuf()),
    "msgpackr": () => unpack(nextAudioMsgpack()),
    "floor": () => floor.decodeAudioFrame(nextAudioBytes()),
  },
  targets: { "protobuf-es": 5 },
});

const eventPeer = protobufPeer(CallEvent);
const nextEventBytes = cycle(callEvents.map((event) => CallEvent.encode(event)));
const nextEventProtobuf = cycle(
  callEvents.map((event) => eventPeer.encode(eventPeer.valuesOf(event))),
);
const nextEventMsgpack = cycle(callEvents.map((event) => new Uint8Array(pack(event))));

bench({
  name: "CallEvent, decode",
  baseline: "ours",
  contenders: {
    "ours": () => CallEvent.decode(nextEventBytes()),
    "protobuf-es": () => eventPeer.decode(nextEventProtobuf()),
    "msgpackr": () => unpack(nextEventMsgpack()),
    "floor": () => floor.decodeCallEvent(nextEventBytes()),
  },
  targets: { "protobuf-es": 2.5 },
});

const originatePeer = protobufPeer(OriginateRequest);
const nextOriginate = cycle(originateRequests);
const nextOriginateValues = cycle(
  originateRequests.map((request) => originatePeer.valuesOf(request)),
);

bench({
  name: "OriginateRequest, encode into a fresh buffer",
  baseline: "ours",
  contenders: {
    "ours": () => OriginateRequest.encode(nextOriginate()),
    "protobuf-es": () => originatePeer.encode(nextOriginateValues()),
    "msgpackr": () => pack(nextOriginate()),
    "floor": () => floor.encodeOriginateRequest(nextOriginate()),
  },
  targets: { "protobuf-es": 3 },
});
