/**
 * The transport: a subclass of the package's own WebSocket transport, as its extension for another carrier is.
 *
 * @module
 */

import { kindOf } from "../base/check.ts";
import { decodeAudio, encodePcmu, pcm16Bytes, pcm16Samples, Resampler } from "../audio/mod.ts";
import { TeleQuickError } from "../base/errors.ts";
import { report } from "../base/handled.ts";
import {
  type AudioLink,
  audioPort,
  type Call,
  checkBridgeable,
  type ReceivedFrame,
} from "../client/mod.ts";
import { Utterances } from "./utterances.ts";

/** Options of the transport, beside those of `OpenAIRealtimeWebSocket`. */
export interface TeleQuickTransportOptions {
  /** The call on which the model talks. */
  readonly call: Call;
  /**
   * What the model takes and gives: `"pcmu"` (G.711 at 8 kHz, what the call carries, without transcoding) or `"pcm"` (24 kHz, resampled
   * here). It replaces formats of the session's configuration. Default: `"pcmu"`.
   */
  readonly audioFormat?: "pcmu" | "pcm";
  /** Whether the call is hung up when the connection to the model closes. Default: `true`. */
  readonly hangUpOnClose?: boolean;
}

/** The class `OpenAIRealtimeWebSocket` of `@openai/agents-realtime`, as far as it is used. */
// deno-lint-ignore no-explicit-any
export type RealtimeWebSocketClass = new (options?: any) => {
  // deno-lint-ignore no-explicit-any
  connect(options: any): Promise<void>;
  // deno-lint-ignore no-explicit-any
  updateSessionConfig(config: any): void;
  sendAudio(audio: ArrayBuffer): void;
  interrupt(cancelOngoingResponse?: boolean): void;
  close(): void;
  readonly status: string;
};

/** The class that {@linkcode withTeleQuick} returns. */
export type TeleQuickTransportClass<T extends RealtimeWebSocketClass> = new (
  options: NonNullable<ConstructorParameters<T>[0]> & TeleQuickTransportOptions,
) => InstanceType<T>;

interface AudioEvent {
  readonly data: ArrayBuffer;
  readonly responseId: string;
}

interface SessionConfig {
  readonly audio?: {
    readonly input?: { readonly format?: unknown };
    readonly output?: { readonly format?: unknown };
  };
}

/** The package's class with the members that its subclasses use. */
interface RealtimeWebSocket {
  readonly status: string;
  readonly currentItemId: string | undefined;
  connect(options: { initialSessionConfig?: SessionConfig }): Promise<void>;
  updateSessionConfig(config: SessionConfig): void;
  sendAudio(audio: ArrayBuffer): void;
  sendEvent(event: Readonly<Record<string, unknown>>): void;
  interrupt(cancelOngoingResponse?: boolean): void;
  close(): void;
  emit(type: string, ...values: unknown[]): void;
  // deno-lint-ignore no-explicit-any
  on(type: string, listener: (event: any) => void): void;
  _interrupt(elapsedMs: number, cancelOngoingResponse?: boolean): void;
  _onAudio(event: AudioEvent): void;
  _onClose(): void;
  _cancelResponse(): void;
  _afterAudioDoneEvent(): void;
}

const MODEL_RATE = 24_000;
const FORMATS = {
  pcmu: { type: "audio/pcmu" },
  pcm: { type: "audio/pcm", rate: MODEL_RATE },
} as const;

/**
 * Makes the transport from the package's class: audio both ways, interruption with how much the caller has heard, and one end: when the
 * call ends, the connection to the model closes, and the reverse.
 *
 * @param Base `OpenAIRealtimeWebSocket` of `@openai/agents-realtime` 0.20.
 * @returns A class whose options also take the call.
 */
