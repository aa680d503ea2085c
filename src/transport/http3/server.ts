import { ignore } from "../../base/ignore.ts";
import { type Clock, systemClock } from "../../base/signal.ts";
import { ConnectStream } from "./connect_stream.ts";
import { encodeControl, encodeGoaway, setting } from "./control_stream.ts";
import { encodeFrame, FrameSource, frameType } from "./frames.ts";
import { PeerStreams, type RequestStream } from "./peer_streams.ts";
import { decodeRequestHeader, encodeResponseHeader, type RequestHeader } from "./qpack.ts";
import type { QuicConnection } from "./connection.ts";
import { QuicSession } from "./quic.ts";

// What makes each client send its CONNECT: the settings of RFC 9220 and RFC 9297, and those that the WebTransport drafts 02 and 07 call
// for. Draft 16 is not offered: it asks for the transport parameter reset_stream_at, which no runtime here can set.
const SETTINGS = [
  [setting.extendedConnect, 1],
  [setting.datagrams, 1],
  [setting.webTransportDraft02, 1],
  [setting.maxSessionsDraft07, 1],
] as const;
// The upgrade token is "webtransport-h3" since draft 15 (section 3.2 of draft-ietf-webtrans-http3-16), and was "webtransport" before.
const PROTOCOLS: readonly (string | undefined)[] = ["webtransport", "webtransport-h3"];
const DRAFT02 = "draft02";
// The client's stream after the one of the session's request: what a GOAWAY names as the first that is not processed.
const NEXT_REQUEST = 4;

// A read that waits for the session's end holds its buffer for as long as the session lasts.
const READ_BYTES = 512;
const LARGEST_HEADER = 16_384;
const MOST_FRAMES_BEFORE = 8;

/** A CONNECT request that waits for its answer. */
export interface SessionRequest {
  /** Host and port, as the client wrote them. */
  readonly authority: string;
  /** Path and query, as the client wrote them. */
  readonly path: string;
  /** The `Origin` header: browsers send one, other clients do not. */
  readonly origin?: string;
}

/** A request with the means to answer it. */
export interface PendingSession {
  readonly request: SessionRequest;
  /** Answers 200: the session is established. */
  accept(): Promise<QuicSession>;
  /** Answers with another HTTP status. */
  reject(status: number): Promise<void>;
}

/**
 * Takes the server's part of the HTTP/3 handshake of WebTransport on a fresh connection: sends the settings and reads the CONNECT request
 * (RFC 9114, RFC 9220, draft-ietf-webtrans-http3-16 section 3). Every other first request is answered with 404.
 *
 * @returns `undefined` when the peer asked for something else, or for nothing intelligible.
 */
export async function acceptRequest(
  connection: QuicConnection,
  options: { readonly clock?: Clock } = {},
): Promise<PendingSession | undefined> {
  const { clock = systemClock } = options;
  const control = await connection.createUnidirectionalStream({ waitUntilAvailable: true });
  const controlWriter = control.getWriter();
  await controlWriter.write(encodeControl(SETTINGS));

  const streams = new PeerStreams(connection, {
    role: "server",
    clock,
    onError: (closeCode, reason) => connection.close({ closeCode, reason }),
  });
  const over = connection.closed.then(ignore, ignore);
  const first = await Promise.race([streams.firstRequest(), over]);
  if (first === undefined) return undefined;
  const { frames, header } = await readRequest(first);
  const writer = first.stream.writable.getWriter();
  if (!isSessionRequest(header)) {
    await answer(writer, 404);
    return undefined;
  }
  const { authority = "", path = "/", origin, draft02 } = header;
  return {
    request: { authority, path, ...(origin === undefined ? {} : { origin }) },
    reject: (status) => answer(writer, status),
    async accept() {
      const fields = draft02 === undefined ? {} : { "sec-webtransport-http3-draft": DRAFT02 };
      await writer.write(encodeHeaders(200, fields));
      streams.onRequest(answerLate);
      const connect = new ConnectStream({ connection, frames, writer, clock });
      return new QuicSession(connection, {
        streams,
        connect,
        onDrain: () => void controlWriter.write(encodeGoaway(NEXT_REQUEST)).catch(ignore),
      });
    },
  };
}

/** Answers a request on a connection that has its session: one session is all that there is (sections 5.1 and 5.2 of the draft). */
async function answerLate(request: RequestStream): Promise<void> {
  const { frames, header } = await readRequest(request);
  const status = isSessionRequest(header) ? 429 : 404;
  await answer(request.stream.writable.getWriter(), status);
  frames.release();
}

function isSessionRequest(header: RequestHeader | undefined): header is RequestHeader {
  return header?.method === "CONNECT" && PROTOCOLS.includes(header.protocol);
}

function encodeHeaders(status: number, fields: Readonly<Record<string, string>> = {}): Uint8Array {
  return encodeFrame(frameType.headers, encodeResponseHeader(status, fields));
}

async function answer(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  status: number,
): Promise<void> {
  await writer.write(encodeHeaders(status));
  await writer.close();
}

async function readRequest(
  { stream, head }: RequestStream,
): Promise<{ readonly frames: FrameSource; readonly header: RequestHeader | undefined }> {
  const frames = new FrameSource(stream.readable, { bufferBytes: READ_BYTES, head });
  // Frames of unknown types may come first (RFC 9114 section 9); a few are let pass.
  for (let count = 0; count < MOST_FRAMES_BEFORE; count++) {
    const next = await frames.next(LARGEST_HEADER);
    if (next === undefined || next.type === frameType.data) break;
    if (next.type === frameType.headers) {
      return { frames, header: decodeRequestHeader(next.payload) };
    }
  }
  return { frames, header: undefined };
}
