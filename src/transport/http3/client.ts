import { ignore } from "../../base/ignore.ts";
import { type Clock, systemClock } from "../../base/signal.ts";
import { TransportFault } from "../fault.ts";
import { http3Code } from "./codes.ts";
import { ConnectStream } from "./connect_stream.ts";
import { encodeControl, setting, type Settings } from "./control_stream.ts";
import { encodeFrame, FrameSource, frameType } from "./frames.ts";
import { PeerStreams } from "./peer_streams.ts";
import { decodeStatus, encodeRequestHeader } from "./qpack.ts";
import type { QuicConnection } from "./connection.ts";
import { QuicSession } from "./quic.ts";

// What makes each server accept a CONNECT: the settings of RFC 9297, and those that the WebTransport drafts 02, 07 and 13 call for.
const SETTINGS = [
  [setting.extendedConnect, 1],
  [setting.datagrams, 1],
  [setting.datagramsDraft04, 1],
  [setting.webTransportDraft02, 1],
  [setting.maxSessionsDraft02, 1],
  [setting.maxSessionsDraft07, 1],
  [setting.maxSessionsDraft13, 1],
] as const;
// Any of them says that the server knows WebTransport by its older upgrade token, "webtransport".
const OLDER_DRAFTS = [
  setting.webTransportDraft02,
  setting.maxSessionsDraft02,
  setting.maxSessionsDraft07,
  setting.maxSessionsDraft13,
];
const READ_BYTES = 512;
const LARGEST_HEADER = 16_384;
const MOST_FRAMES_BEFORE = 16;

/**
 * Takes the client's part of the HTTP/3 handshake of WebTransport on a fresh connection: exchanges the settings, sends the CONNECT
 * request and reads its answer (RFC 9114, RFC 9220, draft-ietf-webtrans-http3-16 section 3). Has no time limit.
 *
 * @param connection Belongs to the session from now on, and is closed when it is missing.
 * @param url Where to.
 * @throws {TransportFault} When the connection ends first, the server has no WebTransport, or answers with another status than 2xx.
 */
export async function connectSession(
  connection: QuicConnection,
  url: URL,
  options: { readonly clock?: Clock } = {},
): Promise<QuicSession> {
  const { clock = systemClock } = options;
  const lost = connection.closed.then(({ closeCode, reason }): never => {
    throw new TransportFault(`connection closed by peer: ${reason} (code ${closeCode})`);
  });
  lost.catch(ignore);
  try {
    return await Promise.race([handshake(connection, url, clock), lost]);
  } catch (error) {
    const closeCode = error instanceof RequirementsFault
      ? http3Code.requirementsNotMet
      : http3Code.noError;
    connection.close({ closeCode, reason: "" });
    // What ended the connection says more than what failed because of it.
    throw await Promise.race([lost.catch((cause: unknown) => cause), Promise.resolve(error)]);
  }
}

class RequirementsFault extends TransportFault {}

async function handshake(
  connection: QuicConnection,
  url: URL,
  clock: Clock,
): Promise<QuicSession> {
  const control = await connection.createUnidirectionalStream({ waitUntilAvailable: true });
  const controlWriter = control.getWriter();
  await controlWriter.write(encodeControl(SETTINGS));
  const streams = new PeerStreams(connection, {
    role: "client",
    clock,
    onError: (closeCode, reason) => connection.close({ closeCode, reason }),
  });
  // The first that a client opens: number 0, which is the session's number.
  const stream = await connection.createBidirectionalStream({ waitUntilAvailable: true });
  const protocol = chooseProtocol(await streams.settings);
  const writer = stream.writable.getWriter();
  await writer.write(
    encodeFrame(
      frameType.headers,
      encodeRequestHeader({
        protocol,
        authority: url.host,
        path: url.pathname + url.search,
      }),
    ),
  );
  const frames = new FrameSource(stream.readable, { bufferBytes: READ_BYTES });
  const status = await readStatus(frames);
  if (status === undefined) throw new TransportFault("the answer to the request is malformed");
  if (status < 200 || status > 299) throw new TransportFault(`expected 200, got: ${status}`);
  const connect = new ConnectStream({ connection, frames, writer, clock });
  // The control stream has to stay open, and some runtimes close what they collect.
  return new QuicSession(connection, { streams, connect, keep: [controlWriter] });
}

/** The upgrade token that the server knows: a client waits for its settings to choose one (section 7 of the draft). */
function chooseProtocol(settings: Settings): string {
  const isOffered = (id: number): boolean => (settings.get(id) ?? 0) > 0;
  if (isOffered(setting.extendedConnect)) {
    if (OLDER_DRAFTS.some(isOffered)) return "webtransport";
    if (isOffered(setting.webTransportDraft16)) return "webtransport-h3";
  }
  throw new RequirementsFault("the server's settings offer no WebTransport");
}

async function readStatus(frames: FrameSource): Promise<number | undefined> {
  for (let count = 0; count < MOST_FRAMES_BEFORE; count++) {
    const next = await frames.next(LARGEST_HEADER);
    if (next === undefined || next.type === frameType.data) return undefined;
    if (next.type !== frameType.headers) continue;
    const status = decodeStatus(next.payload);
    // Interim answers (RFC 9110 section 15.2).
    if (status === undefined || status >= 200) return status;
  }
  return undefined;
}
