/**
 * A call, as its user sees it.
 *
 * @module
 */

import type { CallEvent, MuteOptions } from "../../wire/mod.ts";
import type { AudioLink, AudioOptions } from "../audio/audio_link.ts";
import type { DtmfOptions } from "../rpc/methods.ts";
import type { RequestOptions } from "../rpc/rpc.ts";
import type { Warning } from "./warnings.ts";

/** Options of {@linkcode Call.mute} and {@linkcode Call.unmute}. */
export interface MuteCallOptions extends MuteOptions, RequestOptions {}

/** Options of {@linkcode Call.sendDtmf}. */
export interface SendDtmfOptions extends DtmfOptions, RequestOptions {}

/** Where a call stands. `"held"` is an answered call on hold. */
export type CallState = "dialing" | "ringing" | "answered" | "held" | "ended";

/** How a call ended: the facts of its last event . */
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
  /** Where the recording is; empty without one. */
  readonly recordingUrl: string;
  /** The event itself. */
  readonly event: CallEvent;
}

/**
 * A call. Made by {@linkcode TeleQuickClient.dial}. It belongs to the tenant, not to the connection: it goes on when the
 * client reconnects, and when the client closes. `await using call = ...` hangs up at the end of the block.
 *
 * The verbs reject with `ERR_CALL_ENDED` after the end, `hangUp` and `barge` resolve. No promise of a call has to be awaited: a call
 * that ends does not end the process.
 */
export interface Call extends AsyncDisposable {
  /** The call's id at the gateway. */
  readonly callSid: string;
  /** The same as `callSid`. */
  readonly sid: string;
  /** The number or SIP URI that was dialled; `undefined` for a call that this client did not dial and has no event of. */
  readonly to: string | undefined;
  /** The caller id; `undefined` where this client has not given it: the trunk's own, or not known. */
  readonly from: string | undefined;
  /** The trunk; `undefined` where it is not known. */
  readonly trunkId: string | undefined;
  /** Whether it was dialled, or came in; `undefined` where it is not known. */
  readonly direction: "outbound" | "inbound" | undefined;
  /** Where the call stands, by the events that have arrived. */
  readonly state: CallState;
  /**
   * Resolves when the call has ended, with the cause in words. Rejects with `ERR_SESSION_CLOSED` when the client closed
   * before that: the call then goes on without it.
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
   * Warnings of this call, each raised and cleared: those that are raised now, then as they come. Ends with the call.
   */
  warnings(): AsyncIterableIterator<Warning>;
  /**
   * The call's audio in both directions. A call has one link at a time: the link that is open is returned as it is. What came in
   * before is there to be read, up to the newest second. Throws `ERR_CALL_ENDED` after the end, `ERR_VALUE_INVALID` for a codec, rate
   * or bound that does not exist, and for options other than those of the link that is open, naming the difference.
   */
  audio(options?: AudioOptions): AudioLink;
  /**
   * Hangs up (Q.850 cause 16). Does nothing when the call has ended. When all that was said has been sent but for its last frames,
   * they are played first, which takes at most a tenth of a second; when more waits, it is cut.
   */
  hangUp(options?: RequestOptions): Promise<void>;
  /** Cuts what the gateway is playing to the far end now: barge-in by hand. Does nothing when the call has ended. */
  barge(options?: RequestOptions): Promise<void>;
  /** Transfers the call to an E.164 number or a SIP URI (blind REFER, RFC 3515). */
  transfer(target: string, options?: RequestOptions): Promise<void>;
  /** Silences what the far end hears. With `wire: true` the far end gets a re-INVITE too. */
  mute(options?: MuteCallOptions): Promise<void>;
  /** Undoes `mute`; give the same `wire`. */
  unmute(options?: MuteCallOptions): Promise<void>;
  /** Puts the call on hold: `CHANNEL_HOLD` follows. */
  hold(options?: RequestOptions): Promise<void>;
  /** Takes the call off hold: `CHANNEL_RESUME` follows. */
  unhold(options?: RequestOptions): Promise<void>;
  /**
   * Sends DTMF digits in order, each after the one before it has sounded.
   *
   * @param digits Up to 64 of `0` to `9`, `*`, `#`, and `w` for a pause of half a second or `W` for one of a second.
   * @param options `mode` `"rfc2833"` (default) or `"info"`, `durationMs` of each digit, 40 to 4000 (default 200), and a signal and a
   * time limit for each digit.
   */
  sendDtmf(digits: string, options?: SendDtmfOptions): Promise<void>;
}
