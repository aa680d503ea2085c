/**
 * Calls that are there: terminate, barge; and who hears of them.
 *
 * @module
 */

import { ErrorCode, methods } from "../../wire/mod.ts";
import { RpcRefusal } from "../refusal.ts";
import { type Route, route } from "./route.ts";

/** The one answer for every call that the tenant does not have: ended, unknown, or somebody else's. */
export const unknownCall: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_UNAUTHORIZED,
  "Unknown call_sid",
);

/** `StreamEvents`, `Terminate`, `Barge`. */
export const controlRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.StreamEvents,
    handle({ clientId }, { session }) {
      if (session.subscribe(clientId)) return {};
      return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "Too many client_ids for one session");
    },
  }),
  route({
    method: methods.Terminate,
    scope: "call.dial",
    handle({ callSid }, { tenant, gateway }) {
      const call = tenant.call(callSid);
      if (call === undefined) return unknownCall;
      call.end();
      return { callSid, status: "COMPLETED", timestampMs: gateway.clock.now() };
    },
  }),
  route({
    method: methods.Barge,
    scope: "call.barge",
    handle({ callSid }, { tenant }) {
      const call = tenant.call(callSid);
      if (call === undefined) return unknownCall;
      call.barge();
      return {};
    },
  }),
];
