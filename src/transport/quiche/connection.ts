import { type Deferred, deferred } from "../../base/deferred.ts";
import type { Clock } from "../../base/signal.ts";
import { TransportFault } from "../fault.ts";
import type { QuicConnection } from "../http3/connection.ts";
import type { BidirectionalStream } from "../types.ts";
import { type HostPort, LARGEST_SENT, type QuicheError, type QuicheState } from "./binding.ts";
import { type Half, Receiving, Sending, type StreamHost } from "./stream.ts";

/** Parts of a {@linkcode QuicheConnection}. */
export interface QuicheConnectionParts {
  readonly state: QuicheState;
  readonly role: "client" | "server";
  /** The address that packets come in at. */
  readonly local: HostPort;
  /** Sends a UDP packet; one that cannot be sent is lost. */
  readonly send: (packet: Uint8Array, to: HostPort) => void;
  /** Judges the peer once the handshake is done, before anything else is sent: why it is refused, if it is. */
  readonly judge?: (state: QuicheState) => string | undefined;
  /** Called once when the connection needs no socket any more. */
  readonly onGone: () => void;
  /** How often an idle connection is kept alive, in milliseconds. */
  readonly keepAliveMs: number;
  readonly clock: Clock;
}

type Kind = "bidirectional" | "unidirectional";

// TLS alerts are the codes from here on (RFC 9001 section 4.8).
const FIRST_ALERT = 0x100;
const LAST_ALERT = 0x1ff;
const BAD_CERTIFICATE = FIRST_ALERT + 42;
const CONNECTION_REFUSED = 0x02;

/**
 * A QUIC connection over quiche's state machine: packets, timers and streams. Everything is done in the turn in which a packet or a
 * timer comes; what is written in one turn leaves together at its end.
 */
export class QuicheConnection implements QuicConnection {
  readonly closed: Promise<{ readonly closeCode: number; readonly reason: string }>;
  /** Resolves when the handshake is done and the peer is accepted; rejects when there will be none. */
  readonly established: Promise<void>;
  readonly incomingBidirectionalStreams: ReadableStream<BidirectionalStream>;
  readonly incomingUnidirectionalStreams: ReadableStream<ReadableStream<Uint8Array>>;
  readonly #parts: QuicheConnectionParts;
  readonly #closed: Deferred<{ readonly closeCode: number; readonly reason: string }> = deferred();
  readonly #established: Deferred<void> = deferred();
  readonly #receiving = new Map<number, Receiving>();
  readonly #sending = new Map<number, Sending>();
  readonly #waiting: Record<Kind, (() => void)[]> = { bidirectional: [], unidirectional: [] };
  readonly #next: Record<Kind, number>;
  readonly #peers: Record<Kind, PeerIds>;
  readonly #packet = new Uint8Array(LARGEST_SENT);
  readonly #host: StreamHost;
  #bidirectional!: ReadableStreamDefaultController<BidirectionalStream>;
  #unidirectional!: ReadableStreamDefaultController<ReadableStream<Uint8Array>>;
  #cancelTimer: (() => void) | undefined;
  #timerAt = Infinity;
  #keepAliveAt = Infinity;
  #isFlushing = false;
  #isEstablished = false;
  #isOver = false;
  #isGone = false;

