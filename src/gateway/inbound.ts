/**
 * Calls that come in: what a trunk does with them, who waits, and who takes them (protocol.md sections 5.4 and 9).
 *
 * @module
 */

import {
  DialplanAction,
  ErrorCode,
  InboundRule,
  methods,
  type SetInboundRoutingRequest,
  type TrunkRecord,
} from "../wire/mod.ts";
import type { Call } from "./calls.ts";
import { unknownCall } from "./control.ts";
import { Refusal } from "./fault.ts";
import { isPlainText, isUrlOrEmpty } from "./names.ts";
import { queued, unknownTrunk } from "./originate.ts";
import { type Route, route } from "./route.ts";
import type { Script } from "./simulate.ts";
import type { InboundRouting, Tenant } from "./tenant.ts";

// A caller that nobody answers gives up after this long; one that is played something stays this long.
const PATIENCE_MS = 30_000;
const ANNOUNCEMENT_MS = 3_000;

const KNOWN_RULES: ReadonlySet<number> = new Set(Object.values(InboundRule));

/** `SetInboundRouting`, `GetIncomingCalls`, `AnswerIncomingCall`. */
export const inboundRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.SetInboundRouting,
    scope: "nothing",
    handle(request, { tenant }) {
      const { trunkId, rule, webhookUrl } = request;
      if (!tenant.trunks.has(trunkId)) return unknownTrunk;
      const unfit = findUnfit(request);
      if (unfit !== undefined) return new Refusal(ErrorCode.ERR_VALIDATION_FAILED, unfit);
      tenant.routing.set(trunkId, { rule, webhookUrl });
      return {};
    },
  }),
  route({
    method: methods.GetIncomingCalls,
    handle({ trunkId }, { tenant }) {
      if (!tenant.trunks.has(trunkId)) return unknownTrunk;
      const calls = waitingCalls(tenant, trunkId).map(({ callSid, options, startMs }) => ({
        callSid,
        callFrom: options.callFrom,
        startTimestampMs: startMs,
      }));
      return { calls };
    },
  }),
  route({
    method: methods.AnswerIncomingCall,
    scope: "call.dial",
    handle({ callSid, clientId }, { tenant, session }) {
      const call = tenant.call(callSid);
      if (call === undefined) return unknownCall;
      if (!isWaiting(call)) {
        return new Refusal(
          ErrorCode.ERR_VALIDATION_FAILED,
          "The call does not wait to be answered",
        );
      }
      tenant.take(call, clientId, session);
      return { ...queued({ callSid, startMs: call.startMs }), status: "ANSWERED" };
    },
  }),
];

/** Calls of a trunk that nobody has answered yet, the oldest first. */
export function waitingCalls(tenant: Tenant, trunkId: string): Call[] {
  return [...tenant.calls()].filter((call) => isWaiting(call) && call.options.trunkId === trunkId);
}

/** Whether a call came in and nobody has answered it yet. */
export function isWaiting(call: Call): boolean {
  return call.options.direction === "inbound" && call.state === "ringing";
}

/** What a trunk does with a call: what `SetInboundRouting` said, else its own record. */
export function routingOf(tenant: Tenant, trunk: TrunkRecord): InboundRouting {
  const { rejectIncomingCalls, inboundRule } = trunk;
  const rule = rejectIncomingCalls ? InboundRule.REJECT : inboundRule;
  return tenant.routing.get(trunk.trunkId) ?? { rule, webhookUrl: "" };
}

/** A caller, as its trunk's rule makes the call go. */
export function inboundScript(rule: number): Script {
  const answered = { rings: true, afterMs: 0, media: "echo" } as const;
  switch (rule) {
    case InboundRule.PLAY_AND_HANGUP:
      return { ...answered, talkMs: ANNOUNCEMENT_MS };
    case InboundRule.HANDLE_AI:
      return answered;
    default:
      return {
        ...answered,
        afterMs: PATIENCE_MS,
        failure: { status: "NO_ANSWER", q850Cause: 19 },
      };
  }
}

/** What is done with a call by its trunk's rule when it is answered. */
export function inboundApp(rule: number): number {
  return rule === InboundRule.PLAY_AND_HANGUP ? DialplanAction.PLAYBACK : DialplanAction.ANSWER;
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
    return "webhook_url is no http: or https: URL";
  }
  if (!isUrlOrEmpty(aiWebsocketUrl, ["ws:", "wss:"])) {
    return "ai_websocket_url is no ws: or wss: URL";
  }
  if (!isUrlOrEmpty(aiQuicUrl, ["quic:", "https:"])) return "ai_quic_url is no quic: or https: URL";
  return undefined;
}
