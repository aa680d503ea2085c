import type { AudioLink, Supervision } from "@telequick/sdk";
import { decodePcmu } from "@telequick/sdk/audio";
import {
  AudioFrame,
  encodeReply,
  FrameReader,
  methods,
  SupervisionMode,
} from "@telequick/sdk/wire";
import { type Check, equal, ok } from "../check.ts";
import { checksOf, type Rows } from "./rpc.ts";
import { answer, CALL_SID, openStage, type Stage } from "./stage.ts";

const FRAME_BYTES = 160;

/** The frames of a stream of audio, to its end. */
async function framesOf(stream: ReadableStream<Uint8Array>): Promise<AudioFrame[]> {
  const reader = new FrameReader();
  const frames: AudioFrame[] = [];
  const chunks = stream.getReader();
  for (let next = await chunks.read(); !next.done; next = await chunks.read()) {
    for (const { methodId, envelope } of reader.push(next.value)) {
      equal(methodId, methods.AudioFrame.id, "method id of a frame");
      const frame = AudioFrame.decode(envelope);
      frames.push({ ...frame, payload: frame.payload.slice() });
    }
  }
  return frames;
}

/** The gateway's frames of the call, the first with a payload of one repeated byte. */
async function pushAudio(stage: Stage, byte: number): Promise<void> {
  const frame = { callSid: CALL_SID, codec: "PCMU", sequenceNumber: 0 };
  await stage.peer.push(methods.AudioFrame, {
    ...frame,
    payload: new Uint8Array(FRAME_BYTES).fill(byte),
  });
}

async function withLink(
  work: (link: AudioLink, stage: Stage) => void | Promise<void>,
): Promise<void> {
  await using stage = await openStage();
  const call = await stage.dial();
  await stage.event(answer);
  await call.answered();
  await work(call.audio(), stage);
}

const linkRows: Rows<AudioLink> = {
  callSid: {
    kind: "other",
    check: () => withLink(({ callSid }) => equal(callSid, CALL_SID)),
  },
  codec: {
    kind: "other",
    check: () => withLink(({ codec }) => equal(codec, "PCMU")),
  },
  sampleRate: {
    kind: "other",
    check: () => withLink(({ sampleRate }) => equal(sampleRate, 8_000)),
  },
  readable: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const reader = link.readable.getReader();
        await pushAudio(stage, 0x55);
        const { value } = await reader.read();
        equal(value?.payload, new Uint8Array(FRAME_BYTES).fill(0x55), "payload");
        equal([value?.callSid, value?.codec, value?.concealed], [CALL_SID, "PCMU", false]);
      }),
  },
  samples: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const reader = link.samples.getReader();
        await pushAudio(stage, 0x55);
        const { value } = await reader.read();
        equal(value, decodePcmu(new Uint8Array(FRAME_BYTES).fill(0x55)), "samples");
      }),
  },
  writable: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const writer = link.writable.getWriter();
        const spoken = Uint8Array.from({ length: 2 * FRAME_BYTES }, (_, i) => i & 255);
        await writer.write(spoken);
        await writer.close();
        const frames = await framesOf(stage.audio[0]!);
        const [first, second, last] = frames;
        equal(frames.length, 3, "frames");
        equal(first?.payload, spoken.slice(0, FRAME_BYTES), "first payload");
        equal(second?.payload, spoken.slice(FRAME_BYTES), "second payload");
        equal([first?.callSid, first?.codec, first?.sequenceNumber], [CALL_SID, "PCMU", 0]);
        equal([last?.endOfStream, last?.payload.length], [true, 0], "the frame that ends it");
      }),
  },
  stats: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const reader = link.readable.getReader();
        await pushAudio(stage, 1);
        await reader.read();
        equal(link.stats().received, 1, "received");
        equal(link.stats().sent, 0, "sent");
      }),
  },
  play: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const playback = link.play(new Uint8Array(2 * FRAME_BYTES).fill(7), { id: "greeting" });
        equal(playback.id, "greeting");
        equal(await playback.finished, { playedMs: 40, durationMs: 40, interrupted: false });
        await link.close();
        const frames = await framesOf(stage.audio[0]!);
        equal(frames.map(({ payload }) => payload[0]), [7, 7, undefined], "what was sent");
      }),
  },
  flush: {
    kind: "other",
    check: () =>
      withLink(async (link) => {
        const writer = link.writable.getWriter();
        writer.write(new Uint8Array(3 * FRAME_BYTES)).catch(() => {});
        await link.flush();
        equal(link.stats().sent, 3, "sent");
      }),
  },
  skipToNow: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        await pushAudio(stage, 1);
        while (link.stats().received === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        equal(link.skipToNow(), 20, "milliseconds dropped");
      }),
  },
  clear: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const writer = link.writable.getWriter();
        // A second of it waits.
        writer.write(new Uint8Array(50 * FRAME_BYTES)).catch(() => {});
        const cut = await link.clear();
        ok(cut.interrupted && cut.durationMs === 1_000, `${cut.durationMs} ms were cut`);
        const { method, fields } = await stage.request();
        equal([method, fields["callSid"]], ["Barge", CALL_SID]);
        await writer.close();
        const frames = await framesOf(stage.audio[0]!);
        ok(frames.length < 50, `${frames.length} frames were sent, what waited was dropped`);
      }),
  },
  close: {
    kind: "other",
    check: () =>
      withLink(async (link, stage) => {
        const reader = link.readable.getReader();
        const writer = link.writable.getWriter();
        await writer.write(new Uint8Array(FRAME_BYTES));
        writer.releaseLock();
        await link.close();
        equal((await reader.read()).done, true, "what is read has ended");
        const frames = await framesOf(stage.audio[0]!);
        equal(frames.at(-1)?.endOfStream, true, "the last frame ends the stream");
      }),
  },
  [Symbol.asyncDispose]: {
    kind: "other",
    check: () =>
      withLink(async (link) => {
        const reader = link.readable.getReader();
        await link[Symbol.asyncDispose]();
        equal((await reader.read()).done, true, "what is read has ended");
      }),
  },
};