  constructor(parts: QuicheConnectionParts) {
    this.#parts = parts;
    const isServer = parts.role === "server" ? 1 : 0;
    this.#next = { bidirectional: isServer, unidirectional: 2 + isServer };
    this.#peers = {
      bidirectional: new PeerIds(1 - isServer),
      unidirectional: new PeerIds(3 - isServer),
    };
    this.closed = this.#closed.promise;
    this.established = this.#established.promise;
    this.incomingBidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#bidirectional = controller),
    });
    this.incomingUnidirectionalStreams = new ReadableStream({
      start: (controller) => void (this.#unidirectional = controller),
    });
    this.#host = {
      state: parts.state,
      flush: () => this.#flushSoon(),
      forget: (id, half) => void this.#halves(half).delete(id),
    };
  }

  get maxDatagramSize(): number {
    return this.#parts.state.dgramMaxWritableLen() ?? 0;
  }

  async createBidirectionalStream(): Promise<BidirectionalStream> {
    const id = await this.#open("bidirectional");
    return this.#addBidirectional(id);
  }

  async createUnidirectionalStream(): Promise<WritableStream<Uint8Array>> {
    return this.#addSending(await this.#open("unidirectional"));
  }

  // deno-lint-ignore require-await
  async sendDatagram(bytes: Uint8Array): Promise<void> {
    if (this.#isOver) throw lost();
    this.#parts.state.dgramSend(bytes);
    this.#flushSoon();
  }

  close({ closeCode, reason }: { closeCode: number; reason: string }): void {
    if (this.#isOver) return;
    const { state } = this.#parts;
    const words = new TextEncoder().encode(reason);
    // Before the handshake is done an application's code could be read by anyone (RFC 9000 section 10.2.3).
    attempt(() => state.close(this.#isEstablished, this.#isEstablished ? closeCode : 0x0c, words));
    this.#end(() => this.#closed.resolve({ closeCode, reason }));
    this.#flush();
  }

  /** Starts the handshake, as a client. */
  start(): void {
    this.#flush();
  }

  /** Takes a packet from the network; it is changed by that. */
  receive(packet: Uint8Array, from: HostPort): void {
    if (this.#isGone) return;
    const { state, local } = this.#parts;
    try {
      state.recv(packet, { from, to: local });
    } catch {
      // A packet that is not valid, or a failed handshake, of which the state knows more.
    }
    this.#advance();
    this.#flush();
  }

  /** The socket is over: so is the connection, independent of its state. */
  fail(error: Error): void {
    this.#end(() => this.#closed.reject(error));
    this.#leave();
  }

  /** Looks at what changed. */
  #advance(): void {
    const { state, judge, clock, keepAliveMs } = this.#parts;
    if (!this.#isEstablished && !this.#isOver && state.isEstablished()) {
      const refused = judge?.(state);
      if (refused !== undefined) {
        attempt(() => state.close(false, BAD_CERTIFICATE, new Uint8Array(0)));
        this.#end(() => this.#closed.reject(new TransportFault(refused)));
      } else {
        this.#isEstablished = true;
        this.#keepAliveAt = clock.monotonic() + keepAliveMs;
        this.#established.resolve();
      }
    }
    if (!this.#isOver) this.#judgeEnd();
    if (this.#isOver || !this.#isEstablished) return;
    for (const id of state.readable()) this.#onReadable(id);
    for (const stream of this.#sending.values()) stream.retry();
    this.#grant("bidirectional", state.peerStreamsLeftBidi());
    this.#grant("unidirectional", state.peerStreamsLeftUni());
  }

  #judgeEnd(): void {
    const { state } = this.#parts;
    const peer = state.peerError();
    if (peer !== null) {
      const { isApp, errorCode: closeCode } = peer;
      const reason = new TextDecoder().decode(peer.reason);
      if (isApp) this.#end(() => this.#closed.resolve({ closeCode, reason }));
      else this.#end(() => this.#closed.reject(new TransportFault(transportText(peer, reason))));
    } else if (state.isTimedOut()) {
      this.#end(() => this.#closed.reject(new TransportFault("timed out")));
    } else {
      const own = state.localError();
      if (own !== null) this.#end(() => this.#closed.reject(new TransportFault(ownText(own))));
      else if (state.isClosed()) this.#end(() => this.#closed.reject(lost()));
    }
  }

  #onReadable(id: number): void {
    const known = this.#receiving.get(id);
    if (known !== undefined) return known.retry();
    const kind = (id & 2) === 0 ? "bidirectional" : "unidirectional";
    if (!this.#peers[kind].isNew(id)) return;
    if (kind === "bidirectional") this.#bidirectional.enqueue(this.#addBidirectional(id));
    else this.#unidirectional.enqueue(this.#addReceiving(id));
  }

  async #open(kind: Kind): Promise<number> {
    const { state } = this.#parts;
    const left = (): number =>
      kind === "bidirectional" ? state.peerStreamsLeftBidi() : state.peerStreamsLeftUni();
    // Those that wait already come first.
    while (!this.#isOver && (this.#waiting[kind].length > 0 || left() === 0)) {
      await new Promise<void>((resolve) => this.#waiting[kind].push(resolve));
      if (!this.#isOver && left() > 0) break;
    }
    if (this.#isOver) throw lost();
    const id = this.#next[kind];
    // Makes the stream in quiche, which counts it then; nothing is sent.
    state.streamSend(id, new Uint8Array(0), false);
    this.#next[kind] += 4;
    return id;
  }

  #grant(kind: Kind, left: number): void {
    for (const resolve of this.#waiting[kind].splice(0, left)) resolve();
  }

  #addBidirectional(id: number): BidirectionalStream {
    return { readable: this.#addReceiving(id), writable: this.#addSending(id) };
  }

  #addReceiving(id: number): ReadableStream<Uint8Array> {
    const stream = new Receiving(id, this.#host);
    this.#receiving.set(id, stream);
    return stream.readable;
  }

  #addSending(id: number): WritableStream<Uint8Array> {
    const stream = new Sending(id, this.#host);
    this.#sending.set(id, stream);
    return stream.writable;
  }

  #halves(half: Half): Map<number, Receiving | Sending> {
    return half === "receiving" ? this.#receiving : this.#sending;
  }

  #flushSoon(): void {
    if (this.#isFlushing || this.#isGone) return;
    this.#isFlushing = true;
    queueMicrotask(() => this.#flush());
  }

  /** Sends what is due and arms the timer. */
  #flush(): void {
    this.#isFlushing = false;
    if (this.#isGone) return;
    const { state, send } = this.#parts;
    try {
      for (let next = state.send(this.#packet); next !== null; next = state.send(this.#packet)) {
        const [length, { to }] = next;
        // A copy: the packet leaves later than this returns.
        send(this.#packet.slice(0, length), to);
      }
    } catch {
      // The state is closed, which is looked at next.
    }
    if (!this.#isOver) this.#judgeEnd();
    if (state.isClosed()) this.#leave();
    else this.#arm();
  }

  #arm(): void {
    const { state, clock } = this.#parts;
    const timeout = state.timeout();
    const now = clock.monotonic();
    // One more millisecond: quiche's clock and ours need not agree.
    const due = Math.min(timeout === null ? Infinity : now + timeout + 1, this.#keepAliveAt);
    // A timer that comes too early looks and arms the next: cheaper than a fresh one for every packet.
    if (due === Infinity || due >= this.#timerAt) return;
    this.#cancelTimer?.();
    this.#timerAt = due;
    this.#cancelTimer = clock.schedule(due - now, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerAt = Infinity;
    this.#cancelTimer = undefined;
    const { state, clock, keepAliveMs } = this.#parts;
    state.onTimeout();
    const now = clock.monotonic();
    if (now >= this.#keepAliveAt) {
      attempt(() => state.sendAckEliciting());
      this.#keepAliveAt = now + keepAliveMs;
    }
    this.#advance();
    this.#flush();
  }

  /** Ends everything that waits; packets still come and go until the state is closed. */
  #end(settle: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#keepAliveAt = Infinity;
    settle();
    this.closed.then(
      ({ closeCode, reason }) =>
        this.#established.reject(
          new TransportFault(`connection closed by peer: ${reason} (code ${closeCode})`),
        ),
      (error) => this.#established.reject(error),
    );
    for (const stream of [...this.#receiving.values(), ...this.#sending.values()]) {
      stream.fail(lost());
    }
    this.#receiving.clear();
    this.#sending.clear();
    for (const kind of ["bidirectional", "unidirectional"] as const) {
      for (const resolve of this.#waiting[kind].splice(0)) resolve();
    }
    attempt(() => this.#bidirectional.close());
    attempt(() => this.#unidirectional.close());
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#cancelTimer?.();
    this.#parts.onGone();
  }
}

/** Which streams of one kind the peer has opened: a stream's first packet may come after a later stream's. */
class PeerIds {
  #next: number;
  // Bounded by the stream credit that the connection grants.
  readonly #skipped = new Set<number>();

  constructor(first: number) {
    this.#next = first;
  }

  isNew(id: number): boolean {
    if ((id - this.#next) % 4 !== 0) return false;
    if (id < this.#next) return this.#skipped.delete(id);
    for (let skipped = this.#next; skipped < id; skipped += 4) this.#skipped.add(skipped);
    this.#next = id + 4;
    return true;
  }
}

function transportText({ errorCode }: QuicheError, reason: string): string {
  if (errorCode === CONNECTION_REFUSED) {
    return "aborted by peer: the server refused to accept a new connection";
  }
  if (errorCode >= FIRST_ALERT && errorCode <= LAST_ALERT) {
    return `the peer ended the handshake: TLS alert ${errorCode - FIRST_ALERT}`;
  }
  return `aborted by peer: transport error ${errorCode}${reason === "" ? "" : ` (${reason})`}`;
}

function ownText({ errorCode }: QuicheError): string {
  const alert = errorCode - FIRST_ALERT;
  // RFC 8446 section 6.2: 42 to 46 and 48 are about certificates, 45 an expired one.
  if (alert === 45) return "invalid peer certificate: expired";
  if ((alert >= 42 && alert <= 46) || alert === 48) {
    return `invalid peer certificate: alert ${alert}`;
  }
  return `connection error ${errorCode}`;
}

function lost(): TransportFault {
  return new TransportFault("connection lost");
}

function attempt(work: () => void): void {
  try {
    work();
  } catch {
    // The state is closed already.
  }
}
