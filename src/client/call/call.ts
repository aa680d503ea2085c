/**
 * A call, as its user sees it.
 *
 * @module
 */

import type { CallEvent, MuteOptions } from "../../wire/mod.ts";
import type { AudioLink, AudioOptions } from "../audio/audio_link.ts";
import type { DtmfOptions } from "../rpc/methods.ts";
import type { RequestOptions } from "../rpc/rpc.ts";

/** Where a call stands. `"held"` is an answered call on hold. */
export type CallState = "dialing" | "ringing" | "answered" | "held" | "ended";

/** How a call ended: the facts of its last event (protocol.md section 7). */
export interface CallEnd {
  /** The gateway's coarse word, such as `COMPLETED`, `BUSY`, `NO_ANSWER` or `FAILED`. */
  readonly status: string;
  /** Q.850 cause, 0 when the gateway gave none. */
  readonly q850Cause: number;
  /** The cause in words, such as `"normal call clearing"`. */
  readonly cause: string;
  /** Whole seconds from answer to end, as the gateway counts them. */
  readonly durationSeconds: number;
  /** Audio packets that the gateway sent to the far end. */
  readonly packetsSent: number;
  /** Audio packets that the gateway received from the far end. */
  readonly packetsReceived: number;
  /** Audio packets lost on the far end's side. */
  readonly packetsLost: number;
  /** Interarrival jitter on the far end's side, in milliseconds. */
  readonly jitterMs: number;
  /** Estimated mean opinion score, 1 (bad) to 5; 0 when unknown. */
  readonly estimatedMos: number;
  /** Where the recording is; empty when there is none. */
  readonly recordingUrl: string;
  /** The event itself. */
  readonly event: CallEvent;
}

/**
 * A call. Made by {@linkcode TeleQuickClient.dial}. It belongs to the tenant, not to the connection: it goes on when the
 * client reconnects, and when the client closes. `await using call = ...` hangs up at the end of the block.
 */
export interface Call extends AsyncDisposable {
  /** The call's id at the gateway. */
  readonly sid: string;
  /** Where the call stands, by the events that have arrived. */
  readonly state: CallState;
  /**
   * Resolves when the call has ended, with the cause in words. Rejects with `ERR_SESSION_CLOSED` when the client closed
   * before that: the call may then go on without it.
   */
  readonly ended: Promise<CallEnd>;
  /**
   * Resolves with the answer event when the far end picks up; where that was missed, with the first that knows of it. Rejects with
   * `ERR_CALL_ENDED` when the call ends unanswered (the message names the cause), and with the signal's reason when it aborts first.
   */
  answered(options?: { readonly signal?: AbortSignal | undefined }): Promise<CallEvent>;
  /**
   * The call's events from its first to its last (`CHANNEL_HANGUP_COMPLETE`), those that have already arrived included.
   * Event types and statuses that this version does not know pass through. Throws `ERR_SESSION_CLOSED` when the client
   * closed before the call ended.
   */
  events(): AsyncIterableIterator<CallEvent>;
  /**
   * The call's audio in both directions. A call has one link at a time: the link that is open is returned as it is.
   * Throws `ERR_CALL_ENDED` after the end, `ERR_VALUE_INVALID` for a codec or bound that does not exist.
   */
  audio(options?: AudioOptions): AudioLink;
  /** Hangs up (Q.850 cause 16). Does nothing when the call has ended. */
  hangUp(options?: RequestOptions): Promise<void>;
  /** Cuts what the gateway is playing to the far end now: barge-in by hand (protocol.md section 5.2). */
  barge(options?: RequestOptions): Promise<void>;
  /** Transfers the call to an E.164 number or a SIP URI (blind REFER, RFC 3515). */
  transfer(target: string, options?: RequestOptions): Promise<void>;
  /** Silences what the far end hears. With `wire: true` the far end is told by a re-INVITE too. */
  mute(mute?: MuteOptions, options?: RequestOptions): Promise<void>;
  /** Undoes `mute`; give the same `wire`. */
  unmute(mute?: MuteOptions, options?: RequestOptions): Promise<void>;
  /** Puts the call on hold: `CHANNEL_HOLD` follows. */
  hold(options?: RequestOptions): Promise<void>;
  /** Takes the call off hold: `CHANNEL_RESUME` follows. */
  unhold(options?: RequestOptions): Promise<void>;
  /**
   * Sends one DTMF digit.
   *
   * @param digit One of `0` to `9`, `*`, `#`.
   * @param dtmf `mode` `"rfc2833"` (default) or `"info"`, and `durationMs` of 40 to 4000 (default 200).
   */
  sendDtmf(digit: string, dtmf?: DtmfOptions, options?: RequestOptions): Promise<void>;
}
