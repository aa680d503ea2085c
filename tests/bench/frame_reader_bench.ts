import { concatBytes } from "../../src/base/bytes.ts";
import { AudioFrame, encodeFrame, FrameReader, methods } from "../../src/wire/mod.ts";
import { bench } from "./support/bench.ts";
import { decodeAudioFrame, FloorDemux } from "./support/floor.ts";
import { audioFrames } from "./support/inputs.ts";

// Frames of 190 bytes: with a call id of 9 and a codec of 4 letters, the payload has 142.
const frames: Uint8Array[] = [];
for (let i = 0; i < 6 * 1024; i++) {
  const { payload } = audioFrames[i % audioFrames.length]!;
  frames.push(encodeFrame(methods.AudioFrame, {
    callSid: `call-${1000 + i % 64}`,
    payload: payload.subarray(0, 142),
    codec: "PCMU",
    sequenceNumber: i,
  }));
}
const stream = concatBytes(frames);
const large = encodeFrame(methods.AudioFrame, {
  callSid: "call-1000",
  payload: new Uint8Array(1_000_000 - 48),
  codec: "PCMU",
});

/** Cuts bytes into chunks of their own, as a transport gives them. */
function chunksOf(bytes: Uint8Array, size: () => number): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const chunk = bytes.slice(at, at + size());
    chunks.push(chunk);
    at += chunk.length;
  }
  return chunks;
}

// A fixed sequence (xorshift), so that every run cuts alike.
let state = 0x2545f491;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

function oursRaw(chunks: readonly Uint8Array[]): number {
  const reader = new FrameReader();
  let bytes = 0;
  for (const chunk of chunks) {
    for (const frame of reader.push(chunk)) bytes += frame.envelope.length;
  }
  reader.end();
  return bytes;
}

function oursDecoded(chunks: readonly Uint8Array[]): number {
  const reader = new FrameReader();
  let bytes = 0;
  for (const chunk of chunks) {
    for (const frame of reader.push(chunk)) {
      bytes += AudioFrame.decode(frame.envelope).payload.length;
    }
  }
  reader.end();
  return bytes;
}

function floorRaw(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  const demux = new FloorDemux((_id, envelope) => bytes += envelope.length);
  for (const chunk of chunks) demux.push(chunk);
  return bytes;
}

function floorDecoded(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  const demux = new FloorDemux((_id, envelope) =>
    bytes += decodeAudioFrame(envelope).payload.length
  );
  for (const chunk of chunks) demux.push(chunk);
  return bytes;
}

/** The floor for one large frame: trusts its length, and fills one buffer of that size. */
function floorLarge(chunks: readonly Uint8Array[]): number {
  const first = chunks[0]!;
  const bytes = new Uint8Array(4 + new DataView(first.buffer, first.byteOffset).getUint32(0, true));
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  return bytes.subarray(8).length;
}

const cuts = {
  "64 KiB chunks": chunksOf(stream, () => 64 * 1024),
  "chunks of 1 to 1200 bytes": chunksOf(stream, () => 1 + Math.floor(random() * 1200)),
};
for (const [cut, chunks] of Object.entries(cuts)) {
  bench({
    name: `FrameReader, frames of 190 bytes, ${cut}`,
    baseline: "ours",
    bytes: stream.length,
    contenders: { "ours": () => oursRaw(chunks), "floor": () => floorRaw(chunks) },
    targets: { "floor": 0.6 },
  });
  bench({
    name: `FrameReader and AudioFrame.decode, frames of 190 bytes, ${cut}`,
    baseline: "ours",
    bytes: stream.length,
    contenders: { "ours": () => oursDecoded(chunks), "floor": () => floorDecoded(chunks) },
    targets: { "floor": 0.6 },
  });
}

const largeChunks = chunksOf(large, () => 1200);
bench({
  name: "FrameReader, one frame of 1 MB, 1200-byte chunks",
  baseline: "ours",
  bytes: large.length,
  contenders: { "ours": () => oursRaw(largeChunks), "floor": () => floorLarge(largeChunks) },
  targetMegabytesPerSecond: 1000,
});
