/**
 * Dialling: the request checked, then placed on a trunk of the session's own tenant.
 *
 * @module
 */

import {
  DialplanAction,
  ErrorCode,
  isCallSid,
  isDestination,
  methods,
  type OriginateRequest,
} from "../../wire/mod.ts";
import type { CallOptions } from "../call/call.ts";
import { guessableClientId } from "./call_control.ts";
import { claimCall, notPlaced } from "./claims.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import { RpcRefusal } from "../refusal.ts";
import { isUrlOrEmpty } from "../validate.ts";
import { randomUuid } from "../../base/random.ts";
import type { Dialled, Tenant } from "../tenant/tenant.ts";

// What can be done with a call when it is answered; the other actions are for live calls.
const DEFAULT_APPS: ReadonlySet<number> = new Set([
  DialplanAction.HANGUP,
  DialplanAction.PARK,
  DialplanAction.MUSIC_ON_HOLD,
  DialplanAction.PLAYBACK,
  DialplanAction.UNPARK_AND_BRIDGE,
  DialplanAction.ANSWER,
  DialplanAction.AI_BIDIRECTIONAL_STREAM,
  DialplanAction.LOOPBACK,
]);

/** `Originate`. */
export const originateRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.Originate,
    scope: ["call.dial"],
    async handle(request, context) {
      const { tenant, session, gateway } = context;
      const refusal = checkRequest(request, tenant);
      if (refusal !== undefined) return refusal;
      const { access } = session;
      if (!access.takesClientId(request.clientId)) return guessableClientId;
      if (gateway.cluster !== undefined) {
        const refusal = await claimCall(request, context) ?? checkRequest(request, tenant);
        if (refusal !== undefined) return refusal;
        if (!session.isLive) return notPlaced;
      }
      access.show(request.clientId);
      const dialled = tenant.dial(callOptions(request, context), access, session);
      if (dialled instanceof RpcRefusal) return dialled;
      const { callSid } = dialled;
      gateway.log("call.dialled", { ...context.ids, callSid });
      return queued(dialled);
    },
  }),
];

/** Checks what is to be dialled: its fields, then its trunk, then its destination. */
export function checkRequest(request: OriginateRequest, tenant: Tenant): RpcRefusal | undefined {
  const unfit = findUnfit(request);
  if (unfit !== undefined) return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, unfit);
  // A trunk that is not the tenant's own is refused as one that does not exist.
  if (!tenant.trunks.has(request.trunkId)) return unknownTrunk;
  if (isDestination(request.to)) return undefined;
  return new RpcRefusal(
    ErrorCode.ERR_INVALID_DESTINATION,
    "to is neither a phone number in E.164 nor a SIP URI",
  );
}

/** The reply for a call that is on its way. */
export function queued({ callSid, startMs }: Dialled): {
  readonly callSid: string;
  readonly status: string;
  readonly timestampMs: number;
} {
  return { callSid, status: "QUEUED", timestampMs: startMs };
}

/** The one answer for every trunk that the tenant does not have. */
export const unknownTrunk: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_INVALID_TRUNK,
  "Unknown trunk_id",
);

/** A call as it is asked for, with an id where it lacks one. */
export function callOptions(
  request: OriginateRequest,
  { principal, tenant }: RpcContext,
): CallOptions {
  const { trunkId, to, callFrom, clientId, defaultApp, defaultAppArgs, maxDurationMs } = request;
  const { autoBargeIn, bargeInPatienceMs } = request;
  return {
    callSid: request.callSid === "" ? randomUuid(tenant.random) : request.callSid,
    tenantId: principal.tenantId,
    direction: "outbound",
    ...{ trunkId, to, callFrom, clientId, defaultApp, defaultAppArgs, maxDurationMs },
    ...{ autoBargeIn, bargeInPatienceMs },
  };
}

function findUnfit(request: OriginateRequest): string | undefined {
  const { callSid, maxDurationMs, bargeInPatienceMs, defaultApp } = request;
  if (callSid !== "" && !isCallSid(callSid)) return "call_sid is malformed";
  if (maxDurationMs < 0) return "max_duration_ms is negative";
  if (bargeInPatienceMs < 0) return "barge_in_patience_ms is negative";
  if (!DEFAULT_APPS.has(defaultApp)) return "default_app is not for an unanswered call";
  if (!isUrlOrEmpty(request.aiWebsocketUrl, ["ws:", "wss:"])) {
    return "ai_websocket_url is malformed, expected a ws: or wss: URL";
  }
  if (!isUrlOrEmpty(request.aiQuicUrl, ["quic:", "https:"])) {
    return "ai_quic_url is malformed, expected a quic: or https: URL";
  }
  return undefined;
}
