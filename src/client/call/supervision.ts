/**
 * Supervision of a live call: hear both sides, speak to one, the other or both.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { type Clock, within } from "../../base/signal.ts";
import { fromTransport, type Session } from "../../transport/mod.ts";
import { encodeRequest, methods, ReplyReader, SupervisionMode } from "../../wire/mod.ts";
import type { AudioLink, AudioOptions } from "../audio/audio_link.ts";
import type { AudioHub } from "../audio/audio_hub.ts";
import { CallAudio } from "../audio/call_audio.ts";
import type { Connection } from "../session/connection.ts";
import { deferred } from "../../base/deferred.ts";
import { ignore } from "../../base/ignore.ts";
import { peerText } from "../log.ts";
import { checkNumber, checkObject, required } from "../rpc/requests.ts";
import { endOf, LOSS_GRACE_MS } from "../rpc/rpc.ts";

/** Which call is supervised, and how. */
export interface SuperviseOptions {
  /** The call; of the same tenant, and answered. */
  readonly callSid: string;
  /** A `SupervisionMode`. Default: `MONITOR`, which hears and does not speak. */
  readonly mode?: number | undefined;
  /** The supervisor's name, for the gateway's records. Default: the client's id. */
  readonly supervisorId?: string | undefined;
  /**
   * A token with the scope `telephony:supervise`: the only token that is part of a request. Default: a fresh one of the client's own
   * credentials.
   */
  readonly authToken?: string | undefined;
  /** How audio is sent and received. */
  readonly audio?: AudioOptions | undefined;
}

/** A supervisor's place in a call. Ends with the call, with `close()`, or with the client; it moves along when the session does. */
export interface Supervision extends AsyncDisposable {
  /** The call. */
  readonly callSid: string;
  /** The mode it was asked for. */
  readonly mode: number;
  /** Both sides of the call to hear; what is written is heard by the sides that the mode names, in the monitor modes by none of them. */
  readonly audio: AudioLink;
  /** Resolves when the supervision is over; rejects with `ERR_RPC_REJECTED` when a new session was not let in again. */
  readonly ended: Promise<void>;
  /** Leaves the call. */
  close(): Promise<void>;
}

/** What a supervision needs of its client. */
export interface SupervisionHost {
  readonly clock: Clock;
  readonly hub: AudioHub;
  readonly clientId: string;
  readonly timeoutMs: number;
  readonly requestLength: "inclusive" | "exclusive";
  /** A token for the request. */
  token(signal: AbortSignal): Promise<string>;
  /** Called once, when it is over. */
  onEnd(supervision: LiveSupervision): void;
}

/** The implementation of {@linkcode Supervision}. */
export class LiveSupervision implements Supervision {
  readonly callSid: string;
  readonly mode: number;
  readonly audio: CallAudio;
  readonly #ended = deferred<void>();
  readonly #host: SupervisionHost;
  readonly #options: SuperviseOptions;
  #leave: (() => void) | undefined;
  // The newest session that it is to join.
  #target: Connection | undefined;
  #isOver = false;

