import { ignore } from "../../base/ignore.ts";
import { later } from "../http3/dialled.ts";
import type {
  BidirectionalStream,
  CloseInfo,
  DatagramsLike,
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../types.ts";

// A peer on Deno grants 100 bidirectional streams and never more; the CONNECT request takes one.
const STREAMS_PER_SESSION = 99;

/** Wraps Deno's own WebTransport, whose streams never return their credit (denoland/deno#36822): `streamsLeft` counts down. */
export function countedWebTransport(native: WebTransportConstructor): WebTransportConstructor {
  return class CountedWebTransport implements WebTransportLike {
    readonly ready: Promise<void>;
    readonly closed: Promise<unknown>;
    readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
    readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
    readonly keepsAlive = true;
    // Kept for as long as this object: the session ends when the runtime collects its own.
    readonly #session: WebTransportLike;
    #isReady = false;
    #opened = 0;

    constructor(url: string, init?: WebTransportOptionsLike) {
      const session = new native(url, init);
      this.#session = session;
      this.ready = session.ready.then(() => {
        this.#isReady = true;
      });
      this.ready.catch(ignore);
      this.closed = session.closed;
      this.closed.catch(ignore);
      this.incomingBidirectionalStreams = later(async () => {
        await this.ready;
        return session.incomingBidirectionalStreams;
      });
      this.incomingUnidirectionalStreams = later(async () => {
        await this.ready;
        return session.incomingUnidirectionalStreams;
      });
    }

    get datagrams(): DatagramsLike | undefined {
      return this.#session.datagrams;
    }

    get streamsLeft(): number | undefined {
      return this.#isReady ? Math.max(0, STREAMS_PER_SESSION - this.#opened) : undefined;
    }

    async createBidirectionalStream(): Promise<BidirectionalStream> {
      await this.ready;
      const stream = await this.#session.createBidirectionalStream();
      this.#opened++;
      return stream;
    }

    async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
      await this.ready;
      return await this.#session.createUnidirectionalStream();
    }

    close(info: CloseInfo = {}): void {
      // Deno refuses to close a session that is not ready, and opens it nevertheless.
      if (this.#isReady) this.#session.close(info);
      else this.ready.then(() => this.#session.close(info)).catch(ignore);
    }
  };
}
