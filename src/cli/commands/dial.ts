/**
 * `telequick dial`.
 *
 * @module
 */

import type { Call, DialOptions } from "../../client/mod.ts";
import { sleep } from "../../base/signal.ts";
import { DialplanAction } from "../../wire/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { type EchoReport, measureEcho } from "../local_gateway/echo.ts";
import { eventLine, eventRecord } from "../events.ts";
import { formatMs, percentile } from "../terminal/format.ts";
import { type PreparedSound, prepareSound, runSound, SOUND_OPTIONS } from "../sound/sound.ts";
import type { OptionSpecs } from "../terminal/args.ts";
import { SESSION_OPTIONS, showWarnings, withClient } from "../session.ts";
import { UsageError } from "../usage.ts";

const APPS = {
  hangup: DialplanAction.HANGUP,
  park: DialplanAction.PARK,
  moh: DialplanAction.MUSIC_ON_HOLD,
  playback: DialplanAction.PLAYBACK,
  answer: DialplanAction.ANSWER,
  ai: DialplanAction.AI_BIDIRECTIONAL_STREAM,
  loopback: DialplanAction.LOOPBACK,
} as const;

/** The option that names a trunk. */
export const TRUNK_OPTIONS = {
  "trunk": {
    type: "text",
    value: "ID",
    help: "The trunk on which the call is placed",
    byDefault: "TELEQUICK_TRUNK",
  },
} as const satisfies OptionSpecs;

const DIAL_OPTIONS = {
  ...SESSION_OPTIONS,
  ...TRUNK_OPTIONS,
  ...SOUND_OPTIONS,
  "from": { type: "text", value: "NUMBER", help: "Caller id", byDefault: "the trunk's own" },
  "max-duration": {
    type: "number",
    value: "SECONDS",
    help: "Longest duration of the call",
    fraction: true,
    max: 2_147_483,
    byDefault: "no limit",
  },
  "app": {
    type: "text",
    value: "NAME",
    choices: Object.keys(APPS),
    help: "The application that runs on answer",
    byDefault: "park",
  },
  "app-args": { type: "text", value: "TEXT", help: "Its arguments" },
  "call-id": { type: "text", value: "ID", help: "The call's id", byDefault: "a new UUID" },
  "traceparent": { type: "text", value: "TRACE", help: "W3C trace context" },
  "hang-up-after": {
    type: "number",
    value: "SECONDS",
    fraction: true,
    help: "Hang up this long after the answer, with --play after the end of the file",
    byDefault: "wait for the far end",
  },
  "echo-test": {
    type: "flag",
    help: "Send audio to a far end that echoes; report round trip, jitter, loss; hang up",
  },
  "seconds": {
    type: "number",
    value: "SECONDS",
    min: 0.1,
    max: 3_600,
    fraction: true,
    help: "Duration of the echo test",
    byDefault: "5",
  },
  "detach": { type: "flag", help: "Print the call's id and exit; the call continues" },
} as const satisfies OptionSpecs;

type DialContext = Context<typeof DIAL_OPTIONS>;

/** Places a call. */
export const dial: Command = command({
  details: "Prints the call's events until it ends. Ctrl-C hangs up.",
  positionals: ["NUMBER"],
  options: DIAL_OPTIONS,
  examples: [
    ["telequick dial +15550100 --hang-up-after 3", "a call of three seconds"],
    ["telequick dial +15550100 --echo-test", "measure the audio path"],
    [
      "telequick dial +15550100 --play hello.wav --record heard.wav --hang-up-after 1",
      "say something, keep what comes back",
    ],
    ["CALL=$(telequick dial +15550100 --detach)", "keep the id of a live call"],
  ],
  exitCodes: {
    0: "the call was answered and has ended; with --detach: it was accepted",
    1: "the call was refused or not answered; with --echo-test also: no frame returned",
  },
  async run(context) {
    const options = dialOptions(context);
    const { values, platform } = context;
    refuseTogether(values);
    const sound = await prepareSound(values, platform);
    return await withClient(context, async (client) => {
      const { output, values: { detach, ...values } } = context;
      void showWarnings(client, output);
      const call = await client.dial(options, { signal: context.signal });
      if (detach) {
        output.emit({ type: "dialled", callSid: call.sid }, call.sid);
        return 0;
      }
      output.emit({ type: "dialled", callSid: call.sid }, `Dialled ${options.to}: ${call.sid}`);
      const printing = printEvents(call, context);
      // When both fail, the error of the call is reported.
      printing.catch(() => {});
      const wasAnswered = await talk(call, context, values["echo-test"], sound);
      await printing;
      return context.signal.aborted ? interruptedCode(context.signal) : wasAnswered ? 0 : 1;
    });
  },
});