  constructor(host: SupervisionHost, options: SuperviseOptions) {
    checkObject("supervise call", options, "`callSid`");
    const { callSid, mode = SupervisionMode.MONITOR } = options;
    required("supervise call", "callSid", callSid);
    checkNumber("supervise call", "mode", mode);
    if (!Object.values<number>(SupervisionMode).includes(mode)) {
      throw invalid(`mode is ${mode}, expected a SupervisionMode of 0 to 4`);
    }
    if (host.hub.get(callSid) !== undefined) {
      throw invalid("this client already has the audio of the call (use another client)");
    }
    this.callSid = callSid;
    this.mode = mode;
    this.#host = host;
    this.#options = options;
    this.audio = new CallAudio(host.hub, callSid, { next: 0 }, {
      ...options.audio,
      endsWithFrame: false,
    });
  }

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Joins the call on a session; on another one it leaves the first when the second has let it in. */
  async join(connection: Connection, signal?: AbortSignal): Promise<void> {
    const { clock, timeoutMs } = this.#host;
    this.#target = connection;
    const leave = await within(async (inner) => {
      const leave = await this.#subscribe(connection, inner);
      // Given up in the very turn in which it was let in: nothing else would leave.
      if (inner.aborted) leave();
      else inner.addEventListener("abort", leave, { once: true });
      return leave;
    }, {
      signal,
      lost: connection.over,
      timeoutMs,
      clock,
      onTimeout: () =>
        new TeleQuickError("ERR_TIMEOUT", `Cannot supervise call: no answer in ${timeoutMs} ms`),
    });
    // Perhaps the next session has let it in first.
    if (this.#isOver || this.#target !== connection) return leave();
    this.#leave?.();
    this.#leave = leave;
    this.audio.follow(connection);
  }

  /** The session was replaced: joins again there; ends when it is not let in. */
  async move(connection: Connection): Promise<void> {
    try {
      await this.join(connection);
    } catch (error) {
      // Lost again: the next session asks again, or has done so.
      if (error instanceof TeleQuickError && error.code === "ERR_SESSION_CLOSED") return;
      if (this.#target !== connection) return;
      this.end(error);
    }
  }

  async close(): Promise<void> {
    await this.audio.close();
    this.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends at once; with an error where there is one. */
  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave?.();
    this.audio.end(error instanceof TeleQuickError ? error : undefined);
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
    this.#host.onEnd(this);
  }

  /** Sends the request on a stream that stays open. Resolves, once let in, with the function that leaves. */
  async #subscribe(connection: Connection, signal: AbortSignal): Promise<() => void> {
    const { clientId, requestLength } = this.#host;
    const { supervisorId = clientId, authToken } = this.#options;
    const frame = encodeRequest(methods.SuperviseSubscribe, {
      callSid: this.callSid,
      mode: this.mode,
      supervisorId,
      tenantId: connection.principal.tenantId,
      authToken: authToken ?? await this.#host.token(signal),
    }, { requestLength });
    const stream = await connection.session.openBidirectional({ signal });
    const writer = stream.writable.getWriter();
    const reader = stream.readable.getReader();
    const leave = (): void => {
      writer.close().catch(ignore);
      reader.cancel().catch(ignore);
    };
    signal.addEventListener("abort", leave, { once: true });
    try {
      if (signal.aborted) leave();
      writer.write(frame).catch(ignore);
      await admitted(reader, connection.session, { signal, clock: this.#host.clock });
    } catch (error) {
      leave();
      throw fromTransport(error, { action: "supervise call" });
    } finally {
      signal.removeEventListener("abort", leave);
    }
    let hasLeft = false;
    let cancel: (() => void) | undefined;
    void untilEnd(reader).then(() => {
      // Ended by the gateway: the call is over, unless the session turns out to be.
      if (hasLeft) return;
      cancel = this.#host.clock.schedule(LOSS_GRACE_MS, () => {
        if (!connection.lost.aborted) this.end();
      });
    });
    return () => {
      hasLeft = true;
      cancel?.();
      leave();
    };
  }
}

async function admitted(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  session: Session,
  wait: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<void> {
  const replies = new ReplyReader(methods.SuperviseSubscribe);
  while (true) {
    const { value, done } = await reader.read();
    const reply = done ? await endOf(replies, session, wait) : replies.push(value);
    if (reply === undefined) continue;
    if (reply.status === "OK" && reply.errorMessage === "") return;
    throw new TeleQuickError(
      "ERR_RPC_REJECTED",
      `Cannot supervise call: the gateway answered ${
        peerText(`${reply.status}: ${reply.errorMessage}`)
      }`,
    );
  }
}

async function untilEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // Over either way.
  }
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_VALUE_INVALID", `Cannot supervise call: ${found}`);
}
