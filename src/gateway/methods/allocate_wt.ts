/**
 * `AllocateWt`: where the media of a call is reached directly.
 *
 * The protocol publishes neither how the media token is presented nor what a media session speaks, so this gateway names its own port and a token that
 * no session of it asks for: it lets a client test its side of the exchange, and nothing more.
 *
 * @module
 */

import { methods } from "../../wire/mod.ts";
import { unknownCall } from "./call_control.ts";
import { randomUuid } from "../../base/random.ts";
import { type Route, route } from "./route.ts";

/** `AllocateWt`. */
export const mediaRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.AllocateWt,
    scope: ["call.dial", "call.answer"],
    handle({ callSid }, { tenant, session, gateway }) {
      if (tenant.callFor(session.access, callSid, "control") === undefined) return unknownCall;
      const { host, port } = gateway.mediaAddress();
      const mediaToken = randomUuid(tenant.random);
      const timestampMs = gateway.clock.now();
      return { host, port, nodeId: "local", mediaToken, status: "OK", timestampMs };
    },
  }),
];
