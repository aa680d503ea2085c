import type { BidirectionalStream, WebTransportLike } from "../../src/transport/mod.ts";
import {
  AudioFrame,
  type AuthenticateResponse,
  CallEvent,
  encodeFrame,
  encodeRequest,
  ExecuteDialplanResponse,
  type Frame,
  FrameReader,
  type Method,
  methods,
  ReplyReader,
  SessionEnding,
} from "../../src/wire/mod.ts";
import { concatBytes } from "../../src/base/bytes.ts";

/** What came back on a request's stream. */
export interface RawReply<R> {
  /** The decoded reply; `undefined` when the stream ended without one. */
  readonly reply: R | undefined;
  /** Every byte that came. */
  readonly bytes: Uint8Array;
  /** The refusal behind a reply that has no fields for one; code 0 when it was not refused. */
  readonly fault: { readonly errorCode: number; readonly errorMessage: string };
  /** Whether the stream was reset instead of finished. */
  readonly isReset: boolean;
}

/** A stream of audio frames to the gateway. */
export interface RawAudio {
  /** Sends a frame. */
  send(frame: Partial<AudioFrame>): Promise<void>;
  /** Sends bytes as they are. */
  write(bytes: Uint8Array): Promise<void>;
  /** Finishes the stream. */
  finish(): Promise<void>;
  /** Resolves when the gateway has stopped reading it, or the session is over. */
  readonly stopped: Promise<unknown>;
}

/**
 * Speaks frames on a session without any of the client's manners: it sends what a test says, and keeps all that arrives.
 * No timers of its own.
 */
export class RawClient {
  readonly transport: WebTransportLike;
  /** Events in the order of arrival. */
  readonly events: CallEvent[] = [];
  /** Audio in the order of arrival, each payload its own copy. */
  readonly audio: AudioFrame[] = [];
  /** What the gateway said before it ended the session. */
  readonly endings: SessionEnding[] = [];
  /** Frames of no known push. */
  readonly strangers: Frame[] = [];
  /** Every chunk that was pushed, in the order of arrival. */
  readonly pushed: Uint8Array[] = [];
  /** How many one-way streams the gateway opened. */
  pushStreams = 0;
  /** Whether the session is over. */
  isClosed = false;
  /** What it ended with: close information, or the error. */
  closeInfo: unknown;
  /** Resolves when it is over. */
  readonly closed: Promise<unknown>;
  readonly #requestLength: "inclusive" | "exclusive";

  constructor(
    transport: WebTransportLike,
    options: { readonly requestLength?: "inclusive" | "exclusive"; readonly reads?: boolean } = {},
  ) {
    this.transport = transport;
    this.#requestLength = options.requestLength ?? "inclusive";
    const onClosed = (info: unknown): unknown => {
      this.isClosed = true;
      return this.closeInfo = info;
    };
    this.closed = transport.closed.then(onClosed, onClosed);
    transport.ready.catch(() => {});
    if (options.reads ?? true) void this.#readPushes();
  }

  /** Opens the first stream and presents a token. */
  async authenticate(token: string, clientId = ""): Promise<AuthenticateResponse | undefined> {
    const { reply } = await this.rpc(methods.Authenticate, { token, clientId, sdk: "raw/0" });
    return reply;
  }

  /** Sends a request on a stream of its own, finishes it, and reads to the end. */
  async rpc<Q, R>(method: Method<Q, R>, value: Partial<Q>): Promise<RawReply<R>> {
    const requestLength = this.#requestLength;
    return await this.exchange(method, encodeRequest(method, value, { requestLength }));
  }

  /** Sends bytes as a request, in the chunks given, and reads to the end of the stream. */
  async exchange<R>(
    method: Method<unknown, R>,
    request: Uint8Array | readonly Uint8Array[],
    options: { readonly finish?: boolean } = {},
  ): Promise<RawReply<R>> {
    const stream = await this.open();
    const chunks = request instanceof Uint8Array ? [request] : request;
    const writer = stream.writable.getWriter();
    const sent = (async () => {
      for (const chunk of chunks) await writer.write(chunk);
      if (options.finish ?? true) await writer.close();
    })();
    sent.catch(() => {});
    const { bytes, isReset } = await readAll(stream.readable);
    if (!(options.finish ?? true)) writer.close().catch(() => {});
    return { ...parseReply(method, bytes), bytes, isReset };
  }

