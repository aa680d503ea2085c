// A receptionist: answers every call that comes in on a trunk, plays a greeting, and transfers by the key that is pressed.
// node receptionist.mjs    Environment: TELEQUICK_*, and CALLS to stop after so many.
import { InboundRule, TeleQuickClient } from "@telequick/sdk";
import { decodeAudio, toneSamples } from "@telequick/sdk/audio";

const { env } = process;
const trunkId = env.TELEQUICK_TRUNK;
const menu = { 1: "sip:sales@pbx.example", 2: "sip:support@pbx.example" };
const patienceMs = 10_000;
// In place of a recording: a short rising signal.
const greeting = [523, 659, 784].map((frequencyHz) =>
  toneSamples({ frequencyHz, sampleRate: 8_000, milliseconds: 150 })
);

const client = new TeleQuickClient(); // endpoint, credentials and trunk from the environment
try {
  // Calls wait to be answered; the gateway tells the webhook of each.
  const webhookUrl = env.WEBHOOK_URL ?? "https://hooks.example/calls";
  await client.setInboundRouting({ trunkId, rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl });
  console.log("ready");
  const calls = [];
  while (calls.length < Number(env.CALLS ?? Infinity)) {
    for (const { callSid, callFrom } of await client.getIncomingCalls(trunkId)) {
      const call = await client.answerIncomingCall({ callSid });
      calls.push(receive(call, callFrom).catch((error) => console.error(error.message)));
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await Promise.all(calls);
} finally {
  await client.close();
}

async function receive(call, from) {
  const audio = call.audio();
  const writer = audio.writable.getWriter();
  for (const samples of greeting) writer.write(samples).catch(() => {});
  let timer;
  const late = new Promise((resolve) => timer = setTimeout(resolve, patienceMs));
  const key = await Promise.race([pressedKey(audio), late]);
  clearTimeout(timer);
  const target = menu[key];
  console.log(`${from} pressed ${key ?? "nothing"}${target ? `: transferred to ${target}` : ""}`);
  await (target ? call.transfer(target) : call.hangUp());
  await call.ended;
}

/** The first key that the far end presses; `undefined` when the call ends before. A key is two tones at once (ITU-T Q.23). */
async function pressedKey({ readable }) {
  const rows = [697, 770, 852, 941];
  const columns = [1209, 1336, 1477];
  for await (const { payload, codec } of readable) {
    if (payload.length === 0) continue;
    const samples = decodeAudio(codec, payload);
    const rate = codec === "PCM16" ? 16_000 : 8_000;
    const strengths = (tones) => tones.map((hertz) => strength(samples, hertz, rate));
    const strongest = (list) => list.findIndex((one) => one > 0.05 && one === Math.max(...list));
    const [row, column] = [strongest(strengths(rows)), strongest(strengths(columns))];
    if (row >= 0 && column >= 0) return ["123", "456", "789", "*0#"][row][column];
  }
}

/** How strong a tone is, 1 for a sine of full amplitude (Goertzel's algorithm, written as a sum). */
function strength(samples, hertz, rate) {
  let [real, imaginary] = [0, 0];
  samples.forEach((sample, i) => {
    real += sample * Math.cos(2 * Math.PI * hertz * i / rate);
    imaginary += sample * Math.sin(2 * Math.PI * hertz * i / rate);
  });
  return 2 * Math.hypot(real, imaginary) / samples.length / 32_768;
}
