/**
 * `telequick answer`.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { sleep } from "../../base/signal.ts";
import type { Call, TeleQuickClient } from "../../client/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { SESSION_OPTIONS, showWarnings, withClient } from "../session.ts";
import { type PreparedSound, prepareSound, runSound, SOUND_OPTIONS } from "../sound/sound.ts";
import type { OptionSpecs } from "../terminal/args.ts";
import { inLine } from "../terminal/output.ts";
import { UsageError } from "../usage.ts";
import { INBOUND_TRUNK } from "./call_in.ts";
import { printEvents, trunkOf, untilEnded } from "./dial.ts";

const ANSWER_OPTIONS = {
  ...SESSION_OPTIONS,
  ...INBOUND_TRUNK,
  ...SOUND_OPTIONS,
  "echo": { type: "flag", help: "Send back what is heard" },
  "wait": {
    type: "number",
    value: "SECONDS",
    fraction: true,
    max: 2_147_483,
    help: "Longest wait for a call",
    byDefault: "until Ctrl-C",
  },
  "hang-up-after": {
    type: "number",
    value: "SECONDS",
    fraction: true,
    help: "Hang up this long after the answer, with --play after the end of the file",
    byDefault: "wait for the caller",
  },
} as const satisfies OptionSpecs;

type AnswerContext = Context<typeof ANSWER_OPTIONS>;

/** Waits for a call on a trunk and answers it. */
export const answer: Command = command({
  details: "Prints the call's events until it ends. Ctrl-C hangs up.",
  options: ANSWER_OPTIONS,
  examples: [
    ["telequick answer --echo", "the next call hears itself"],
    [
      "telequick answer --play hello.wav --record caller.wav",
      "a greeting, and what the caller says",
    ],
  ],
  exitCodes: { 0: "a call was answered and has ended", 1: "no call came in the time of --wait" },
  async run(context) {
    const { values, platform, output, signal } = context;
    const trunkId = trunkOf(values.trunk, platform);
    if (values.echo && values.play !== undefined) {
      throw new UsageError("Options --echo and --play are given, expected one of them", {
        command: "answer",
      });
    }
    const sound = await prepareSound(values, platform);
    return await withClient(context, async (client) => {
      void showWarnings(client, output);
      let call: Call | undefined;
      try {
        call = await nextCall(client, trunkId, context);
        if (call === undefined) {
          output.emit({ type: "no-call", trunkId }, `No call came in on ${inLine(trunkId)}`);
          return 1;
        }
        const printing = printEvents(call, context);
        // When both fail, the error of the call is reported.
        printing.catch(() => {});
        await talk(call, sound, context);
        await printing;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return signal.aborted ? interruptedCode(signal) : 0;
    });
  },
});

const LOOK_MS = 500;

/** The next call that comes in on a trunk, answered; `undefined` when none does in time. */
async function nextCall(
  client: TeleQuickClient,
  trunkId: string,
  { values, output, clock, signal }: AnswerContext,
): Promise<Call | undefined> {
  const endsAt = clock.monotonic() + (values.wait ?? Infinity) * 1_000;
  output.note(output.noteStyle.dim(`Waiting for a call on ${inLine(trunkId)}; Ctrl-C stops`));
  output.emit({ type: "waiting", trunkId });
  while (true) {
    for (const { callSid, callFrom } of await client.getIncomingCalls(trunkId, { signal })) {
      try {
        const call = await client.answerIncomingCall({ callSid }, { signal });
        output.emit(
          { type: "answered", callSid, from: callFrom },
          `Answered ${inLine(callFrom)}: ${inLine(callSid)}`,
        );
        return call;
      } catch (error) {
        // Another program was faster, or the caller gave up.
        if (!(error instanceof TeleQuickError) || error.code !== "ERR_RPC_REJECTED") throw error;
      }
    }
    if (clock.monotonic() >= endsAt) return undefined;
    await sleep(LOOK_MS, { clock, signal });
  }
}

async function talk(
  call: Call,
  sound: PreparedSound,
  { values, output, clock, signal }: AnswerContext,
): Promise<void> {
  let heard: Promise<void> | undefined;
  try {
    if (sound.isWanted || values.echo) {
      const running = await runSound(call, sound, { clock, output, signal, isEcho: values.echo });
      heard = running.done;
      await running.played;
    }
    const seconds = values["hang-up-after"];
    if (seconds === undefined) await untilEnded(call, signal);
    else await sleep(Math.round(seconds * 1_000), { clock, signal });
  } finally {
    await call.hangUp();
    await call.ended;
    await heard;
  }
}
