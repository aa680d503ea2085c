// A worker of a fleet: start as many as you like on one trunk, each takes its share of the calls. Ctrl-C or SIGTERM takes it out of the
// fleet: it answers no more, and leaves when its calls are over.
// node worker.mjs    Environment: TELEQUICK_*, and CAPACITY for the most calls at once.
import { InboundRule, TeleQuickClient } from "@telequick/sdk";
import { toneSamples } from "@telequick/sdk/audio";

const { env } = process;
const trunkId = env.TELEQUICK_TRUNK;
const greeting = toneSamples({ frequencyHz: 523, sampleRate: 8_000, milliseconds: 400 });

const client = new TeleQuickClient(); // endpoint, credentials and trunk from the environment
// Calls wait to be answered; the gateway tells the webhook of each.
const webhookUrl = env.WEBHOOK_URL ?? "https://hooks.example/calls";
await client.setInboundRouting({ trunkId, rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl });

const service = client.serveInbound(trunkId, receive, {
  capacity: Number(env.CAPACITY ?? 10),
  onError: (error, call) => console.error(call?.callSid ?? "", error.message),
});
const drained = new Promise((resolve) => {
  const leave = () => {
    console.log("leaving");
    resolve(client.drain({ deadlineMs: 60_000 }));
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, leave);
});
console.log("ready");
await service.ended;
const { left } = await drained;
console.log(`left, ${left.length} calls go on`);

async function receive(call) {
  console.log(`answered ${call.from}`);
  await call.audio().play(greeting).finished;
  const { durationSeconds } = await call.ended;
  console.log(`${call.from} hung up after ${durationSeconds} s`);
}
