/**
 * `telequick load`.
 *
 * @module
 */

import { messageOf } from "../../base/text/message.ts";
import type { TeleQuickClient } from "../../client/mod.ts";
import { sleep } from "../../base/signal.ts";
import { parseEndpoint } from "../../transport/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { type EchoReport, measureEcho } from "../local_gateway/echo.ts";
import { formatDuration, formatMemory, formatMs, percentile, plural } from "../terminal/format.ts";
import { inLine } from "../terminal/output.ts";
import { openClient, SESSION_OPTIONS, showWarnings, targetOf } from "../session.ts";
import { UsageError } from "../usage.ts";
import { TRUNK_OPTIONS, trunkOf } from "./dial.ts";

const LOAD_OPTIONS = {
  ...SESSION_OPTIONS,
  ...TRUNK_OPTIONS,
  "calls": {
    type: "number",
    value: "COUNT",
    min: 1,
    max: 100_000,
    help: "Number of calls",
    byDefault: "100",
  },
  "rate": {
    type: "number",
    value: "PER-SECOND",
    min: 0.1,
    max: 1_000,
    fraction: true,
    help: "Calls dialled a second",
    byDefault: "20",
  },
  "seconds": {
    type: "number",
    value: "SECONDS",
    min: 0.1,
    max: 3_600,
    fraction: true,
    help: "Duration of each call",
    byDefault: "10",
  },
  "to": {
    type: "text",
    value: "NUMBER",
    help: "The number to call",
    byDefault: "+15550100, which echoes",
  },
  "sessions": {
    type: "number",
    value: "COUNT",
    min: 1,
    max: 100,
    help: "Number of sessions; QUIC grants each about 100 streams, and a call uses one",
    byDefault: "one for each 80 calls",
  },
} as const;

type LoadContext = Context<typeof LOAD_OPTIONS>;

/** Counts of a run so far. */
interface Tally {
  dialled: number;
  live: number;
  done: number;
  failed: number;
  framesSent: number;
  framesReturned: number;
  peakMemoryBytes: number;
  readonly dialMs: number[];
  readonly answerMs: number[];
  readonly echoes: EchoReport[];
  readonly failures: Map<string, number>;
}

