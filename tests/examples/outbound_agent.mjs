// An agent that calls a number and lets a realtime model speak (OpenAI's Realtime API, or a server of that shape).
// node outbound_agent.mjs +15550120    Environment: TELEQUICK_*, OPENAI_API_KEY, and REALTIME_URL for another server.
import { TeleQuickClient } from "@telequick/sdk";

const { env, argv } = process;
const url = env.REALTIME_URL ?? "wss://api.openai.com/v1/realtime?model=gpt-realtime";
const instructions =
  "You are calling on behalf of the dentist to confirm tomorrow's appointment at nine.";

const client = new TeleQuickClient(
  env.TELEQUICK_ENDPOINT,
  env.TELEQUICK_CREDENTIALS,
  false,
  env.TELEQUICK_CERTIFICATE_HASH,
);
try {
  const call = await client.dial({ to: argv[2] ?? "+15550120", trunkId: env.TELEQUICK_TRUNK });
  await call.answered();
  console.log("answered");
  await talk(call);
  const { cause, durationSeconds } = await call.ended;
  console.log(`ended after ${durationSeconds} s: ${cause}`);
} finally {
  await client.close();
}

/** Connects the call's audio with the model until the call ends. */
async function talk(call) {
  // The model answers faster than it is spoken: a minute of it may wait to be sent.
  const audio = call.audio({ leadMs: 10_000 });
  const writer = audio.writable.getWriter();
  const model = new WebSocket(url, ["realtime", `openai-insecure-api-key.${env.OPENAI_API_KEY}`]);
  const send = (event) => model.readyState === WebSocket.OPEN && model.send(JSON.stringify(event));
  await new Promise((resolve, reject) => {
    model.onopen = resolve;
    model.onerror = () => reject(new Error(`Cannot reach the model at ${url}`));
  });
  // PCMU both ways: what the telephone speaks, so nothing has to be converted.
  const format = { type: "audio/pcmu" };
  send({
    type: "session.update",
    session: {
      type: "realtime",
      instructions,
      audio: { input: { format, turn_detection: { type: "server_vad" } }, output: { format } },
    },
  });
  model.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    if (event.type === "response.output_audio.delta") {
      writer.write(Uint8Array.from(Buffer.from(event.delta, "base64"))).catch(() => {});
    } else if (event.type === "input_audio_buffer.speech_started") {
      // The person speaks: drop what the model has said and nobody has heard yet.
      console.log("interrupted");
      audio.clear().catch(() => {});
    } else if (event.type === "error") {
      console.error(`The model: ${event.error.message}`);
    }
  };
  send({ type: "response.create" });
  for await (const { payload } of audio.readable) {
    const heard = Buffer.from(payload).toString("base64");
    send({ type: "input_audio_buffer.append", audio: heard });
  }
  model.close();
}
