/**
 * `ExecuteDialplan`: what can be done with a live call.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import {
  DialplanAction,
  ErrorCode,
  type ExecuteDialplanRequest,
  methods,
  parseMute,
  parseSendDtmf,
  parseTransfer,
} from "../../wire/mod.ts";
import type { Call } from "../call/call.ts";
import { unknownCall } from "./call_control.ts";
import { claimAnswer } from "./claims.ts";
import { RpcRefusal } from "../refusal.ts";
import type { CallMedia } from "../call/media.ts";
import { type Route, route, type RpcContext } from "./route.ts";

/** `ExecuteDialplan`. */
export const dialplanRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.ExecuteDialplan,
    scope: ["call.dial", "call.answer"],
    async handle(request, context) {
      const call = findCall(request, context);
      if (call === undefined) return unknownCall;
      if (request.action === DialplanAction.ANSWER && context.gateway.cluster !== undefined) {
        const refusal = await claimAnswer(call, context);
        if (refusal !== undefined) return refusal;
      }
      try {
        return execute(call, request, context) ?? { status: "OK" };
      } catch (error) {
        if (!(error instanceof TeleQuickError)) throw error;
        return unfit(error.message);
      }
    },
  }),
];

// A blind transfer: the far end gets the new destination, and leaves.
const TRANSFER_MS = 100;

function execute(
  call: Call,
  { action, appArgs }: ExecuteDialplanRequest,
  context: RpcContext,
): RpcRefusal | undefined {
  if (action === DialplanAction.HANGUP) return void call.end();
  if (action === DialplanAction.ANSWER) return answer(call, context);
  const { media } = call;
  if (media === undefined) return unfit(`The call is ${call.state}, expected answered`);
  switch (action) {
    case DialplanAction.PARK:
      return void (call.isParked = true);
    case DialplanAction.MUSIC_ON_HOLD:
    case DialplanAction.HOLD:
      return hold(call, context);
    case DialplanAction.UNHOLD:
      return call.hold(false) ? undefined : unfit("The call is not on hold");
    case DialplanAction.PLAYBACK:
      if (appArgs === "") return unfit("app_args is empty, expected what to play");
      return void media.play();
    case DialplanAction.UNPARK_AND_BRIDGE:
      return bridge(call, media, appArgs, context);
    case DialplanAction.AI_BIDIRECTIONAL_STREAM:
      if (appArgs === "") return unfit("app_args is empty, expected an agent_id");
      return void (call.isParked = false);
    case DialplanAction.TRANSFER:
      return transfer(call, appArgs);
    case DialplanAction.MUTE:
      parseMute(appArgs);
      return void (media.isMuted = true);
    case DialplanAction.UNMUTE:
      parseMute(appArgs);
      return void (media.isMuted = false);
    case DialplanAction.SEND_DTMF:
      return sendDtmf(call, appArgs, context);
    case DialplanAction.LOOPBACK:
      return void media.loopBack();
    default:
      return unfit("action is not for a live call");
  }
}

/** The call, if the session is allowed to do this with it. A session that is only allowed to answer can do nothing else before that. */
function findCall(
  { callSid, action }: ExecuteDialplanRequest,
  { tenant, session: { access } }: RpcContext,
): Call | undefined {
  const answerable = action === DialplanAction.ANSWER
    ? tenant.callFor(access, callSid, "answer")
    : undefined;
  return answerable ?? tenant.callFor(access, callSid, "control");
}

function answer(call: Call, { tenant, session }: RpcContext): RpcRefusal | undefined {
  if (call.options.direction !== "inbound" || call.state !== "ringing") {
    return unfit(`The call is ${call.state} and ${call.options.direction}, expected one coming in`);
  }
  if (session.access.isLimited) return void tenant.take(call, "", session);
  return void call.answer();
}

function hold(call: Call, { tenant }: RpcContext): RpcRefusal | undefined {
  if (!call.hold(true)) return unfit("The call is on hold already");
  const trunk = tenant.trunks.get(call.options.trunkId);
  if (trunk?.terminateOnHold === true) call.end();
  return undefined;
}

/** Lets the far ends of two calls of the tenant talk to each other. */
function bridge(
  call: Call,
  media: CallMedia,
  otherSid: string,
  { tenant, session }: RpcContext,
): RpcRefusal | undefined {
  const other = otherSid === "" ? undefined : tenant.callFor(session.access, otherSid, "control");
  if (otherSid !== "" && other === undefined) return unknownCall;
  if (other === undefined) {
    call.isParked = false;
    return undefined;
  }
  const { media: otherMedia } = other;
  if (otherMedia === undefined || otherMedia === media) {
    return unfit("The other call is not another one that is answered");
  }
  if (media.partner !== undefined || otherMedia.partner !== undefined) {
    return unfit("One of the calls is bridged already");
  }
  call.isParked = false;
  other.isParked = false;
  media.partner = otherMedia;
  otherMedia.partner = media;
  return undefined;
}

function transfer(call: Call, appArgs: string): RpcRefusal | undefined {
  parseTransfer(appArgs);
  call.isParked = false;
  return void call.later(TRANSFER_MS, () => call.end());
}

function sendDtmf(
  call: Call,
  appArgs: string,
  { gateway, ids }: RpcContext,
): RpcRefusal | undefined {
  const { digit, mode, durationMs } = parseSendDtmf(appArgs);
  const { callSid } = call;
  call.digit(digit);
  gateway.log("call.dtmf", { ...ids, callSid, digit, reason: mode, durationMs });
  return undefined;
}

function unfit(message: string): RpcRefusal {
  return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, message);
}
