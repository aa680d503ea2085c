/**
 * The floor under the gateway: the same transport without frames, tokens or calls, in a process of its own. Every request is answered
 * with so many bytes; what comes on one-way streams goes back on one, in whole units, what is read in one turn in one write.
 * Its one argument is JSON; it prints its endpoint when it listens and ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { concatBytes } from "../../../src/base/bytes.ts";
import { listenQuic, type WebTransportLike } from "../../../src/transport/listen.ts";
import type { BareOptions } from "./hosts.ts";

const options = JSON.parse(process.argv[2] ?? "{}") as BareOptions;
const { certificatePem, privateKeyPem, requestBytes, replyBytes, maxStreams, unitBytes } = options;
const reply = new Uint8Array(replyBytes);

async function readAll<T>(streams: ReadableStream<T>, take: (value: T) => void): Promise<void> {
  const reader = streams.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) take(next.value);
  } catch {
    // The session is over.
  }
}

async function answer(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  let left = requestBytes;
  const writer = writable.getWriter();
  writer.closed.catch(() => {});
  await readAll(readable, (chunk) => {
    const isWhole = left > 0 && left <= chunk.length;
    left -= chunk.length;
    if (isWhole) writer.write(reply).then(() => writer.close()).catch(() => {});
  });
}

function serve(session: WebTransportLike): void {
  session.closed.catch(() => {});
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
  void readAll(session.incomingBidirectionalStreams, ({ readable, writable }) => {
    void answer(readable, writable);
  });
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

const listener = await listenQuic({ certificatePem, privateKeyPem, maxStreams });
process.stdout.write(`https://127.0.0.1:${listener.port}\n`);
process.stdin.on("data", () => {});
process.stdin.on("end", () => process.exit(0));
for await (const { session } of listener.accept()) serve(session);
