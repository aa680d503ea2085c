import { ignore } from "../../base/ignore.ts";
import { concatBytes } from "../../base/bytes.ts";
import { type Clock, sleep, within } from "../../base/signal.ts";
import { capsuleType, decodeClose, encodeClose, encodeDrain, LONGEST_REASON } from "./capsules.ts";
import { http3Code } from "./codes.ts";
import { type FrameSource, frameType, takeFrame } from "./frames.ts";
import type { CloseInfo } from "../types.ts";
import type { QuicConnection } from "./connection.ts";

const LARGEST_CAPSULE = 4 + LONGEST_REASON;
// A DATA frame holds the capsule with its head: type and length, two varints.
const LARGEST_FRAME = LARGEST_CAPSULE + 2 * 8;
// A session's CONNECT stream carries a handful of capsules. Empty frames without end would take a whole core.
const MOST_FRAMES = 1_000;
/** How long a connection stays open for the peer to answer the end of its session, in milliseconds. */
export const LONGEST_LINGER_MS = 250;

// How long the end of the stream waits for the end of the connection that may be its cause.
const SETTLE_MS = 20;

/** How a peer ended a session. */
export interface PeerEnd extends CloseInfo {
  /** The connection error to answer with, where the peer's end was malformed. */
  readonly error?: number;
}

/** Parts of a {@linkcode ConnectStream}. */
export interface ConnectStreamParts {
  readonly connection: QuicConnection;
  /** What the peer sends on the stream, from the first frame after the headers. */
  readonly frames: FrameSource;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly clock: Clock;
}

/** The CONNECT stream of an established session, whose end is the session's (draft-ietf-webtrans-http3-16 section 6). */
export class ConnectStream {
  /** Resolves when the peer ends the session; never rejects. */
  readonly ended: Promise<PeerEnd>;
  /** Resolves when the peer asks for an orderly end (section 4.7); otherwise never. */
  readonly draining: Promise<void>;
  readonly #connection: QuicConnection;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #clock: Clock;
  #onDrain!: () => void;

  constructor({ connection, frames, writer, clock }: ConnectStreamParts) {
    this.#connection = connection;
    this.#writer = writer;
    this.#clock = clock;
    this.draining = new Promise((resolve) => this.#onDrain = resolve);
    this.ended = this.#watch(frames);
  }

  /** Asks the peer for an orderly end; the session goes on. */
  drain(): void {
    this.#writer.write(encodeDrain()).catch(ignore);
  }

  /**
   * Ends the session, then the connection: at once when the peer has ended its side too, which is how a peer shows that it understood,
   * and then with H3_NO_ERROR. A peer that only understands the end of a connection learns code and reason from that.
   */
  async close(info: CloseInfo): Promise<void> {
    const { closeCode = 0, reason = "" } = info;
    this.#writer.write(encodeClose(info)).catch(ignore);
    this.#writer.close().catch(ignore);
    const answered = await within(async () => {
      await this.ended;
      return true;
    }, {
      timeoutMs: LONGEST_LINGER_MS,
      clock: this.#clock,
      onTimeout: () => new Error("the peer did not answer"),
    }).catch(() => false);
    this.#connection.close(
      answered ? { closeCode: http3Code.noError, reason: "" } : { closeCode, reason },
    );
  }

  /** Answers the peer's end: ends our side, then the connection. */
  answer({ error = http3Code.noError }: PeerEnd): void {
    this.#writer.close().catch(ignore);
    this.#connection.close({ closeCode: error, reason: "" });
  }

  async #watch(frames: FrameSource): Promise<PeerEnd> {
    // Capsules travel inside DATA frames, cut at will (RFC 9297 section 3.1); some clients write them bare.
    let data: Uint8Array = new Uint8Array(0);
    for (let count = 0; count < MOST_FRAMES; count++) {
      const next = await frames.next(LARGEST_FRAME);
      if (next === undefined) break;
      // A close capsule ends the session by itself, whether a FIN follows or not.
      if (next.type === capsuleType.closeSession) return readClose(next.payload);
      if (next.type === frameType.data) data = concatBytes([data, next.payload]);
      for (let capsule = takeFrame(data); capsule; capsule = takeFrame(data)) {
        data = capsule.rest;
        if (capsule.type === capsuleType.closeSession) return readClose(capsule.payload);
        if (capsule.type === capsuleType.drainSession) this.#onDrain();
      }
      if (data.length > 2 * LARGEST_FRAME) break;
    }
    // The stream ends with the connection, too, of which more is known.
    const gone = this.#connection.closed.then(ignore, ignore);
    await Promise.race([gone, sleep(SETTLE_MS, { clock: this.#clock })]);
    return { closeCode: 0, reason: "" };
  }
}

function readClose(payload: Uint8Array): PeerEnd {
  return decodeClose(payload) ??
    { closeCode: 0, reason: "", error: http3Code.messageError };
}
