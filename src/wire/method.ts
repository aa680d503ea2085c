/**
 * The one table of methods (protocol.md section 4).
 *
 * @module
 */

import type { Message } from "./message.ts";
import {
  BootstrapOrgRequest,
  BootstrapOrgResponse,
  PublishServiceAccountRequest,
  ReloadCertificatesRequest,
  ReloadCertificatesResponse,
  RevokeServiceAccountRequest,
  SessionAuthRequest,
  SessionAuthResponse,
} from "./messages/admin.ts";
import { AudioFrame } from "./messages/audio.ts";
import {
  BucketActionRequest,
  BucketActionResponse,
  BucketCallList,
  BucketRequest,
  ListBucketsResponse,
} from "./messages/bucket.ts";
import { AbortBulkRequest, BulkRequest, BulkResponse } from "./messages/bulk.ts";
import {
  AllocateWtRequest,
  AllocateWtResponse,
  BargeRequest,
  Empty,
  OriginateRequest,
  OriginateResponse,
  TerminateRequest,
  TerminateResponse,
} from "./messages/call.ts";
import { ExecuteDialplanRequest, ExecuteDialplanResponse } from "./messages/dialplan.ts";
import { CallEvent, EventStreamRequest } from "./messages/event.ts";
import {
  AnswerIncomingCallRequest,
  AnswerIncomingCallResponse,
  GetIncomingCallsRequest,
  GetIncomingCallsResponse,
  SetInboundRoutingRequest,
} from "./messages/routing.ts";
import { AuthenticateRequest, AuthenticateResponse, SessionEnding } from "./messages/session.ts";
import { SuperviseSubscribeRequest, SuperviseSubscribeResponse } from "./messages/supervise.ts";
import {
  AddTrunkRequest,
  GetTrunkRequest,
  GetTrunkResponse,
  RemoveTrunkRequest,
} from "./messages/trunk.ts";

/** A method: what a frame's id stands for, and what goes each way. */
export interface Method<Q, R> {
  /** The protocol's own name. */
  readonly name: string;
  /** The id that is written (uint32). To speak to a gateway with another id, spread the method and set it. */
  readonly id: number;
  /** What the request, or the push, carries. */
  readonly request: Message<Q>;
  /** What the reply carries; `undefined` for a push, which is never answered. */
  readonly reply: Message<R> | undefined;
}

/** The table of methods, by the protocol's own names. */
export interface Methods {
  /** Places a call. */
  readonly Originate: Method<OriginateRequest, OriginateResponse>;
  /** Dials a list. */
  readonly OriginateBulk: Method<BulkRequest, BulkResponse>;
  /** Drops what a campaign has not dialled. */
  readonly AbortBulk: Method<AbortBulkRequest, BulkResponse>;
  /** Ends a call. */
  readonly Terminate: Method<TerminateRequest, TerminateResponse>;
  /** Cuts what a call is being played. */
  readonly Barge: Method<BargeRequest, Empty>;
  /** Asks for events, which then come as `CallEvent` pushes. */
  readonly StreamEvents: Method<EventStreamRequest, Empty>;
  /** Sets what a trunk does with incoming calls. */
  readonly SetInboundRouting: Method<SetInboundRoutingRequest, Empty>;
  /** Lists the calls that wait at a trunk. */
  readonly GetIncomingCalls: Method<GetIncomingCallsRequest, GetIncomingCallsResponse>;
  /** Answers a call that waits. */
  readonly AnswerIncomingCall: Method<AnswerIncomingCallRequest, AnswerIncomingCallResponse>;
  /** Lists the buckets. */
  readonly GetActiveBuckets: Method<Empty, ListBucketsResponse>;
  /** Lists the calls of a bucket. */
  readonly GetBucketCalls: Method<BucketRequest, BucketCallList>;
  /** Acts on a bucket. */
  readonly ExecuteBucketAction: Method<BucketActionRequest, BucketActionResponse>;
  /** Acts on a live call. */
  readonly ExecuteDialplan: Method<ExecuteDialplanRequest, ExecuteDialplanResponse>;
  /** Asks for a call's media endpoint. */
  readonly AllocateWt: Method<AllocateWtRequest, AllocateWtResponse>;
  /** Joins a live call as a supervisor. */
  readonly SuperviseSubscribe: Method<SuperviseSubscribeRequest, SuperviseSubscribeResponse>;
  /** Presents a token. This project's own. */
  readonly Authenticate: Method<AuthenticateRequest, AuthenticateResponse>;
  /** Adds a trunk. */
  readonly AddTrunk: Method<AddTrunkRequest, Empty>;
  /** Replaces a trunk's record. */
  readonly UpdateTrunk: Method<AddTrunkRequest, Empty>;
  /** Removes a trunk. */
  readonly RemoveTrunk: Method<RemoveTrunkRequest, Empty>;
  /** Reads a trunk's record. */
  readonly GetTrunk: Method<GetTrunkRequest, GetTrunkResponse>;
  /** Loads the gateway's certificate anew. */
  readonly ReloadCertificates: Method<ReloadCertificatesRequest, ReloadCertificatesResponse>;
  /** Asks for a browser's token. */
  readonly SessionAuth: Method<SessionAuthRequest, SessionAuthResponse>;
  /** Registers a public key. */
  readonly PublishServiceAccount: Method<PublishServiceAccountRequest, Empty>;
  /** Revokes a public key. */
  readonly RevokeServiceAccount: Method<RevokeServiceAccountRequest, Empty>;
  /** Makes a gateway's first tenant. */
  readonly BootstrapOrg: Method<BootstrapOrgRequest, BootstrapOrgResponse>;
  /** Push, both ways: a packet of audio. */
  readonly AudioFrame: Method<AudioFrame, never>;
  /** Push: something happened to a call. It shares its id with `StreamEvents`. */
  readonly CallEvent: Method<CallEvent, never>;
  /** Push: the gateway is about to end the session. This project's own. */
  readonly SessionEnding: Method<SessionEnding, never>;
}

