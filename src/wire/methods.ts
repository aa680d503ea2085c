/**
 * Every method by the name that the protocol gives it. Each is declared beside its messages.
 *
 * @module
 */

export { AllocateWt, Barge, Originate, Terminate } from "./messages/call.ts";
export { AbortBulk, OriginateBulk } from "./messages/bulk.ts";
export { CallEventPush as CallEvent, StreamEvents } from "./messages/event.ts";
export { AnswerIncomingCall, GetIncomingCalls, SetInboundRouting } from "./messages/routing.ts";
export { ExecuteBucketAction, GetActiveBuckets, GetBucketCalls } from "./messages/bucket.ts";
export { ExecuteDialplan } from "./messages/dialplan.ts";
export { SuperviseSubscribe } from "./messages/supervise.ts";
export { Authenticate, SessionEndingPush as SessionEnding } from "./messages/session.ts";
export { AddTrunk, GetTrunk, RemoveTrunk, UpdateTrunk } from "./messages/trunk.ts";
export {
  BootstrapOrg,
  PublishServiceAccount,
  ReloadCertificates,
  RevokeServiceAccount,
  SessionAuth,
} from "./messages/admin.ts";
export { AudioFramePush as AudioFrame } from "./messages/audio.ts";
