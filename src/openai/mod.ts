/**
 * A transport for `@openai/agents-realtime`: the model talks on a call. The package is not a dependency: its class is passed in.
 *
 * @example An agent on an outgoing call
 * ```ts no-check: it needs @openai/agents-realtime
 * import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents-realtime";
 * import { TeleQuickClient } from "@telequick/sdk";
 * import { withTeleQuick } from "@telequick/sdk/openai";
 *
 * const TeleQuickRealtimeTransport = withTeleQuick(OpenAIRealtimeWebSocket);
 * const client = new TeleQuickClient();
 * const call = await client.dial({ to: "+15550100" });
 * await call.answered();
 * const agent = new RealtimeAgent({ name: "Receptionist", instructions: "Greet the caller." });
 * const session = new RealtimeSession(agent, { transport: new TeleQuickRealtimeTransport({ call }) });
 * await session.connect({ apiKey: process.env.OPENAI_API_KEY });
 * await call.ended;
 * ```
 *
 * @module
 */

export { withTeleQuick } from "./transport.ts";
export type {
  RealtimeWebSocketClass,
  TeleQuickTransportClass,
  TeleQuickTransportOptions,
} from "./transport.ts";
