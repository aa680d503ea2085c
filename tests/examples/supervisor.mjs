// A supervisor: waits for the tenant's next answered call, listens to both sides, and whispers a hint to the agent.
// node supervisor.mjs    Environment: TELEQUICK_*.
import { EventType, SupervisionMode, TeleQuickClient } from "@telequick/sdk";
import { decodeAudio, toneSamples } from "@telequick/sdk/audio";

const client = new TeleQuickClient(); // endpoint, credentials and trunk from the environment
try {
  const events = client.events();
  // The events of every call of the tenant, whichever instance dialled it.
  await client.streamEvents();
  console.log("waiting for a call");
  const supervision = await joinNext(events);
  console.log(`listening to ${supervision.callSid}`);
  const hint = toneSamples({ frequencyHz: 880, sampleRate: 8_000, milliseconds: 400 });
  supervision.audio.writable.getWriter().write(hint).catch(() => {});
  await Promise.all([showLevels(supervision.audio), supervision.ended]);
  console.log("the call has ended");
} finally {
  await client.close();
}

/** Joins the next call that is answered; one that is over by then is left out. */
async function joinNext(events) {
  for await (const { callSid, eventType } of events) {
    if (eventType !== EventType.CHANNEL_ANSWER) continue;
    try {
      return await client.supervise({ callSid, mode: SupervisionMode.WHISPER_AGENT });
    } catch (error) {
      if (error.code !== "ERR_RPC_REJECTED") throw error;
    }
  }
}

/** Prints once a second how loud the call is, in decibels of full scale. */
async function showLevels({ readable }) {
  let [energy, samples] = [0, 0];
  for await (const { payload, codec } of readable) {
    for (const sample of decodeAudio(codec, payload)) energy += (sample / 32_768) ** 2;
    samples += payload.length;
    if (samples < 8_000) continue;
    console.log(`level ${(10 * Math.log10(energy / samples)).toFixed(0)} dB`);
    [energy, samples] = [0, 0];
  }
}
