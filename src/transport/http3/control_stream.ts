import { concatBytes } from "../../base/bytes.ts";
import { type ConnectionErrorHandler, http3Code } from "./codes.ts";
import { encodeFrame, FrameSource, frameType } from "./frames.ts";
import { decodeVarint, encodeVarint } from "./stream_header.ts";

/** Types of HTTP/3's own one-way streams (RFC 9114 section 6.2, RFC 9204 section 4.2). */
export const ownStreamType = { control: 0x00, push: 0x01, encoder: 0x02, decoder: 0x03 } as const;

/** Identifiers of settings: extended CONNECT (RFC 9220), datagrams (RFC 9297), and WebTransport as each draft in use names it. */
export const setting = {
  extendedConnect: 0x08,
  datagrams: 0x33,
  datagramsDraft04: 0xffd277,
  webTransportDraft02: 0x2b603742,
  maxSessionsDraft02: 0x2b603743,
  maxSessionsDraft07: 0xc671706a,
  maxSessionsDraft13: 0x14e9cd29,
  webTransportDraft16: 0x2c7cf000,
} as const;

/** The peer's settings, by identifier. */
export type Settings = ReadonlyMap<number, number>;

// Settings of HTTP/2 that HTTP/3 reserves: receiving one is an error (RFC 9114 section 7.2.4.1).
const RESERVED_SETTINGS = [0x02, 0x03, 0x04, 0x05];
const LARGEST_FRAME = 16_384;
const MOST_FRAMES = 1_000;
// A control stream is silent for nearly all of its life, and its read waits.
const READ_BYTES = 64;

/** The beginning of a control stream: its type and the SETTINGS frame. */
export function encodeControl(settings: readonly (readonly [id: number, value: number])[]) {
  const payload = concatBytes(settings.flatMap((pair) => pair.map(encodeVarint)));
  return concatBytes([
    encodeVarint(ownStreamType.control),
    encodeFrame(frameType.settings, payload),
  ]);
}

/** A GOAWAY frame: requests from this stream on are not processed (RFC 9114 section 5.2). */
export function encodeGoaway(streamId: number): Uint8Array {
  return encodeFrame(frameType.goaway, encodeVarint(streamId));
}

/** Receives what comes on a control stream. */
export interface ControlHandlers {
  readonly onSettings: (settings: Settings) => void;
  readonly onGoaway: () => void;
  readonly onError: ConnectionErrorHandler;
}

/** Reads the peer's control stream for as long as the connection lasts (RFC 9114 section 6.2.1). Its type was read before. */
export async function readControl(
  readable: ReadableStream<Uint8Array>,
  head: Uint8Array,
  { onSettings, onGoaway, onError }: ControlHandlers,
): Promise<void> {
  const frames = new FrameSource(readable, { bufferBytes: READ_BYTES, head });
  for (let count = 0; count < MOST_FRAMES; count++) {
    const next = await frames.next(LARGEST_FRAME);
    if (next === undefined) {
      return frames.isTooLarge
        ? onError(http3Code.excessiveLoad, "a frame of the control stream is too large")
        : onError(http3Code.closedCriticalStream, "the control stream was closed");
    }
    const { type, payload } = next;
    if (count === 0) {
      if (type !== frameType.settings) {
        return onError(
          http3Code.missingSettings,
          "the control stream does not begin with SETTINGS",
        );
      }
      const settings = decodeSettings(payload);
      if (settings === undefined) {
        return onError(http3Code.settingsError, "the SETTINGS frame is malformed");
      }
      onSettings(settings);
    } else if (UNEXPECTED.includes(type)) {
      return onError(http3Code.frameUnexpected, `a frame of type ${type} on the control stream`);
    } else if (type === frameType.goaway) onGoaway();
  }
  onError(http3Code.excessiveLoad, "too many frames on the control stream");
}

// RFC 9114 section 7.2: frames that have no place on a control stream, and SETTINGS, which comes once (section 7.2.4).
const UNEXPECTED: readonly number[] = [
  frameType.data,
  frameType.headers,
  frameType.settings,
  frameType.pushPromise,
];

/** Reads the payload of a SETTINGS frame; `undefined` when it is cut short, repeats an identifier or has a reserved one. */
export function decodeSettings(payload: Uint8Array): Settings | undefined {
  const settings = new Map<number, number>();
  for (let offset = 0; offset < payload.length;) {
    const id = decodeVarint(payload, offset);
    const value = id && decodeVarint(payload, id.end);
    if (id === undefined || value === undefined) return undefined;
    if (settings.has(id.value) || RESERVED_SETTINGS.includes(id.value)) return undefined;
    settings.set(id.value, value.value);
    offset = value.end;
  }
  return settings;
}
