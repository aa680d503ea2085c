/**
 * Every message by the protocol's own name.
 *
 * @module
 */

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
import {
  AddTrunkRequest,
  GetTrunkRequest,
  GetTrunkResponse,
  RemoveTrunkRequest,
} from "./messages/trunk.ts";
import { AudioFrame } from "./messages/audio.ts";
import {
  BucketActionRequest,
  BucketActionResponse,
  BucketCallList,
  BucketInfo,
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
  IncomingCallInfo,
  SetInboundRoutingRequest,
} from "./messages/routing.ts";
import { AuthenticateRequest, AuthenticateResponse, SessionEnding } from "./messages/session.ts";
import { SuperviseSubscribeRequest, SuperviseSubscribeResponse } from "./messages/supervise.ts";

/** The messages, by the protocol's own names. */
export interface Messages {
  /** See {@linkcode Empty}. */
  readonly Empty: typeof Empty;
  /** See {@linkcode OriginateRequest}. */
  readonly OriginateRequest: typeof OriginateRequest;
  /** See {@linkcode OriginateResponse}. */
  readonly OriginateResponse: typeof OriginateResponse;
  /** See {@linkcode TerminateRequest}. */
  readonly TerminateRequest: typeof TerminateRequest;
  /** See {@linkcode TerminateResponse}. */
  readonly TerminateResponse: typeof TerminateResponse;
  /** See {@linkcode BargeRequest}. */
  readonly BargeRequest: typeof BargeRequest;
  /** See {@linkcode AllocateWtRequest}. */
  readonly AllocateWtRequest: typeof AllocateWtRequest;
  /** See {@linkcode AllocateWtResponse}. */
  readonly AllocateWtResponse: typeof AllocateWtResponse;
  /** See {@linkcode BulkRequest}. */
  readonly BulkRequest: typeof BulkRequest;
  /** See {@linkcode BulkResponse}. */
  readonly BulkResponse: typeof BulkResponse;
  /** See {@linkcode AbortBulkRequest}. */
  readonly AbortBulkRequest: typeof AbortBulkRequest;
  /** See {@linkcode SetInboundRoutingRequest}. */
  readonly SetInboundRoutingRequest: typeof SetInboundRoutingRequest;
  /** See {@linkcode GetIncomingCallsRequest}. */
  readonly GetIncomingCallsRequest: typeof GetIncomingCallsRequest;
  /** See {@linkcode IncomingCallInfo}. */
  readonly IncomingCallInfo: typeof IncomingCallInfo;
  /** See {@linkcode GetIncomingCallsResponse}. */
  readonly GetIncomingCallsResponse: typeof GetIncomingCallsResponse;
  /** See {@linkcode AnswerIncomingCallRequest}. */
  readonly AnswerIncomingCallRequest: typeof AnswerIncomingCallRequest;
  /** See {@linkcode AnswerIncomingCallResponse}. */
  readonly AnswerIncomingCallResponse: typeof AnswerIncomingCallResponse;
  /** See {@linkcode ExecuteDialplanRequest}. */
  readonly ExecuteDialplanRequest: typeof ExecuteDialplanRequest;
  /** See {@linkcode ExecuteDialplanResponse}. */
  readonly ExecuteDialplanResponse: typeof ExecuteDialplanResponse;
  /** See {@linkcode EventStreamRequest}. */
  readonly EventStreamRequest: typeof EventStreamRequest;
  /** See {@linkcode CallEvent}. */
  readonly CallEvent: typeof CallEvent;
  /** See {@linkcode BucketInfo}. */
  readonly BucketInfo: typeof BucketInfo;
  /** See {@linkcode ListBucketsResponse}. */
  readonly ListBucketsResponse: typeof ListBucketsResponse;
  /** See {@linkcode BucketRequest}. */
  readonly BucketRequest: typeof BucketRequest;
  /** See {@linkcode BucketCallList}. */
  readonly BucketCallList: typeof BucketCallList;
  /** See {@linkcode BucketActionRequest}. */
  readonly BucketActionRequest: typeof BucketActionRequest;
  /** See {@linkcode BucketActionResponse}. */
  readonly BucketActionResponse: typeof BucketActionResponse;
  /** See {@linkcode AudioFrame}. */
  readonly AudioFrame: typeof AudioFrame;
  /** See {@linkcode SuperviseSubscribeRequest}. */
  readonly SuperviseSubscribeRequest: typeof SuperviseSubscribeRequest;
  /** See {@linkcode SuperviseSubscribeResponse}. */
  readonly SuperviseSubscribeResponse: typeof SuperviseSubscribeResponse;
  /** See {@linkcode AuthenticateRequest}. */
  readonly AuthenticateRequest: typeof AuthenticateRequest;
  /** See {@linkcode AuthenticateResponse}. */
  readonly AuthenticateResponse: typeof AuthenticateResponse;
  /** See {@linkcode SessionEnding}. */
  readonly SessionEnding: typeof SessionEnding;
  /** See {@linkcode AddTrunkRequest}. */
  readonly AddTrunkRequest: typeof AddTrunkRequest;
  /** See {@linkcode RemoveTrunkRequest}. */
  readonly RemoveTrunkRequest: typeof RemoveTrunkRequest;
  /** See {@linkcode GetTrunkRequest}. */
  readonly GetTrunkRequest: typeof GetTrunkRequest;
  /** See {@linkcode GetTrunkResponse}. */
  readonly GetTrunkResponse: typeof GetTrunkResponse;
  /** See {@linkcode ReloadCertificatesRequest}. */
  readonly ReloadCertificatesRequest: typeof ReloadCertificatesRequest;
  /** See {@linkcode ReloadCertificatesResponse}. */
  readonly ReloadCertificatesResponse: typeof ReloadCertificatesResponse;
  /** See {@linkcode SessionAuthRequest}. */
  readonly SessionAuthRequest: typeof SessionAuthRequest;
  /** See {@linkcode SessionAuthResponse}. */
  readonly SessionAuthResponse: typeof SessionAuthResponse;
  /** See {@linkcode PublishServiceAccountRequest}. */
  readonly PublishServiceAccountRequest: typeof PublishServiceAccountRequest;
  /** See {@linkcode RevokeServiceAccountRequest}. */
  readonly RevokeServiceAccountRequest: typeof RevokeServiceAccountRequest;
  /** See {@linkcode BootstrapOrgRequest}. */
  readonly BootstrapOrgRequest: typeof BootstrapOrgRequest;
  /** See {@linkcode BootstrapOrgResponse}. */
  readonly BootstrapOrgResponse: typeof BootstrapOrgResponse;
}

