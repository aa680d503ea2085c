/**
 * The one fork of what a gateway pushes: its one-way streams are read here, and each frame goes where its method id says.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { Clock } from "../../base/signal.ts";
import { ByteBudget, Unfinished } from "../../base/unfinished.ts";
import { ByteReader, type Session } from "../../transport/mod.ts";
import {
  AudioFrame,
  CallEvent,
  type Frame,
  FrameReader,
  methods,
  pushById,
  SessionEnding,
} from "../../wire/mod.ts";

/** Where pushed frames go. */
export interface PushHandlers {
  /** Bytes have come. Returns the time, on the monotonic clock. */
  speaks(): number;
  /** Bytes have come that end with a frame. Returns the time, on the monotonic clock. */
  heard(): number;
  /** When the gateway was last heard, on any stream. */
  lastHeard(): number;
  event(event: CallEvent): void;
  /** A frame that came at `now`. The payload is a view of the chunk it came in: copy what is kept. */
  audio(frame: AudioFrame, now: number): void;
  ending(ending: SessionEnding): void;
  /** A frame of a method this version does not know: skipped. */
  unknown(methodId: number): void;
  /** A stream whose bytes are not frames: cancelled, the session stays. */
  malformed(error: unknown): void;
  /** A stream that carried more than audio, or may have, broke off: what it would have said is lost. Also called when the session ends. */
  broken(end: BrokenStream): void;
}

/** Where a stream broke off. */
export interface BrokenStream {
  /** When the last bytes came that ended with a frame, on the monotonic clock; without one, the time as it was before the stream. */
  readonly heardAt: number;
  /** Whether it was in the middle of a frame. */
  readonly isMidFrame: boolean;
}

// A gateway needs a few push streams; a hostile one gets no more than this many at a time.
const MAX_PUSH_STREAMS = 256;
// Audio of 200 calls comes in one write; a stream that says nothing holds no more than the first read.
const PUSH_BYTES = 64 * 1024;
const FIRST_BYTES = 4 * 1024;
// The longest honest frame is an event with a few texts.
const LONGEST_FRAME = 256 * 1024;
// Frames that have begun and not ended, on all streams of a session; and how long one may take.
const MOST_UNFINISHED = 2 * 1024 * 1024;
const UNFINISHED_MS = 30_000;
// Two seconds of PCM16 at 16 kHz; an ordinary packet has 160 to 2,000 bytes.
const LONGEST_AUDIO = 64 * 1024;

/** Reads every push stream of a session until it ends. */
export function routePushes(session: Session, handlers: PushHandlers, clock: Clock): void {
  const budget = new ByteBudget(MOST_UNFINISHED);
  let open = 0;
  session.acceptUnidirectional((stream) => {
    if (open >= MAX_PUSH_STREAMS) {
      stream.cancel().catch(ignore);
      handlers.malformed(new Error(`More than ${MAX_PUSH_STREAMS} push streams at a time`));
      return;
    }
    open++;
    void readPushes(stream, handlers, { budget, clock }).finally(() => open--);
  });
}

async function readPushes(
  stream: ReadableStream<Uint8Array>,
  handlers: PushHandlers,
  bounds: { readonly budget: ByteBudget; readonly clock: Clock },
): Promise<void> {
  // Consumers that keep a payload copy it, and the frame reader copies what is unfinished: one buffer is enough.
  const reader = new ByteReader(stream, {
    ...{ bufferBytes: PUSH_BYTES, firstBytes: FIRST_BYTES, reuse: true },
  });
  const frames = new FrameReader({ rule: "push", limitBytes: LONGEST_FRAME });
  const read = { audio: 0, others: 0 };
  let heardAt = handlers.lastHeard();
  const unfinished = new Unfinished({
    ...{ ...bounds, limitMs: UNFINISHED_MS },
    onLate() {
      handlers.malformed(new Error(`A frame was not complete within ${UNFINISHED_MS} ms`));
      reader.cancel().catch(ignore);
    },
  });
  try {
    while (true) {
      const { value, done } = await reader.read();
      if (done && frames.pendingBytes === 0) return unfinished.end();
      if (done) break;
      const now = handlers.speaks();
      const whole = frames.push(value);
      for (const frame of whole) {
        if (frame.methodId === methods.AudioFrame.id) read.audio++;
        else read.others++;
        route(frame, handlers, now);
      }
      if (frames.pendingBytes === 0) heardAt = handlers.heard();
      if (!unfinished.note(frames.pendingBytes, whole.length > 0)) {
        handlers.malformed(new Error(`More than ${MOST_UNFINISHED} bytes of unfinished frames`));
        reader.cancel().catch(ignore);
        break;
      }
    }
  } catch (error) {
    // Reset by the peer, or gone with the session; or what it says cannot be read.
    if (error instanceof TeleQuickError) {
      handlers.malformed(error);
      reader.cancel().catch(ignore);
    }
  }
  unfinished.end();
  if (read.audio === 0 || read.others > 0) {
    handlers.broken({ heardAt, isMidFrame: frames.pendingBytes > 0 });
  }
}

function route({ methodId, envelope }: Frame, handlers: PushHandlers, now: number): void {
  switch (pushById(methodId)) {
    case methods.AudioFrame:
      if (envelope.length > LONGEST_AUDIO) {
        throw new TeleQuickError(
          "ERR_WIRE_INVALID",
          `Cannot read audio: the frame has ${envelope.length} bytes, expected at most ${LONGEST_AUDIO}`,
        );
      }
      return handlers.audio(AudioFrame.decode(envelope), now);
    case methods.CallEvent:
      return handlers.event(CallEvent.decode(envelope));
    case methods.SessionEnding:
      return handlers.ending(SessionEnding.decode(envelope));
    default:
      return handlers.unknown(methodId);
  }
}