/** Places many calls and measures them. */
export const load: Command = command({
  details:
    "Only against a gateway on this machine: load on another's gateway is an attack. Each call sends 50 frames a second and measures " +
    "their return. Processor time and memory are those of this process, without the gateway.",
  options: LOAD_OPTIONS,
  examples: [
    ["telequick gateway exec -- telequick load --calls 100", "a hundred calls and their gateway"],
  ],
  exitCodes: { 1: "a call failed, or the gateway cannot be reached" },
  async run(context) {
    const { values, output, platform, clock, signal } = context;
    requireLoopback(targetOf(context).endpoint);
    trunkOf(values.trunk, platform);
    const clients: TeleQuickClient[] = [];
    const tally: Tally = {
      ...{ dialled: 0, live: 0, done: 0, failed: 0, framesSent: 0, framesReturned: 0 },
      peakMemoryBytes: platform.usage().memoryBytes,
      dialMs: [],
      answerMs: [],
      echoes: [],
      failures: new Map(),
    };
    const startedAt = clock.monotonic();
    const before = platform.usage();
    try {
      const { calls = 100, sessions = Math.ceil(calls / 80) } = values;
      for (let i = 0; i < sessions; i++) {
        const client = await openClient(context);
        clients.push(client);
        void showWarnings(client, output);
        await client.connect({ signal });
      }
      const stop = output.progress(() => progressText(tally, calls));
      const stopWatch = watchMemory(context, tally);
      try {
        await dialAll(clients, context, tally);
      } finally {
        stopWatch();
        stop();
      }
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
    report(tally, context, {
      wallMs: clock.monotonic() - startedAt,
      cpuMs: platform.usage().cpuMs - before.cpuMs,
    });
    if (signal.aborted) return interruptedCode(signal);
    return tally.failed > 0 ? 1 : 0;
  },
});

function requireLoopback(endpoint: string): void {
  const { hostname } = parseEndpoint(endpoint);
  if (/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) return;
  throw new UsageError(
    `Cannot load ${hostname}: it is another machine, expected a gateway on 127.0.0.1, [::1] or localhost (telequick gateway starts one)`,
  );
}

/** Dials on an absolute schedule, so that slow replies do not lower the rate. Resolves when all calls have ended. */
async function dialAll(
  clients: readonly TeleQuickClient[],
  context: LoadContext,
  tally: Tally,
): Promise<void> {
  const { values: { calls = 100, rate = 20 }, clock, signal } = context;
  const startedAt = clock.monotonic();
  const running: Promise<void>[] = [];
  for (let i = 0; i < calls && !signal.aborted; i++) {
    const due = startedAt + i * 1_000 / rate - clock.monotonic();
    if (due > 0) await sleep(due, { clock, signal }).catch(() => {});
    if (signal.aborted) break;
    running.push(placeOne(clients[i % clients.length]!, context, tally));
  }
  await Promise.all(running);
}

/** One call from dial to end. Never rejects: errors are counted. */
async function placeOne(
  client: TeleQuickClient,
  { values, platform, clock, signal }: LoadContext,
  tally: Tally,
): Promise<void> {
  const dialledAt = clock.monotonic();
  tally.dialled++;
  try {
    const { to = "+15550100", seconds = 10 } = values;
    const call = await client.dial({ to, trunkId: trunkOf(values.trunk, platform) });
    tally.dialMs.push(clock.monotonic() - dialledAt);
    tally.live++;
    try {
      await call.answered();
      tally.answerMs.push(clock.monotonic() - dialledAt);
      const echo = await measureEcho(call, {
        seconds,
        clock,
        signal,
        onFrame: (kind) => kind === "sent" ? tally.framesSent++ : tally.framesReturned++,
      });
      tally.echoes.push(echo);
    } finally {
      tally.live--;
      await call.hangUp();
      await call.ended;
    }
    tally.done++;
  } catch (error) {
    tally.failed++;
    const message = messageOf(error);
    tally.failures.set(message, (tally.failures.get(message) ?? 0) + 1);
  }
}

function watchMemory({ clock, platform }: LoadContext, tally: Tally): () => void {
  let cancel = (): void => {};
  const look = (): void => {
    tally.peakMemoryBytes = Math.max(tally.peakMemoryBytes, platform.usage().memoryBytes);
    cancel = clock.schedule(250, look);
  };
  look();
  return () => cancel();
}

function progressText(tally: Tally, calls: number): string {
  const { dialled, live, done, failed, framesSent, framesReturned } = tally;
  return `${dialled}/${calls} dialled, ${live} live, ${done} done, ${failed} failed, ${
    framesSent - framesReturned
  } of ${framesSent} frames in flight`;
}

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

function report(tally: Tally, { output }: LoadContext, { wallMs, cpuMs }: Cost): void {
  const { dialled, done, failed, dialMs, answerMs, echoes, failures, peakMemoryBytes } = tally;
  const add = (name: "sent" | "returned" | "lost" | "unsent" | "foreign"): number =>
    echoes.reduce((sum, echo) => sum + echo[name], 0);
  const frames = {
    sent: add("sent"),
    returned: add("returned"),
    lost: add("lost"),
    unsent: add("unsent"),
    foreign: add("foreign"),
  };
  const roundTripsMs = Float64Array.from(echoes.flatMap((echo) => echo.roundTripsMs)).sort();
  const latencies = {
    dialMs: summary(dialMs),
    answerMs: summary(answerMs),
    roundTripMs: summary([...roundTripsMs]),
  };
  const jitterMs = percentile(echoes.map((echo) => echo.jitterMs).sort((a, b) => a - b), 0.95);
  const cpuPercent = 100 * cpuMs / wallMs;
  const cpuPerFrameUs = frames.sent === 0 ? 0 : 1_000 * cpuMs / (frames.sent + frames.returned);
  output.emit(
    {
      type: "load",
      calls: { dialled, done, failed },
      failures: Object.fromEntries(failures),
      frames,
      ...latencies,
      jitterMs,
      ...{ wallMs, cpuMs, cpuPercent, cpuPerFrameUs, peakMemoryBytes },
    },
    [
      `${plural(dialled, "call")} in ${formatDuration(wallMs)}: ${done} done, ${failed} failed`,
      ...[...failures].map(([message, count]) => `  ${plural(count, "time")}: ${inLine(message)}`),
      `frames  ${frames.sent} sent, ${frames.returned} returned, ${frames.lost} lost${
        frames.unsent > 0 ? ` (${frames.unsent} not sent)` : ""
      }${frames.foreign > 0 ? `, ${frames.foreign} foreign` : ""}, jitter ${
        formatMs(jitterMs)
      } (p95 of calls)`,
      `          ${["median", "p95", "p99", "longest"].map((each) => each.padStart(10)).join("")}`,
      row("dial", latencies.dialMs),
      row("answer", latencies.answerMs),
      row("round trip", latencies.roundTripMs),
      `cost    ${formatDuration(cpuMs)} of processor (${cpuPercent.toFixed(0)} % of one), ${
        cpuPerFrameUs.toFixed(0)
      } us a frame, ${formatMemory(peakMemoryBytes)} at most`,
    ].join("\n"),
  );
}

interface Summary {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (p: number): number => percentile(sorted, p);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

function row(name: string, { p50, p95, p99, max }: Summary): string {
  return name.padEnd(10) + [p50, p95, p99, max].map((ms) => formatMs(ms).padStart(10)).join("");
}