function byName(...messages: readonly { readonly name: string }[]): Messages {
  return Object.fromEntries(
    messages.map((message) => [message.name, message]),
  ) as unknown as Messages;
}

/** Every message by the protocol's own name (protocol.md sections 5 and 8). */
export const messages: Messages = /* @__PURE__ */ byName(
  Empty,
  OriginateRequest,
  OriginateResponse,
  TerminateRequest,
  TerminateResponse,
  BargeRequest,
  AllocateWtRequest,
  AllocateWtResponse,
  BulkRequest,
  BulkResponse,
  AbortBulkRequest,
  SetInboundRoutingRequest,
  GetIncomingCallsRequest,
  IncomingCallInfo,
  GetIncomingCallsResponse,
  AnswerIncomingCallRequest,
  AnswerIncomingCallResponse,
  ExecuteDialplanRequest,
  ExecuteDialplanResponse,
  EventStreamRequest,
  CallEvent,
  BucketInfo,
  ListBucketsResponse,
  BucketRequest,
  BucketCallList,
  BucketActionRequest,
  BucketActionResponse,
  AudioFrame,
  SuperviseSubscribeRequest,
  SuperviseSubscribeResponse,
  AuthenticateRequest,
  AuthenticateResponse,
  SessionEnding,
  AddTrunkRequest,
  RemoveTrunkRequest,
  GetTrunkRequest,
  GetTrunkResponse,
  ReloadCertificatesRequest,
  ReloadCertificatesResponse,
  SessionAuthRequest,
  SessionAuthResponse,
  PublishServiceAccountRequest,
  RevokeServiceAccountRequest,
  BootstrapOrgRequest,
  BootstrapOrgResponse,
);