export function withTeleQuick<T extends RealtimeWebSocketClass>(
  Base: T,
): TeleQuickTransportClass<T> {
  if (typeof Base !== "function") {
    throw new TypeError(
      `Cannot make transport: the class is ${
        kindOf(Base)
      }, expected OpenAIRealtimeWebSocket of @openai/agents-realtime`,
    );
  }
  const Parent = Base as unknown as new (options: object) => RealtimeWebSocket;

  class TeleQuickRealtimeTransport extends Parent {
    readonly #call: Call;
    readonly #format: "pcmu" | "pcm";
    readonly #hangUpOnClose: boolean;
    readonly #discarded = new Set<string>();
    #activeResponse: string | undefined;
    #contentIndex = 0;
    #link: AudioLink | undefined;
    #utterances: Utterances | undefined;
    #stopReceiving: () => void = () => {};

    constructor(options: TeleQuickTransportOptions) {
      const { call, audioFormat = "pcmu", hangUpOnClose = true, ...others } = options ?? {};
      super(others);
      checkBridgeable(call);
      if (!Object.hasOwn(FORMATS, audioFormat)) {
        throw new TeleQuickError(
          "ERR_VALUE_INVALID",
          `Cannot make transport: audioFormat is ${
            JSON.stringify(audioFormat)
          }, expected "pcmu" or "pcm"`,
        );
      }
      this.#call = call;
      this.#format = audioFormat;
      this.#hangUpOnClose = hangUpOnClose;
      const close = (): void => {
        if (this.status !== "disconnected") this.close();
      };
      call.ended.then(close, close);
      this.#listen();
    }

    override async connect(
      options: { readonly initialSessionConfig?: SessionConfig },
    ): Promise<void> {
      const config = this.#withFormat(options.initialSessionConfig);
      this.#open();
      try {
        await super.connect({ ...options, initialSessionConfig: config });
      } catch (error) {
        // The call's end closes the connection: the package says only that it was closed.
        throw this.#call.state === "ended" ? callEnded(error) : error;
      }
      if (this.#link !== undefined) this.#receive();
      else if (this.#call.state === "ended") throw callEnded(undefined);
    }

    override updateSessionConfig(config: SessionConfig): void {
      super.updateSessionConfig(this.#withFormat(config));
    }

    override interrupt(cancelOngoingResponse = true): void {
      const utterances = this.#utterances;
      const response = this.#activeResponse;
      if (this.status !== "connected" || utterances === undefined) return;
      if (response === undefined && utterances.isEmpty) return;
      this.#activeResponse = undefined;
      const cut = utterances.cut();
      // What is still on its way from the model belongs to what was cut.
      if (response !== undefined) this.#discarded.add(response);
      for (const { responseId } of cut) this.#discarded.add(responseId);
      if (cancelOngoingResponse) this._cancelResponse();
      if (cut.length > 0) this.emit("audio_interrupted");
      for (const { itemId, contentIndex, playedMs } of cut) {
        this.sendEvent({
          type: "conversation.item.truncate",
          item_id: itemId,
          content_index: contentIndex,
          audio_end_ms: playedMs,
        });
      }
      super._afterAudioDoneEvent();
    }

    override _interrupt(_elapsedMs: number, cancelOngoingResponse = true): void {
      this.interrupt(cancelOngoingResponse);
    }

    override _onAudio(event: AudioEvent): void {
      const { responseId, data } = event;
      const itemId = this.currentItemId;
      if (this.#discarded.has(responseId) || itemId === undefined) return;
      const key = { responseId, itemId, contentIndex: this.#contentIndex };
      const bytes = new Uint8Array(data);
      this.#utterances?.push(key, this.#format === "pcmu" ? bytes : pcm16Samples(bytes));
      this.emit("audio", event);
    }

    override _onClose(): void {
      const wasOpen = this.#link !== undefined;
      this.#stopReceiving();
      this.#utterances?.drop();
      this.#utterances = undefined;
      this.#link = undefined;
      this.#activeResponse = undefined;
      this.#discarded.clear();
      super._onClose();
      if (wasOpen && this.#hangUpOnClose) void this.#call.hangUp();
    }

    #listen(): void {
      this.on("response.created", ({ response }) => {
        if (typeof response?.id === "string") this.#activeResponse = response.id;
      });
      this.on("response.output_audio.delta", ({ content_index }) => {
        this.#contentIndex = typeof content_index === "number" ? content_index : 0;
      });
      this.on("response.output_audio.done", ({ response_id, item_id, content_index }) => {
        const key = { responseId: response_id, itemId: item_id, contentIndex: content_index };
        this.#utterances?.close(key);
      });
      this.on("response.done", ({ response }) => {
        this.#discarded.delete(response?.id);
        if (this.#activeResponse === response?.id) this.#activeResponse = undefined;
      });
    }

    #open(): void {
      const sampleRate = this.#format === "pcmu" ? 8_000 : MODEL_RATE;
      const link = this.#call.audio({ codec: "PCMU", sampleRate });
      this.#link = link;
      this.#utterances = new Utterances(link);
    }

    #receive(): void {
      const port = audioPort(this.#link!);
      const end = (): void => {
        if (this.status !== "disconnected") this.close();
      };
      this.#stopReceiving = this.#format === "pcm"
        ? port.receiveSamples({ take: (samples) => this.#hear(pcm16Bytes(samples)), end })
        : port.receive({ take: (frame) => this.#hear(pcmuOf(frame)), end });
    }

    #hear(bytes: Uint8Array): void {
      if (bytes.length === 0 || this.status !== "connected") return;
      const { buffer, byteOffset, byteLength } = bytes;
      const sound = (buffer as ArrayBuffer).slice(byteOffset, byteOffset + byteLength);
      // Thrown on, it would end the reading of every call of the session.
      report(() => this.sendAudio(sound), () => this.close());
    }

    /** The session's configuration with the transport's audio format, in place of any other: the package itself fills in a default. */
    #withFormat({ audio = {}, ...others }: SessionConfig = {}): SessionConfig {
      const format = FORMATS[this.#format];
      return {
        ...others,
        audio: {
          ...audio,
          input: { ...audio.input, format },
          output: { ...audio.output, format },
        },
      };
    }
  }
  return TeleQuickRealtimeTransport as unknown as TeleQuickTransportClass<T>;
}

/** A frame as PCMU: unchanged where the wire carries it, which it usually does. */
function pcmuOf({ codec, payload }: ReceivedFrame): Uint8Array {
  if (codec === "PCMU" || payload.length === 0) return payload;
  if (codec === "PCMA") return encodePcmu(decodeAudio(codec, payload));
  if (codec !== "PCM16") return new Uint8Array(0);
  const resampler = new Resampler({ inputRate: 16_000, outputRate: 8_000 });
  return encodePcmu(resampler.push(decodeAudio(codec, payload)));
}

function callEnded(cause: unknown): TeleQuickError {
  return new TeleQuickError(
    "ERR_CALL_ENDED",
    "Cannot connect the model: the call has ended meanwhile",
    { cause },
  );
}
