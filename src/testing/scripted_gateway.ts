/**
 * A gateway that answers exactly what a test says: for replies that a real gateway would not give, and for counting requests.
 *
 * @module
 */

import { isBytes } from "../base/bytes.ts";
import { ignore } from "../base/ignore.ts";
import {
  type BidirectionalStream,
  createPairTransport,
  Session,
  type SessionPair,
  type SessionPairOptions,
  type WebTransportConstructor,
  type WebTransportLike,
} from "../transport/mod.ts";
import {
  encodeFrame,
  encodeReply,
  type Frame,
  FrameReader,
  type Method,
  methodById,
} from "../wire/mod.ts";

/**
 * Answers one request. Returns the fields of the reply, or its bytes at once or in chunks, or a promise of these;
 * `undefined` ends the stream without a reply, and a promise that never settles leaves the request unanswered.
 */
export type Script = (request: unknown, peer: ScriptedPeer) => unknown;

/** One request, as the gateway received it. */
export interface ScriptedRequest {
  /** The id that stood in the frame. */
  readonly methodId: number;
  /** The method's name. */
  readonly method: string;
  /** The decoded fields. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Resolves when the client gives the request up before its reply has arrived. */
  readonly aborted: Promise<void>;
}

/** One session, as the gateway has it. */
export interface ScriptedPeer {
  /** Its place among the sessions, from 0. */
  readonly index: number;
  /** The gateway's side. */
  readonly session: Session;
  /** Both sides. */
  readonly pair: SessionPair;
  /** Names of the methods that were called on this session, in order. */
  readonly calls: string[];
  /** What was called on this session, in order. */
  readonly requests: ScriptedRequest[];
  /** Pushes frames on one stream of its own, as many as are given. */
  push<Q>(method: Method<Q, unknown>, ...values: Partial<Q>[]): Promise<void>;
}

/** A gateway in memory that follows its scripts. */
export interface ScriptedGateway {
  /** Hand it to a client as its `webTransport` option, with any `https:` endpoint. */
  readonly webTransport: WebTransportConstructor;
  /** The sessions so far, in order. */
  readonly peers: ScriptedPeer[];
  /** How many sessions were dialled, those that `onAttempt` refused included. */
  readonly attempts: number;
}

/** Options of {@linkcode scriptedGateway}. */
export interface ScriptedGatewayOptions {
  /**
   * What is answered, by the method's name. Default: every request succeeds with a reply whose fields are all empty;
   * `Authenticate` accepts the token for the tenant `acme`.
   */
  readonly scripts?: Readonly<Record<string, Script>>;
  /** Called before each session is dialled, with its number from 1; throw to fail the connect. */
  readonly onAttempt?: (attempt: number) => void;
  /** When the accepted token ends, in Unix milliseconds. Default: 0, the gateway does not say. */
  readonly expiresAtMs?: () => number;
  /** Limits of the sessions in memory. */
  readonly pair?: Omit<SessionPairOptions, "path">;
  /** Whether a script that throws resets its stream. Default: `false`, the stream stays open and silent. */
  readonly resetsOnThrow?: boolean;
  /** Takes every session that the client dials, before the client has it. */
  readonly onDial?: (session: WebTransportLike, index: number) => void;
  /** Takes a stream with a request before anything has been read of it; `false` leaves it to the scripts. */
  readonly onStream?: (stream: BidirectionalStream, peer: ScriptedPeer) => boolean;
  /** Takes each one-way stream that the client opens. Default: reads it to its end. */
  readonly onUni?: (stream: ReadableStream<Uint8Array>, peer: ScriptedPeer) => void;
}

/**
 * Makes a gateway that follows scripts. It verifies no token and keeps no state: use `testGateway()` where the gateway is to behave
 * as the platform's own does.
 *
 * @example A dial that is refused, and one that gets no answer
 * ```ts
 * import { TeleQuickClient } from "@telequick/sdk";
 * import { scriptedGateway, unsignedToken } from "@telequick/sdk/testing";
 *
 * const gateway = scriptedGateway({
 *   scripts: {
 *     Originate: () => ({ status: "ERROR", errorCode: 4, errorMessage: "circuit open" }),
 *     Barge: () => new Promise(() => {}),
 *   },
 * });
 * const client = new TeleQuickClient("https://gateway.test", () => unsignedToken(), true, gateway);
 * ```
 */
export function scriptedGateway(options: ScriptedGatewayOptions = {}): ScriptedGateway {
  const peers: ScriptedPeer[] = [];
  let attempts = 0;
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
    const peer: ScriptedPeer = {
      ...{ index: peers.length, session, pair, calls: [], requests: [], push },
    };
    peers.push(peer);
    serve(peer, scripts, options).catch(ignore);
  }, options.pair);
  function Dialled(url: string): WebTransportLike {
    attempts++;
    options.onAttempt?.(attempts);
    const session = new linked(url);
    options.onDial?.(session, peers.length - 1);
    return session;
  }
  return {
    webTransport: Dialled as unknown as WebTransportConstructor,
    peers,
    get attempts() {
      return attempts;
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
  takeUnis(peer, options.onUni ?? readToEnd).catch(ignore);
  for await (const stream of peer.session.incomingBidirectional) {
    if (options.onStream?.(stream, peer)) continue;
    const writer = stream.writable.getWriter();
    answer(stream.readable, writer, peer, scripts).catch((error: unknown) => {
      if (options.resetsOnThrow) writer.abort(error).catch(ignore);
    });
  }
}

async function answer(
  readable: ReadableStream<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
  peer: ScriptedPeer,
  scripts: Record<string, Script>,
): Promise<void> {
  const reader = readable.getReader();
  const frames = new FrameReader({ rule: "request" });
  let frame: Frame | undefined;
  while (frame === undefined) {
    const { value, done } = await reader.read();
    if (done) return;
    [frame] = frames.push(value);
  }
  const { methodId } = frame;
  const method = methodById(methodId);
  if (method === undefined) throw new Error(`Unknown method ${methodId}`);
  const fields = method.request.decode(frame.envelope) as Record<string, unknown>;
  // The client stops reading when it gives up: the writer fails.
  const aborted = new Promise<void>((resolve) => writer.closed.catch(() => resolve()));
  peer.calls.push(method.name);
  peer.requests.push({ methodId, method: method.name, fields, aborted });
  const reply = await (scripts[method.name] ?? (() => ({})))(fields, peer);
  if (isBytes(reply)) await writer.write(reply);
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

function readToEnd(stream: ReadableStream<Uint8Array>): void {
  stream.pipeTo(new WritableStream()).catch(ignore);
}
