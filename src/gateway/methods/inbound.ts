/**
 * Incoming calls: what a trunk does with them, which wait, and which session answers them.
 *
 * @module
 */

import { ErrorCode, InboundRule, methods, type SetInboundRoutingRequest } from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { guessableClientId, unknownCall } from "./call_control.ts";
import { claimAnswer, notWaiting } from "./claims.ts";
import { RpcRefusal } from "../refusal.ts";
import { isPlainText, isUrlOrEmpty } from "../validate.ts";
import { queued, unknownTrunk } from "./originate.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import { waitingCalls } from "../tenant/routing.ts";
import { isWaiting } from "../tenant/tenant.ts";

const KNOWN_RULES: ReadonlySet<number> = new Set(Object.values(InboundRule));

/** `SetInboundRouting`, `GetIncomingCalls`, `AnswerIncomingCall`. */
export const inboundRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.SetInboundRouting,
    scope: [],
    handle(request, { tenant }) {
      const { trunkId, rule, webhookUrl } = request;
      if (!tenant.trunks.has(trunkId)) return unknownTrunk;
      const unfit = findUnfit(request);
      if (unfit !== undefined) return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, unfit);
      tenant.trunks.routing.set(trunkId, { rule, webhookUrl });
      return {};
    },
  }),
  route({
    method: methods.GetIncomingCalls,
    scope: ["call.answer", "call.read"],
    isLong: true,
    handle({ trunkId }, { tenant }) {
      if (!tenant.trunks.has(trunkId)) return unknownTrunk;
      return tenant.work.run(async (slices) => {
        const calls = [];
        for (const { callSid, options, startMs } of waitingCalls(tenant, trunkId)) {
          const { callFrom } = options;
          calls.push({ callSid, callFrom, startTimestampMs: startMs });
          if (slices.isOver) await slices.next();
        }
        return { calls };
      });
    },
  }),
  route({
    method: methods.AnswerIncomingCall,
    scope: ["call.answer"],
    async handle({ callSid, clientId }, context) {
      const { tenant, session, gateway } = context;
      if (!session.access.takesClientId(clientId)) return guessableClientId;
      const call = tenant.call(callSid);
      if (call === undefined || !mayTry(call, { tenant, session })) return unknownCall;
      if (!isWaiting(call)) return notWaiting;
      if (gateway.cluster !== undefined) {
        const refusal = await claimAnswer(call, context);
        if (refusal !== undefined) return refusal;
      }
      session.access.show(clientId);
      tenant.take(call, clientId, session);
      return { ...queued({ callSid, startMs: call.startMs }), status: "ANSWERED" };
    },
  }),
];

/** Whether a session is allowed to know that another one answered a call: it could answer the call itself, or see it. */
function mayTry(call: Call, { tenant, session }: Pick<RpcContext, "tenant" | "session">): boolean {
  return tenant.mayReach(session.access, call, "answer") ||
    tenant.mayReach(session.access, call, "see");
}

function findUnfit(request: SetInboundRoutingRequest): string | undefined {
  const { rule, audioUrl, webhookUrl, aiWebsocketUrl, aiQuicUrl } = request;
  if (!KNOWN_RULES.has(rule)) return "rule is unknown";
  if (rule === InboundRule.PLAY_AND_HANGUP && audioUrl === "") return "audio_url is empty";
  if (rule === InboundRule.NOTIFY_AND_HANGUP && webhookUrl === "") return "webhook_url is empty";
  if (rule === InboundRule.HANDLE_AI && aiWebsocketUrl === "" && aiQuicUrl === "") {
    return "ai_websocket_url and ai_quic_url are empty";
  }
  if (!isPlainText(audioUrl)) return "audio_url is malformed";
  if (!isUrlOrEmpty(webhookUrl, ["http:", "https:"])) {
    return "webhook_url is malformed, expected an http: or https: URL";
  }
  if (!isUrlOrEmpty(aiWebsocketUrl, ["ws:", "wss:"])) {
    return "ai_websocket_url is malformed, expected a ws: or wss: URL";
  }
  if (!isUrlOrEmpty(aiQuicUrl, ["quic:", "https:"])) {
    return "ai_quic_url is malformed, expected a quic: or https: URL";
  }
  return undefined;
}
