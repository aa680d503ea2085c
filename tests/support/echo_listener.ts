import { createCertificate, type CreatedCertificate, Session } from "../../src/transport/mod.ts";
import {
  type IncomingSession,
  type Listener,
  type ListenOptions,
  listenQuic,
} from "../../src/transport/listen.ts";

/** A listener on a free port of 127.0.0.1 whose sessions echo what comes on bidirectional streams, each byte on its own stream, to its FIN. */
export interface EchoListener extends AsyncDisposable {
  readonly listener: Listener;
  readonly certificate: CreatedCertificate;
  /** `https://127.0.0.1:port`. */
  readonly endpoint: string;
  /** Sessions in the order in which they came. */
  readonly sessions: { readonly session: Session; readonly incoming: IncomingSession }[];
  /** Resolves with the next session that comes, or one that came already and was not taken. */
  next(): Promise<Session>;
}

/** Echoes one stream: what comes goes back, and so does its end. */
export async function echo(
  readable: ReadableStream<Uint8Array>,
  writable: WritableStream<Uint8Array>,
): Promise<void> {
  await readable.pipeTo(writable).catch(() => {});
}

/** Starts an {@linkcode EchoListener}. */
export async function listenEcho(options: Partial<ListenOptions> = {}): Promise<EchoListener> {
  const certificate = await createCertificate();
  const { certificatePem, privateKeyPem } = certificate;
  const listener = await listenQuic({ certificatePem, privateKeyPem, ...options });
  const sessions: EchoListener["sessions"] = [];
  const waiting: ((session: Session) => void)[] = [];
  let taken = 0;

  (async () => {
    for await (const incoming of listener.accept()) {
      const session = new Session(incoming.session);
      sessions.push({ session, incoming });
      const waiter = waiting.shift();
      if (waiter !== undefined) {
        taken++;
        waiter(session);
      }
      serve(session);
    }
  })();

  return {
    listener,
    certificate,
    endpoint: `https://127.0.0.1:${listener.port}`,
    sessions,
    next() {
      const ready = sessions[taken];
      if (ready === undefined) return new Promise((resolve) => waiting.push(resolve));
      taken++;
      return Promise.resolve(ready.session);
    },
    async [Symbol.asyncDispose]() {
      await listener.close();
    },
  };
}

async function serve(session: Session): Promise<void> {
  const reader = session.incomingBidirectional.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    echo(next.value.readable, next.value.writable);
  }
}

/** Sends bytes on a stream, ends it, and reads what comes back to its end. */
export async function roundTrip(session: Session, bytes: Uint8Array): Promise<Uint8Array> {
  const stream = await session.openBidirectional();
  const writer = stream.writable.getWriter();
  const written = writer.write(bytes).then(() => writer.close());
  const [received] = await Promise.all([readAll(stream.readable), written]);
  return received;
}

/** Reads a stream to its end. */
export async function readAll(readable: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = readable.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
  }
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.length;
  }
  return all;
}
