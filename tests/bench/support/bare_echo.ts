/**
 * The floor under audio: bytes that go to a peer and come back, with nothing but the transport.
 *
 * @module
 */

import { concatBytes } from "../../../src/base/bytes.ts";
import {
  ByteReader,
  type ByteReaderOptions,
  type WebTransportLike,
} from "../../../src/transport/mod.ts";
import { bareFrame } from "./bare_links.ts";

/** Reads a stream to its end. Never rejects. */
export async function readAll<T>(
  streams: ReadableStream<T>,
  take: (value: T) => void,
): Promise<void> {
  const reader = streams.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  } catch {
    // The session is over.
  }
}

// As much as a client reads of a gateway's streams at a time, and a gateway of a client's: the runtime's own reads take 64 KiB each, which
// costs more than the frame that comes in them.
const DOWNLINK = { bufferBytes: 64 * 1024, firstBytes: 4 * 1024, reuse: true } as const;
const UPLINK = { bufferBytes: 16 * 1024, firstBytes: 1_024, reuse: true } as const;

/** Reads a stream's bytes to their end. `take` has them until it returns. Never rejects. */
async function readBytes(
  stream: ReadableStream<Uint8Array>,
  take: (bytes: Uint8Array) => void,
  options: ByteReaderOptions,
): Promise<void> {
  const reader = new ByteReader(stream, options);
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  } catch {
    // The session is over.
  }
}

/** Sends back what comes on one-way streams, in whole units, on one stream: what is read in one turn in one write. */
export function echoBytes(session: WebTransportLike, unitBytes: number): void {
  let waiting: Uint8Array[] = [];
  let downlink: Promise<WritableStreamDefaultWriter<Uint8Array>> | undefined;
  let busy = false;
  const flush = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const writer = await (downlink ??= session.createUnidirectionalStream().then((stream) =>
        stream.getWriter()
      ));
      while (waiting.length > 0) {
        await writer.ready;
        const chunks = waiting;
        waiting = [];
        await writer.write(concatBytes(chunks));
      }
    } catch {
      // The session is over.
    }
    busy = false;
  };
  void readAll(session.incomingUnidirectionalStreams, (stream) => {
    let rest = new Uint8Array(0);
    void readBytes(stream, (chunk) => {
      const bytes = concatBytes([rest, chunk]);
      const whole = bytes.length - bytes.length % unitBytes;
      rest = bytes.slice(whole);
      if (whole === 0) return;
      waiting.push(bytes.subarray(0, whole));
      void flush();
    }, UPLINK);
  });
}

/** What sends a frame of every call. */
export interface Speaker {
  speak(): void;
}

/** The bytes of so many calls, in as many streams or in one: a write per stream and tick. What comes back is read and dropped. */
export async function speakBytes(
  transport: WebTransportLike,
  count: number,
  streams: "call" | "shared",
): Promise<Speaker> {
  const perStream = streams === "call" ? 1 : count;
  const bytes = concatBytes(new Array(perStream).fill(bareFrame()));
  const writers: WritableStreamDefaultWriter<Uint8Array>[] = [];
  for (let i = 0; i < count / perStream; i++) {
    writers.push((await transport.createUnidirectionalStream()).getWriter());
  }
  void readAll(transport.incomingUnidirectionalStreams, (stream) => {
    void readBytes(stream, () => {}, DOWNLINK);
  });
  return {
    speak() {
      for (const writer of writers) writer.write(bytes).catch(() => {});
    },
  };
}
