/**
 * The one table of methods (protocol.md section 4).
 *
 * @module
 */

import type { Message } from "./message.ts";
import {
  AddTrunkRequest,
  BootstrapOrgRequest,
  BootstrapOrgResponse,
  GetTrunkRequest,
  GetTrunkResponse,
  PublishServiceAccountRequest,
  ReloadCertificatesRequest,
  ReloadCertificatesResponse,
  RemoveTrunkRequest,
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

function request<Q, R>(
  name: string,
  id: number,
  request: Message<Q>,
  reply: Message<R>,
): Method<Q, R> {
  return { name, id, request, reply };
}

function push<Q>(name: string, id: number, request: Message<Q>): Method<Q, never> {
  return { name, id, request, reply: undefined };
}

/** `methods.AudioFrame`, for code that must not pull in the whole table. */
export const audioFrame: Method<AudioFrame, never> = /* @__PURE__ */ push(
  "AudioFrame",
  2991054320,
  AudioFrame,
);

/** Every method by the protocol's own name. Admin ids are unconfirmed but for `ReloadCertificates` (section 4.3). */
export const methods: {
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
} = {
  Originate: /* @__PURE__ */ request("Originate", 1430677891, OriginateRequest, OriginateResponse),
  OriginateBulk: /* @__PURE__ */ request("OriginateBulk", 721069100, BulkRequest, BulkResponse),
  AbortBulk: /* @__PURE__ */ request("AbortBulk", 3861915064, AbortBulkRequest, BulkResponse),
  Terminate: /* @__PURE__ */ request("Terminate", 3834253405, TerminateRequest, TerminateResponse),
  Barge: /* @__PURE__ */ request("Barge", 3854301714, BargeRequest, Empty),
  StreamEvents: /* @__PURE__ */ request("StreamEvents", 959835745, EventStreamRequest, Empty),
  SetInboundRouting: /* @__PURE__ */ request(
    "SetInboundRouting",
    1933986897,
    SetInboundRoutingRequest,
    Empty,
  ),
  GetIncomingCalls: /* @__PURE__ */ request(
    "GetIncomingCalls",
    1161946746,
    GetIncomingCallsRequest,
    GetIncomingCallsResponse,
  ),
  AnswerIncomingCall: /* @__PURE__ */ request(
    "AnswerIncomingCall",
    2990157256,
    AnswerIncomingCallRequest,
    AnswerIncomingCallResponse,
  ),
  GetActiveBuckets: /* @__PURE__ */ request(
    "GetActiveBuckets",
    2624504207,
    Empty,
    ListBucketsResponse,
  ),
  GetBucketCalls: /* @__PURE__ */ request(
    "GetBucketCalls",
    1217351135,
    BucketRequest,
    BucketCallList,
  ),
  ExecuteBucketAction: /* @__PURE__ */ request(
    "ExecuteBucketAction",
    4030863293,
    BucketActionRequest,
    BucketActionResponse,
  ),
  ExecuteDialplan: /* @__PURE__ */ request(
    "ExecuteDialplan",
    80147304,
    ExecuteDialplanRequest,
    ExecuteDialplanResponse,
  ),
  AllocateWt: /* @__PURE__ */ request(
    "AllocateWt",
    1763028449,
    AllocateWtRequest,
    AllocateWtResponse,
  ),
  SuperviseSubscribe: /* @__PURE__ */ request(
    "SuperviseSubscribe",
    2856173042,
    SuperviseSubscribeRequest,
    SuperviseSubscribeResponse,
  ),
  Authenticate: /* @__PURE__ */ request(
    "Authenticate",
    809221777,
    AuthenticateRequest,
    AuthenticateResponse,
  ),
  AddTrunk: /* @__PURE__ */ request("AddTrunk", 319319550, AddTrunkRequest, Empty),
  UpdateTrunk: /* @__PURE__ */ request("UpdateTrunk", 3061189136, AddTrunkRequest, Empty),
  RemoveTrunk: /* @__PURE__ */ request("RemoveTrunk", 1887232127, RemoveTrunkRequest, Empty),
  GetTrunk: /* @__PURE__ */ request("GetTrunk", 1892052310, GetTrunkRequest, GetTrunkResponse),
  ReloadCertificates: /* @__PURE__ */ request(
    "ReloadCertificates",
    3357922138,
    ReloadCertificatesRequest,
    ReloadCertificatesResponse,
  ),
  SessionAuth: /* @__PURE__ */ request(
    "SessionAuth",
    4005695856,
    SessionAuthRequest,
    SessionAuthResponse,
  ),
  PublishServiceAccount: /* @__PURE__ */ request(
    "PublishServiceAccount",
    4272549352,
    PublishServiceAccountRequest,
    Empty,
  ),
  RevokeServiceAccount: /* @__PURE__ */ request(
    "RevokeServiceAccount",
    1288924258,
    RevokeServiceAccountRequest,
    Empty,
  ),
  BootstrapOrg: /* @__PURE__ */ request(
    "BootstrapOrg",
    4016330056,
    BootstrapOrgRequest,
    BootstrapOrgResponse,
  ),
  AudioFrame: audioFrame,
  CallEvent: /* @__PURE__ */ push("CallEvent", 959835745, CallEvent),
  SessionEnding: /* @__PURE__ */ push("SessionEnding", 3067083299, SessionEnding),
};

// Ids that are read and never written: the documentation's for ExecuteDialplan, the later SDKs' for SuperviseSubscribe, and those
// that pushes had before ids were derived (sections 3.5 and 10).
const OTHER_REQUEST_IDS = {
  3514036100: "ExecuteDialplan",
  425376200: "SuperviseSubscribe",
} as const;
const OTHER_PUSH_IDS = { 9999: "AudioFrame", 10000: "CallEvent" } as const;

type MethodTable = ReadonlyMap<number, Method<unknown, unknown>>;

let requests: MethodTable | undefined;
let pushes: MethodTable | undefined;

/** The method that a request frame asks for; `undefined` for an unknown id. Ids that other SDKs write are known too. */
export function methodById(id: number): Method<unknown, unknown> | undefined {
  requests ??= table((method) => method.reply !== undefined, OTHER_REQUEST_IDS);
  return requests.get(id);
}

/** The push that a frame of a one-way stream carries; `undefined` for an unknown id. The old ids 9999 and 10000 are known too. */
export function pushById(id: number): Method<unknown, unknown> | undefined {
  pushes ??= table((method) => method.reply === undefined, OTHER_PUSH_IDS);
  return pushes.get(id);
}

function table(
  belongs: (method: Method<unknown, unknown>) => boolean,
  others: Readonly<Record<number, keyof typeof methods>>,
): MethodTable {
  const byId = new Map<number, Method<unknown, unknown>>();
  for (const method of Object.values<Method<unknown, unknown>>(methods)) {
    if (belongs(method)) byId.set(method.id, method);
  }
  for (const [id, name] of Object.entries(others)) byId.set(Number(id), methods[name]);
  return byId;
}
