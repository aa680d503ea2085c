/**
 * The floor under audio: bytes that go to a peer and come back, with nothing but the transport.
 *
 * @module
 */

import { concatBytes } from "../../../src/base/bytes.ts";
import type { WebTransportLike } from "../../../src/transport/mod.ts";
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
    void readAll(stream, (chunk) => {
      const bytes = rest.length === 0 ? chunk : concatBytes([rest, chunk]);
      const whole = bytes.length - bytes.length % unitBytes;
      rest = bytes.slice(whole);
      if (whole === 0) return;
      waiting.push(bytes.subarray(0, whole));
      void flush();
    });
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
    void readAll(stream, () => {});
  });
  return {
    speak() {
      for (const writer of writers) writer.write(bytes).catch(() => {});
    },
  };
}
