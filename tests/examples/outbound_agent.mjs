// An agent that calls a number: a realtime model of OpenAI talks on the call, by OpenAI's own package.
// npm install @telequick/sdk @openai/agents-realtime
// node outbound_agent.mjs +15550120    Environment: TELEQUICK_*, OPENAI_API_KEY, and REALTIME_URL for another server.
import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents-realtime";
import { TeleQuickClient } from "@telequick/sdk";
import { withTeleQuick } from "@telequick/sdk/openai";

const { env, argv } = process;
const url = env.REALTIME_URL ?? "wss://api.openai.com/v1/realtime?model=gpt-realtime";
const Transport = withTeleQuick(OpenAIRealtimeWebSocket);

const client = new TeleQuickClient(); // endpoint, credentials and trunk from the environment
try {
  const call = await client.dial({ to: argv[2] ?? "+15550120" });
  await call.answered();
  console.log("answered");

  const agent = new RealtimeAgent({
    name: "Reminder",
    instructions: "You call on behalf of the dentist. Remind of tomorrow's appointment at nine.",
  });
  const transport = new Transport({ call, url });
  const session = new RealtimeSession(agent, { transport, tracingDisabled: true });
  session.on("error", ({ error }) => console.error(`The model: ${error?.message ?? error}`));
  // The person speaks: what the model has said, and what has not been heard yet, is dropped.
  transport.on("audio_interrupted", () => console.log("interrupted"));
  await session.connect({ apiKey: env.OPENAI_API_KEY, url });
  // The caller speaks first on a call that is dialled.
  transport.sendEvent({ type: "response.create" });

  const { cause, durationSeconds } = await call.ended;
  console.log(`ended after ${durationSeconds} s: ${cause}`);
  session.close();
} finally {
  await client.close();
}