/** A supervision whose request has been answered, and the gateway's side of its stream. */
async function withSupervision(
  work: (supervision: Supervision, end: () => void, stage: Stage) => void | Promise<void>,
): Promise<void> {
  let end!: () => void;
  const over = new Promise<void>((resolve) => end = resolve);
  await using stage = await openStage({
    async *SuperviseSubscribe() {
      yield encodeReply(methods.SuperviseSubscribe, { status: "OK" });
      await over;
    },
  });
  const supervision = await stage.client.supervise({
    callSid: CALL_SID,
    mode: SupervisionMode.BARGE,
  });
  try {
    await work(supervision, end, stage);
  } finally {
    end();
  }
}

const supervisionRows: Rows<Supervision> = {
  callSid: {
    kind: "other",
    check: () => withSupervision(({ callSid }) => equal(callSid, CALL_SID)),
  },
  mode: {
    kind: "other",
    check: () => withSupervision(({ mode }) => equal(mode, SupervisionMode.BARGE)),
  },
  audio: {
    kind: "other",
    check: () =>
      withSupervision(async ({ audio }, _end, stage) => {
        const reader = audio.readable.getReader();
        await pushAudio(stage, 0x33);
        const { value } = await reader.read();
        equal(value?.payload[0], 0x33, "what the supervisor hears");
      }),
  },
  ended: {
    kind: "other",
    check: () =>
      withSupervision(async ({ ended }, end) => {
        end();
        await ended;
      }),
  },
  close: {
    kind: "other",
    check: () =>
      withSupervision(async (supervision, _end, stage) => {
        const { aborted } = await requestOf(stage);
        await supervision.close();
        await supervision.ended;
        await aborted;
      }),
  },
  [Symbol.asyncDispose]: {
    kind: "other",
    check: () =>
      withSupervision(async (supervision, _end, stage) => {
        const { aborted } = await requestOf(stage);
        await supervision[Symbol.asyncDispose]();
        await supervision.ended;
        await aborted;
      }),
  },
};

async function requestOf(stage: Stage): Promise<{ readonly aborted: Promise<void> }> {
  const request = await stage.request();
  equal(request.method, "SuperviseSubscribe");
  return request;
}

export const linkChecks: readonly Check[] = checksOf("AudioLink", linkRows, async (stage) => {
  return (await stage.dial()).audio();
});

export const supervisionChecks: readonly Check[] = checksOf(
  "Supervision",
  supervisionRows,
  (stage) => stage.client.supervise({ callSid: CALL_SID }),
);
