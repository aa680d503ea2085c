/**
 * The first stream of a session: one `Authenticate` request, read within bounds, answered, and the stream brought to its end.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { Canceller, within } from "../../base/signal.ts";
import { type BidirectionalStream, ByteReader, type IncomingSession } from "../../transport/mod.ts";
import {
  AuthenticateRequest,
  type AuthenticateResponse,
  encodeReply,
  methods,
} from "../../wire/mod.ts";
import {
  admit,
  type Admitted,
  type Refused,
  type TokenOrigin,
  type Unavailable,
} from "../auth/admit.ts";
import type { GatewayContext } from "../context.ts";
import { isLoopback } from "../validate.ts";
import { drain, readRequest, REQUEST_BYTES } from "./streams.ts";

interface FirstStream {
  readonly reader: ByteReader;
  readonly writer: WritableStreamDefaultWriter<Uint8Array>;
}

/** How one session shows its token: once. */
export class Handshake {
  readonly #gateway: GatewayContext;
  readonly #from: TokenOrigin;
  readonly #token: string | undefined;
  readonly #breach = new Canceller();
  #first: FirstStream | undefined;
  #onFirst: ((stream: FirstStream) => void) | undefined;
  /** Whether the token is here, and being checked. */
  #isTokenRead = false;

  constructor(gateway: GatewayContext, { origin, address, path = "/" }: IncomingSession) {
    this.#gateway = gateway;
    // What one peer can make the gateway look up is bounded by its address.
    const isShared = address === undefined || isLoopback(address);
    this.#from = { origin, address: isShared ? undefined : address };
    this.#token = gateway.rules.acceptQueryToken
      ? new URLSearchParams(path.split("?", 2)[1]).get("token") ?? undefined
      : undefined;
  }

  /** Whether the token came in the URL, so that no stream carries it. */
  get hasToken(): boolean {
    return this.#token !== undefined;
  }

  /** Takes a stream that the peer opened. Returns `false` for any but the first. */
  offer(stream: BidirectionalStream): boolean {
    if (this.#first !== undefined) return false;
    const reader = new ByteReader(stream.readable, { bufferBytes: REQUEST_BYTES });
    this.#first = { reader, writer: stream.writable.getWriter() };
    this.#first.reader.closed.catch(ignore);
    this.#first.writer.closed.catch(ignore);
    this.#onFirst?.(this.#first);
    this.#onFirst = undefined;
    return true;
  }

  /** Ends the wait: the peer broke the rules, or is gone. The reason is for the log. */
  breach(reason: string): void {
    this.#breach.abort(new Error(reason));
  }

  /** What comes of it, within the time that a handshake has. Never rejects. */
  async outcome(): Promise<Admitted | Refused | Unavailable> {
    const { clock, cluster, limits } = this.#gateway;
    let isLate = false;
    try {
      return await within(() => this.#check(), {
        timeoutMs: limits.handshakeMs,
        clock,
        signal: this.#breach,
        onTimeout: () => {
          isLate = true;
          return new Error(`No token came within ${limits.handshakeMs} ms`);
        },
      });
    } catch (error) {
      // It is the store that is late, which says nothing about the token.
      if (isLate && this.#isTokenRead && cluster !== undefined) {
        return { unavailable: `It was not checked within ${limits.handshakeMs} ms` };
      }
      return { refusal: "rejected", reason: error instanceof Error ? error.message : "It failed" };
    }
  }

  /** Answers the first stream, if there is one, with the gateway's time. `track` remembers what stops it when the session is over. */
  async reply(
    response: Partial<AuthenticateResponse>,
    track: (stop: () => void) => () => void,
  ): Promise<void> {
    if (this.#first === undefined) return;
    const { clock, limits, rules } = this.#gateway;
    const { reader, writer } = this.#first;
    const stop = (): void => {
      reader.cancel().catch(ignore);
      writer.abort().catch(ignore);
    };
    const untrack = track(stop);
    const disarm = clock.schedule(limits.streamMs, stop);
    try {
      const framed = rules.framedReplies;
      const reply = { ...response, serverTimeMs: clock.now() };
      await writer.write(encodeReply(methods.Authenticate, reply, { framed }));
      await writer.close();
      await drain(reader, limits.drainBytes);
    } catch {
      stop();
    } finally {
      disarm();
      untrack();
      // The session can last for days, and a stream that is over still holds the 64 KiB it was last read into.
      this.#first = undefined;
    }
  }

  /** Stops reading. */
  stop(): void {
    this.#first?.reader.cancel().catch(ignore);
  }

  async #check(): Promise<Admitted | Refused | Unavailable> {
    if (this.#token !== undefined) return await this.#admit(this.#token);
    const { reader } = this.#first ??
      await new Promise<FirstStream>((resolve) => this.#onFirst = resolve);
    const frame = await readRequest(reader, this.#gateway.limits.handshakeBytes);
    if (frame.methodId !== methods.Authenticate.id) {
      return { refusal: "rejected", reason: "The first request is not Authenticate" };
    }
    const { token } = AuthenticateRequest.decode(frame.envelope);
    return await this.#admit(token);
  }

  #admit(token: string): Promise<Admitted | Refused | Unavailable> {
    this.#isTokenRead = true;
    return admit(token, this.#from, this.#gateway);
  }
}
