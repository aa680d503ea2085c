/**
 * Calls that are there: terminate, barge; and the sessions that are notified.
 *
 * @module
 */

import { ErrorCode, methods } from "../../wire/mod.ts";
import { RpcRefusal } from "../refusal.ts";
import { type Route, route } from "./route.ts";

/** The one answer for every call that the tenant does not have: ended, unknown, or another tenant's. */
export const unknownCall: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_UNAUTHORIZED,
  "Unknown call_sid",
);

/** The answer to a client id that a token with a scope and without an `end_user` cannot use. */
export const guessableClientId: RpcRefusal = new RpcRefusal(
  ErrorCode.ERR_VALIDATION_FAILED,
  "client_id is not a UUID v4, which a token with a scope and without end_user needs",
);

/** `StreamEvents`, `Terminate`, `Barge`. */
export const controlRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.StreamEvents,
    // Every token can subscribe: it receives what it is allowed to see.
    handle({ clientId }, { session }) {
      if (!session.access.takesClientId(clientId)) return guessableClientId;
      if (session.subscribe(clientId)) return {};
      return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "Too many client_ids for one session");
    },
  }),
  route({
    method: methods.Terminate,
    scope: ["call.dial", "call.answer"],
    handle({ callSid }, { tenant, session, gateway }) {
      const call = tenant.callFor(session.access, callSid, "control");
      if (call === undefined) return unknownCall;
      call.end();
      return { callSid, status: "COMPLETED", timestampMs: gateway.clock.now() };
    },
  }),
  route({
    method: methods.Barge,
    scope: ["call.barge"],
    handle({ callSid }, { tenant, session }) {
      const call = tenant.callFor(session.access, callSid, "barge");
      if (call === undefined) return unknownCall;
      call.barge();
      return {};
    },
  }),
];
