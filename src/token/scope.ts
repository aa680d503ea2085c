/**
 * The words of a token's `scope`.
 *
 * @module
 */

/**
 * What a browser token can be allowed to do. The product knows `call.dial`, `call.barge` and `telephony:supervise`; the others are this
 * SDK's own, and its local gateway enforces all of them. A call is a token's own when it was dialled or answered under the same `end_user`,
 * or, for tokens without one, under the same client id.
 *
 * - `call.dial`: dial; own calls with their events, audio and verbs.
 * - `call.barge`: stop the playback on own calls.
 * - `call.answer`: list incoming calls that wait, hear them ring, answer them; own calls with their events, audio and verbs.
 * - `call.listen`: receive the audio of other calls.
 * - `call.speak`: send audio into other calls.
 * - `call.read`: list other calls and receive their events.
 * - `telephony:supervise`: supervise calls.
 */
export type ScopeWord =
  | "call.dial"
  | "call.barge"
  | "call.answer"
  | "call.listen"
  | "call.speak"
  | "call.read"
  | "telephony:supervise";
