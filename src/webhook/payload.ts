/**
 * The payloads of webhooks, with the platform's own member names.
 *
 * @module
 */

/** A call waits on a trunk with the rule `NOTIFY_AND_HANGUP`: answer it with `client.answerIncomingCall()`. */
export interface IncomingCallWebhook {
  /** The kind of webhook. */
  readonly event: "voice.call.incoming";
  /** The call's id. */
  readonly call_sid: string;
  /** The caller's number (E.164) or SIP URI. */
  readonly call_from: string;
  /** The trunk on which the call arrived. */
  readonly trunk_id: string;
  /** The tenant. */
  readonly tenant_id: string;
  /** When the call arrived, in Unix milliseconds. */
  readonly timestamp_ms: number;
}

/** A change of a call, or a record about it that is ready. */
export interface VoiceWebhook {
  /** The kind of webhook. */
  readonly event:
    | "voice.call.started"
    | "voice.call.answered"
    | "voice.call.ended"
    | "voice.call.failed"
    | "voice.call.transferred"
    | "voice.cdr.created"
    | "voice.transcript.ready"
    | "voice.recording.ready";
  /** Further members, as the platform sends them: check each before use. */
  readonly [member: string]: unknown;
}

/** A kind of webhook that this version does not know. */
export interface OtherWebhook {
  /** The kind of webhook. */
  readonly event: string & Record<never, never>;
  /** Further members, as the platform sends them: check each before use. */
  readonly [member: string]: unknown;
}

/** The payload of a verified webhook. Switch on `event`. */
export type Webhook = IncomingCallWebhook | VoiceWebhook | OtherWebhook;