/** Refuses options of which each decides what is heard. */
function refuseTogether(values: DialContext["values"]): void {
  const { play, record, listen } = values;
  const isSounding = play !== undefined || record !== undefined || listen;
  for (const name of ["echo-test", "detach"] as const) {
    if (!values[name] || !isSounding) continue;
    throw new UsageError(
      `Option --${name} does not go with --play, --record and --listen (leave one out)`,
      { command: "dial" },
    );
  }
}

function dialOptions({ values, positionals: [to = ""], platform }: DialContext): DialOptions {
  return {
    to,
    trunkId: trunkOf(values.trunk, platform),
    callFrom: values.from,
    maxDurationMs: milliseconds(values["max-duration"]),
    defaultApp: values.app === undefined ? undefined : APPS[values.app as keyof typeof APPS],
    defaultAppArgs: values["app-args"],
    callSid: values["call-id"],
    traceparent: values.traceparent,
  };
}

/** The trunk from the option or the environment. */
export function trunkOf(
  given: string | undefined,
  { variable }: Pick<Context["platform"], "variable">,
): string {
  const trunkId = given ?? variable("TELEQUICK_TRUNK");
  if (trunkId !== undefined) return trunkId;
  throw new UsageError("No trunk: pass --trunk ID or set TELEQUICK_TRUNK");
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1_000);
}

/** Prints a call's events until it ends. */
export async function printEvents(call: Call, { output }: Pick<Context, "output">): Promise<void> {
  for await (const event of call.events()) {
    output.emit(eventRecord(event), eventLine(event, output));
  }
}

/** Follows the call to its end; hangs up on request. Resolves with whether it was answered and, in a test, echoed. */
async function talk(
  call: Call,
  context: DialContext,
  isEchoTest: boolean,
  sound: PreparedSound,
): Promise<boolean> {
  const { values, output, clock, signal } = context;
  let heard: Promise<void> | undefined;
  const hangUp = async (): Promise<void> => {
    await call.hangUp();
    await call.ended;
    await heard;
  };
  try {
    const wasAnswered = await call.answered({ signal }).then(() => true, (error) => {
      if (signal.aborted) throw error;
      return false;
    });
    if (!wasAnswered) return false;
    if (isEchoTest) {
      const report = await measureEcho(call, { seconds: values.seconds ?? 5, clock, signal });
      output.emit(echoRecord(report), echoText(report));
      await hangUp();
      return report.returned > 0;
    }
    if (sound.isWanted) {
      const running = await runSound(call, sound, { clock, output, signal });
      heard = running.done;
      await running.played;
    }
    const after = milliseconds(values["hang-up-after"]);
    if (after !== undefined) await sleep(after, { clock, signal });
    else await untilEnded(call, signal);
    await hangUp();
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    // Interrupted: hang up; the last events still arrive.
    await hangUp();
    return false;
  }
}

/** Waits for the end of a call; rejects when the signal aborts. */
export async function untilEnded(call: Call, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    call.ended.then(() => resolve(), reject);
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** The result of an echo test, as data. */
export function echoRecord({ roundTripsMs, ...counts }: EchoReport): {
  readonly type: "echo";
  readonly [member: string]: unknown;
} {
  return {
    type: "echo",
    ...counts,
    roundTripMs: {
      p50: percentile(roundTripsMs, 0.5),
      p95: percentile(roundTripsMs, 0.95),
      p99: percentile(roundTripsMs, 0.99),
      max: roundTripsMs.at(-1) ?? 0,
    },
  };
}

function echoText(
  { sent, returned, lost, unsent, foreign, jitterMs, roundTripsMs }: EchoReport,
): string {
  if (returned === 0) {
    return `None of ${sent} frames returned unchanged (${foreign} others arrived): does the far end echo, as +15550100 does?`;
  }
  const share = (100 * lost / sent).toFixed(1);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((p) => formatMs(percentile(roundTripsMs, p)));
  return [
    `Echo of ${sent} frames (${
      (sent / 50).toFixed(1)
    } s): ${returned} returned, ${lost} lost (${share} %)${
      unsent > 0 ? `, ${unsent} of them not sent` : ""
    }${foreign > 0 ? `, ${foreign} foreign` : ""}`,
    `  round trip ${p50} median, ${p95} p95, ${p99} p99, ${formatMs(roundTripsMs.at(-1)!)} longest`,
    `  jitter ${formatMs(jitterMs)}`,
  ].join("\n");
}
