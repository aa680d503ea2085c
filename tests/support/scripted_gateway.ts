import {
  type BidirectionalStream,
  createPairTransport,
  Session,
  type SessionPair,
  type SessionPairOptions,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../../src/transport/mod.ts";
import {
  type AuthenticateRequest,
  encodeFrame,
  encodeReply,
  type Frame,
  FrameReader,
  type Method,
  methodById,
  methods,
} from "../../src/wire/mod.ts";

/** What a scripted gateway does with one request: a reply's fields, its bytes at once or in chunks, or `undefined` to say nothing and finish the stream. */
export type Script = (request: unknown, peer: ScriptedPeer) => unknown;

/** One session, from the gateway's side. */
export interface ScriptedPeer {
  readonly index: number;
  readonly session: Session;
  readonly pair: SessionPair;
  /** Names of the methods that were called on this session, in order. */
  readonly calls: string[];
  /** Pushes frames on one uni stream, as many as are given, in one write. */
  push<Q>(method: Method<Q, unknown>, ...values: Partial<Q>[]): Promise<void>;
}

/** A gateway that does exactly what a test says: for what a real one would not do, and for counting. */
export interface ScriptedGateway {
  readonly webTransport: WebTransportConstructor;
  readonly peers: ScriptedPeer[];
  /** How many sessions were refused before they existed. */
  readonly attempts: number;
}

/** Options of {@linkcode scriptedGateway}. */
export interface ScriptedGatewayOptions {
  /** By method name. `Authenticate` and `StreamEvents` succeed unless scripted. */
  readonly scripts?: Readonly<Record<string, Script>>;
  /** Called for each attempt; throw to fail the connect. */
  readonly onAttempt?: (attempt: number) => void;
  /** When the accepted token ends, in Unix milliseconds. */
  readonly expiresAtMs?: () => number;
  /** Limits of the sessions in memory. */
  readonly pair?: Omit<SessionPairOptions, "path">;
  /** Whether a script that throws resets its stream. Default: it stays open and silent. */
  readonly resetsOnThrow?: boolean;
  /** Told of every session that the client dials, before the client has it. */
  readonly onDial?: (session: WebTransportLike, index: number) => void;
  /** Takes a stream with a request before anything has been read of it; `false` leaves it to the scripts. */
  readonly onStream?: (stream: BidirectionalStream, peer: ScriptedPeer) => boolean;
  /** Takes each one-way stream that the client opens. Default: reads it to its end. */
  readonly onUni?: (stream: ReadableStream<Uint8Array>, peer: ScriptedPeer) => void;
}

export function scriptedGateway(options: ScriptedGatewayOptions = {}): ScriptedGateway {
  const peers: ScriptedPeer[] = [];
  const state = { attempts: 0 };
  const scripts: Record<string, Script> = {
    Authenticate: () => ({
      status: "OK",
      tenantId: "acme",
      expiresAtMs: options.expiresAtMs?.() ?? 0,
    }),
    ...options.scripts,
  };
  const linked = createPairTransport((incoming, pair) => {
    const session = new Session(incoming.session);
    const push = pusher(session);
    const peer: ScriptedPeer = { index: peers.length, session, pair, calls: [], push };
    peers.push(peer);
    void serve(peer, scripts, options);
  }, options.pair);
  function Dialled(url: string) {
    options.onAttempt?.(++state.attempts);
    const session = new linked(url);
    options.onDial?.(session, peers.length - 1);
    return session;
  }
  return {
    webTransport: Dialled as unknown as WebTransportConstructor,
    peers,
    get attempts() {
      return state.attempts;
    },
  };
}

function pusher(session: Session): ScriptedPeer["push"] {
  let writer: Promise<WritableStreamDefaultWriter<Uint8Array>> | undefined;
  return async (method, ...values) => {
    writer ??= session.openUnidirectional().then((stream) => stream.getWriter());
    const open = await writer;
    for (const value of values) await open.write(encodeFrame(method, value));
  };
}

async function serve(
  peer: ScriptedPeer,
  scripts: Record<string, Script>,
  options: ScriptedGatewayOptions,
): Promise<void> {
  void takeUnis(peer, options.onUni ?? readAll);
  for await (const stream of peer.session.incomingBidirectional) {
    if (options.onStream?.(stream, peer)) continue;
    void answer(stream, peer, scripts).catch((error: unknown) => {
      if (options.resetsOnThrow) stream.writable.abort(error).catch(() => {});
    });
  }
}

async function answer(
  stream: { readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> },
  peer: ScriptedPeer,
  scripts: Record<string, Script>,
): Promise<void> {
  const reader = stream.readable.getReader();
  const frames = new FrameReader({ rule: "request" });
  let frame: Frame | undefined;
  while (frame === undefined) {
    const { value, done } = await reader.read();
    if (done) return;
    [frame] = frames.push(value);
  }
  const method = methodById(frame.methodId);
  if (method === undefined) throw new Error(`Unknown method ${frame.methodId}`);
  peer.calls.push(method.name);
  const request = method.request.decode(frame.envelope);
  const reply = await (scripts[method.name] ?? (() => ({})))(request, peer);
  const writer = stream.writable.getWriter();
  if (reply instanceof Uint8Array) await writer.write(reply);
  else if (isChunks(reply)) { for await (const chunk of reply) await writer.write(chunk); }
  else if (reply !== undefined) await writer.write(encodeReply(method, reply as object));
  await writer.close();
  while (!(await reader.read()).done);
}

function isChunks(reply: unknown): reply is AsyncIterable<Uint8Array> {
  return typeof reply === "object" && reply !== null && Symbol.asyncIterator in reply;
}

async function takeUnis(
  peer: ScriptedPeer,
  onUni: (stream: ReadableStream<Uint8Array>, peer: ScriptedPeer) => void,
): Promise<void> {
  for await (const stream of peer.session.incomingUnidirectional) onUni(stream, peer);
}

function readAll(stream: ReadableStream<Uint8Array>): void {
  void (async () => {
    const reader = stream.getReader();
    while (!(await reader.read()).done);
  })().catch(() => {});
}

/** The fields of an Authenticate request. */
export function tokenOf(request: unknown): string {
  return (request as AuthenticateRequest).token;
}

export { methods };