  /** Opens a bidirectional stream and leaves the rest to the test. */
  async open(): Promise<BidirectionalStream> {
    return await this.transport.createBidirectionalStream();
  }

  /** Opens a stream for audio. */
  async openAudio(): Promise<RawAudio> {
    const writer = (await this.transport.createUnidirectionalStream()).getWriter();
    const stopped = writer.closed.catch((error: unknown) => error);
    return {
      send: (frame) => writer.write(encodeFrame(methods.AudioFrame, frame)),
      write: (bytes) => writer.write(bytes),
      finish: () => writer.close(),
      stopped,
    };
  }

  /** Ends the session. */
  close(): void {
    this.transport.close();
  }

  /** Everything that was pushed, for comparing and searching. */
  pushedBytes(): Uint8Array {
    return concatBytes(this.pushed);
  }

  async #readPushes(): Promise<void> {
    const streams = this.transport.incomingUnidirectionalStreams.getReader();
    try {
      while (true) {
        const { value, done } = await streams.read();
        if (done) return;
        this.pushStreams++;
        void this.#readPush(value);
      }
    } catch {
      // The session is over.
    }
  }

  async #readPush(stream: ReadableStream<Uint8Array>): Promise<void> {
    const frames = new FrameReader();
    try {
      for await (const chunk of stream) {
        this.pushed.push(chunk);
        for (const frame of frames.push(chunk)) this.#sort(frame);
      }
    } catch {
      // The session is over, or the stream was reset.
    }
  }

  #sort(frame: Frame): void {
    const { methodId, envelope } = frame;
    if (methodId === methods.CallEvent.id) this.events.push(CallEvent.decode(envelope));
    else if (methodId === methods.SessionEnding.id) {
      this.endings.push(SessionEnding.decode(envelope));
    } else if (methodId === methods.AudioFrame.id) {
      const audio = AudioFrame.decode(envelope);
      this.audio.push({ ...audio, payload: audio.payload.slice() });
    } else this.strangers.push(frame);
  }
}

/** Reads a stream until it ends or is reset. */
export async function readAll(
  stream: ReadableStream<Uint8Array>,
): Promise<{ readonly bytes: Uint8Array; readonly isReset: boolean }> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of stream) chunks.push(chunk);
    return { bytes: concatBytes(chunks), isReset: false };
  } catch {
    return { bytes: concatBytes(chunks), isReset: true };
  }
}

function parseReply<R>(
  method: Method<unknown, R>,
  bytes: Uint8Array,
): Pick<RawReply<R>, "reply" | "fault"> {
  const none = { errorCode: 0, errorMessage: "" };
  const reply = new ReplyReader(method).push(bytes);
  if (reply === undefined) return { reply, fault: none };
  const { errorCode, errorMessage } = reply as Partial<typeof none>;
  if (errorMessage !== undefined) {
    // Some replies have words and no code.
    return {
      reply,
      fault: { errorCode: errorCode ?? (errorMessage === "" ? 0 : -1), errorMessage },
    };
  }
  // A refusal follows the reply's own fields, in the layout of ExecuteDialplanResponse. Read here without the wire's own reader of it.
  const isFramed = bytes.length > 8 && new DataView(bytes.buffer, bytes.byteOffset)
        .getUint32(4, true) === method.id;
  const fields = bytes.subarray(isFramed ? 14 : 6);
  const own = method.reply!.encode(reply).length - 6 || 4 * method.reply!.fields.length;
  if (fields.length <= own) return { reply, fault: none };
  const tail = concatBytes([new Uint8Array(6), fields.subarray(own)]);
  new DataView(tail.buffer).setInt32(2, tail.length - 6, true);
  try {
    const fault = ExecuteDialplanResponse.decode(tail);
    return { reply, fault: { errorCode: fault.errorCode, errorMessage: fault.errorMessage } };
  } catch {
    return { reply, fault: none };
  }
}