type Row<M> = M extends Method<infer Q, infer R>
  ? readonly [id: number, request: Message<Q>, ...reply: [R] extends [never] ? [] : [Message<R>]]
  : never;

function table(rows: { readonly [K in keyof Methods]: Row<Methods[K]> }): Methods {
  const methods: Record<string, Method<unknown, unknown>> = {};
  for (const [name, [id, request, reply]] of Object.entries(rows)) {
    methods[name] = { name, id, request, reply };
  }
  return methods as unknown as Methods;
}

/** The id of audio frames, for code that must not pull in the whole table. */
export const AUDIO_FRAME_ID = 2991054320;

/** Every method by the protocol's own name. Admin ids are unconfirmed but for `ReloadCertificates` (section 4.3). */
export const methods: Methods = /* @__PURE__ */ table({
  Originate: [1430677891, OriginateRequest, OriginateResponse],
  OriginateBulk: [721069100, BulkRequest, BulkResponse],
  AbortBulk: [3861915064, AbortBulkRequest, BulkResponse],
  Terminate: [3834253405, TerminateRequest, TerminateResponse],
  Barge: [3854301714, BargeRequest, Empty],
  StreamEvents: [959835745, EventStreamRequest, Empty],
  SetInboundRouting: [1933986897, SetInboundRoutingRequest, Empty],
  GetIncomingCalls: [1161946746, GetIncomingCallsRequest, GetIncomingCallsResponse],
  AnswerIncomingCall: [2990157256, AnswerIncomingCallRequest, AnswerIncomingCallResponse],
  GetActiveBuckets: [2624504207, Empty, ListBucketsResponse],
  GetBucketCalls: [1217351135, BucketRequest, BucketCallList],
  ExecuteBucketAction: [4030863293, BucketActionRequest, BucketActionResponse],
  ExecuteDialplan: [80147304, ExecuteDialplanRequest, ExecuteDialplanResponse],
  AllocateWt: [1763028449, AllocateWtRequest, AllocateWtResponse],
  SuperviseSubscribe: [2856173042, SuperviseSubscribeRequest, SuperviseSubscribeResponse],
  Authenticate: [809221777, AuthenticateRequest, AuthenticateResponse],
  AddTrunk: [319319550, AddTrunkRequest, Empty],
  UpdateTrunk: [3061189136, AddTrunkRequest, Empty],
  RemoveTrunk: [1887232127, RemoveTrunkRequest, Empty],
  GetTrunk: [1892052310, GetTrunkRequest, GetTrunkResponse],
  ReloadCertificates: [3357922138, ReloadCertificatesRequest, ReloadCertificatesResponse],
  SessionAuth: [4005695856, SessionAuthRequest, SessionAuthResponse],
  PublishServiceAccount: [4272549352, PublishServiceAccountRequest, Empty],
  RevokeServiceAccount: [1288924258, RevokeServiceAccountRequest, Empty],
  BootstrapOrg: [4016330056, BootstrapOrgRequest, BootstrapOrgResponse],
  AudioFrame: [AUDIO_FRAME_ID, AudioFrame],
  CallEvent: [959835745, CallEvent],
  SessionEnding: [3067083299, SessionEnding],
});

type Ids = Readonly<Record<number, number>>;
type ById = ReadonlyMap<number, Method<unknown, unknown>>;

// Ids that are read and never written (sections 3.5 and 10): the documentation's for ExecuteDialplan, the later SDKs' for
// SuperviseSubscribe; and those that audio and events had before ids were derived.
const OTHER_REQUEST_IDS: Ids = { 3514036100: 80147304, 425376200: 2856173042 };
const OTHER_PUSH_IDS: Ids = { 9999: AUDIO_FRAME_ID, 10000: 959835745 };

let requests: ById | undefined;
let pushes: ById | undefined;

/** The method that a request frame asks for; `undefined` for an unknown id. Ids that other SDKs write are known too. */
export function methodById(id: number): Method<unknown, unknown> | undefined {
  requests ??= index(false);
  return requests.get(OTHER_REQUEST_IDS[id] ?? id);
}

/** The push that a frame of a one-way stream carries; `undefined` for an unknown id. The old ids 9999 and 10000 are known too. */
export function pushById(id: number): Method<unknown, unknown> | undefined {
  pushes ??= index(true);
  return pushes.get(OTHER_PUSH_IDS[id] ?? id);
}

function index(isPush: boolean): ById {
  const byId = new Map<number, Method<unknown, unknown>>();
  for (const method of Object.values<Method<unknown, unknown>>({ ...methods })) {
    if ((method.reply === undefined) === isPush) byId.set(method.id, method);
  }
  return byId;
}
