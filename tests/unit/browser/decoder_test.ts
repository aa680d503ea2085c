import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import { encodePcmu, pcm16Bytes, toneSamples } from "../../../src/audio/mod.ts";
import { FrameDecoder } from "../../../src/browser/decoder.ts";
import type { ReceivedFrame } from "../../../src/client/mod.ts";

function frame(sequenceNumber: number, payload: Uint8Array, codec = "PCMU"): ReceivedFrame {
  return {
    callSid: "call",
    payload,
    codec,
    sequenceNumber,
    endOfStream: false,
    concealed: false,
  };
}

/** Decodes frames that arrive 20 ms apart; gives how many samples each of them completed. */
function lengths(decoder: FrameDecoder, frames: readonly ReceivedFrame[]): number[] {
  return frames.map((each, i) => {
    let length = 0;
    decoder.push(each, i * 20, (samples) => length += samples.length);
    return length;
  });
}

const speech = encodePcmu(
  toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: 20 }),
);

Deno.test("FrameDecoder gives 20 ms for each frame, at the context's rate", () => {
  same(lengths(new FrameDecoder(48_000), [0, 1, 2].map((n) => frame(n, speech))), [960, 960, 960]);
  same(lengths(new FrameDecoder(44_100), [0, 1, 2].map((n) => frame(n, speech))), [882, 882, 882]);
  const wide = pcm16Bytes(new Int16Array(320));
  same(lengths(new FrameDecoder(48_000), [frame(0, wide, "PCM16")]), [960]);
});

Deno.test("FrameDecoder puts a stand-in where a frame was lost, so that what waits stays as long", () => {
  const frames = [0, 1, 3, 4].map((n) => frame(n, speech));
  // The missing one is waited for until the next arrives.
  same(lengths(new FrameDecoder(48_000), frames), [960, 960, 0, 3 * 960]);
});

Deno.test("FrameDecoder puts frames that overtook each other in order", () => {
  const loud = encodePcmu(new Int16Array(160).fill(8_000));
  const quiet = encodePcmu(new Int16Array(160).fill(0));
  const decoder = new FrameDecoder(8_000);
  const heard: number[] = [];
  const numbers = [[0, quiet], [2, quiet], [1, loud], [3, quiet]] as const;
  numbers.forEach(([number, payload], i) =>
    decoder.push(frame(number, payload), i * 20, (samples) => heard.push(samples[80]!))
  );
  equal(heard.length, 4);
  ok(heard[1]! > 7_000 && heard[2]! < 100);
});

Deno.test("FrameDecoder skips what it cannot decode", () => {
  const decoder = new FrameDecoder(48_000);
  const odd = [
    frame(0, new Uint8Array(160), "OPUS"),
    frame(1, new Uint8Array(0)),
    frame(2, new Uint8Array(3), "PCM16"),
  ];
  same(lengths(decoder, odd), [0, 0, 0]);
});
