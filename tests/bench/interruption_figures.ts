/**
 * How exactly an interrupted answer is truncated: a model speaks for six seconds by OpenAI's own package, the caller interrupts when the far
 * end has heard two, and `audio_end_ms` is compared with what the far end had heard in the end, over QUIC.
 * `deno run -A --unstable-net tests/bench/interruption_figures.ts [--runs 50] [--at-once 2]`
 *
 * @module
 */

// deno-lint-ignore-file no-console
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { TeleQuickClient } from "../../mod.ts";
import { withTeleQuick } from "../../src/openai/mod.ts";
import { testGateway } from "../../src/testing/mod.ts";
import { loadAgentsRealtime } from "../support/agents_realtime.ts";
import { pcmuTone, playedMs, RealtimeServer } from "../support/realtime_server.ts";

const HEARD_MS = 2_000;

/** One interruption. */
interface Interruption {
  /** Where the answer was truncated. */
  readonly endMs: number;
  /** What the far end had heard of it when nothing more came. */
  readonly heardMs: number;
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "50" },
    "at-once": { type: "string", default: "2" },
  },
});
const { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } = await loadAgentsRealtime();
const Transport = withTeleQuick(OpenAIRealtimeWebSocket);
const kit = await testGateway();
const { endpoint, certificateHash } = await kit.gateway.listen();
const client = new TeleQuickClient(endpoint, kit.account, {
  serverCertificateHash: certificateHash,
});

async function interrupt(): Promise<Interruption> {
  await using server = new RealtimeServer();
  await using call = await client.dial({ to: "+15550100", trunkId: kit.trunkId });
  await call.answered();
  const transport = new Transport({ call, url: server.url });
  const agent = new RealtimeAgent({ name: "Test", instructions: "Talk." });
  const session = new RealtimeSession(agent, { transport, tracingDisabled: true });
  await session.connect({ apiKey: "test", url: server.url });
  server.say(pcmuTone(6_000), { isDone: false });
  await server.until(() => playedMs(kit.hears(call)) >= HEARD_MS);
  server.send({ type: "input_audio_buffer.speech_started", item_id: "u1", audio_start_ms: 0 });
  await server.until(() => server.of("conversation.item.truncate").length > 0);
  const endMs = Number(server.of("conversation.item.truncate")[0]!["audio_end_ms"]);
  // Longer than what the transport had already taken needs.
  await setTimeout(300);
  const heardMs = playedMs(kit.hears(call));
  session.close();
  return { endMs, heardMs };
}

function show(name: string, numbers: readonly number[]): void {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (part: number): string =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!.toFixed(1).padStart(8);
  console.log(`${name.padEnd(40)}${at(0)}${at(0.5)}${at(0.95)}${at(1)}`);
}

const runs: Interruption[] = [];
let left = Number(values.runs);
const workers = Array.from({ length: Number(values["at-once"]) }, async () => {
  while (left-- > 0) runs.push(await interrupt());
});
await Promise.all(workers);
await client.close();
await kit.close();
console.log(
  `${runs.length} interruptions, milliseconds`.padEnd(40) + "     min  median     p95     max",
);
show("truncated at", runs.map(({ endMs }) => endMs));
show("heard by the far end", runs.map(({ heardMs }) => heardMs));
show("|truncated - heard|", runs.map(({ endMs, heardMs }) => Math.abs(endMs - heardMs)));
show("|truncated - 2000|", runs.map(({ endMs }) => Math.abs(endMs - HEARD_MS)));
const within = runs.filter(({ endMs, heardMs }) => Math.abs(endMs - heardMs) <= 40).length;
console.log(`${within} of ${runs.length} within 40 ms of what the far end had heard`);
