/**
 * `telequick call-in`.
 *
 * @module
 */

import type { TeleQuickClient } from "../../client/mod.ts";
import { EventType } from "../../wire/mod.ts";
import { type Command, command, type Context, interruptedCode } from "../command.ts";
import { eventLine, eventRecord } from "../events.ts";
import { askGateway } from "../gateway_control.ts";
import { SESSION_OPTIONS, targetOf, withClient } from "../session.ts";
import type { OptionSpecs } from "../terminal/args.ts";
import { inLine } from "../terminal/output.ts";
import { trunkOf } from "./dial.ts";
import { subscribe } from "./tail.ts";

/** The option that names a trunk on which calls come in. */
export const INBOUND_TRUNK = {
  "trunk": {
    type: "text",
    value: "ID",
    help: "The trunk on which calls come in",
    byDefault: "TELEQUICK_TRUNK",
  },
} as const satisfies OptionSpecs;

/** Lets a call come in on a trunk of the local gateway. */
export const callIn: Command = command({
  details:
    "For a gateway that telequick gateway started on this machine, found by the credentials file that it printed. " +
    "The call waits to be answered for 30 s, by a program or by telequick answer; the caller sends back what it hears. " +
    "With --from-phone a person calls: the phone in the panel, which has to be on, rings until it is answered there too. " +
    "Prints the call's events until it ends. Ctrl-C hangs up.",
  options: {
    ...SESSION_OPTIONS,
    ...INBOUND_TRUNK,
    "from": { type: "text", value: "NUMBER", help: "The caller", byDefault: "+15550199" },
    "to": { type: "text", value: "NUMBER", help: "The called number", byDefault: "+15550100" },
    "from-phone": { type: "flag", help: "The caller is the panel's phone, which rings as well" },
    "detach": { type: "flag", help: "Print the call's id and exit; the call continues" },
  },
  examples: [
    ["telequick call-in", "a call on the trunk of TELEQUICK_TRUNK"],
    ["telequick call-in --from +15550142 --detach", "and go on at once"],
    ["telequick call-in --from-phone", "talk to your agent at the panel's phone"],
  ],
  exitCodes: {
    0: "the call was answered and has ended; with --detach: it rings",
    1: "the trunk refused the call, or it was not answered",
    2: "no such gateway runs, or an option is wrong",
  },
  async run(context) {
    const { values, platform, output } = context;
    const trunkId = trunkOf(values.trunk, platform);
    const { credentials } = targetOf(context);
    const callSid = crypto.randomUUID();
    const ring = async (): Promise<boolean> => {
      const { sipStatus = 0 } = await askGateway(credentials, {
        ...{ action: "call-in", trunkId, callSid },
        ...(values.from !== undefined && { from: values.from }),
        ...(values.to !== undefined && { to: values.to }),
        ...(values["from-phone"] && { fromPhone: true }),
      }, platform);
      const isTaken = sipStatus < 300;
      output.emit(
        { type: "call-in", callSid: isTaken ? callSid : "", trunkId, sipStatus },
        !isTaken
          ? `Refused with SIP status ${sipStatus}: ${refusal(sipStatus)}`
          : values.detach
          ? callSid
          : `Call in on ${inLine(trunkId)}: ${callSid}`,
      );
      return isTaken;
    };
    if (values.detach) return await ring() ? 0 : 1;
    // Whether it is there is known at once; connecting to one that is not there takes its time.
    await askGateway(credentials, { action: "ping" }, platform);
    return await withClient(context, (client) => followCallIn(client, callSid, ring, context));
  },
});

function refusal(sipStatus: number): string {
  if (sipStatus === 404) return "the gateway has no such trunk";
  if (sipStatus === 486) return "all channels of the trunk are in use";
  return "the trunk rejects incoming calls (telequick route sets what becomes of them)";
}

/** Lets the call ring once its events are subscribed to, and prints them until it ends. Resolves with the exit code. */
async function followCallIn(
  client: TeleQuickClient,
  callSid: string,
  ring: () => Promise<boolean>,
  { output, signal }: Pick<Context, "output" | "signal">,
): Promise<number> {
  const events = client.events();
  const statuses = client.status();
  const leave = (): void => void events.return?.();
  let rang: Promise<boolean> | undefined;
  let wasAnswered = false;
  // The client that answers it gets the events that follow; the subscription to the whole tenant shows them here too.
  const subscribed = subscribe(client, statuses, signal, () => {
    rang ??= ring();
    rang.then((isTaken) => isTaken || leave(), leave);
  });
  subscribed.catch(leave);
  signal.addEventListener("abort", () => {
    client.terminate(callSid).catch(leave);
  }, { once: true });
  for await (const event of events) {
    if (event.callSid !== callSid) continue;
    output.emit(eventRecord(event), eventLine(event, output));
    if (event.eventType === EventType.CHANNEL_ANSWER) wasAnswered = true;
    if (event.eventType === EventType.CHANNEL_HANGUP_COMPLETE) break;
  }
  await statuses.return?.();
  await subscribed;
  const isTaken = await rang;
  if (signal.aborted) return interruptedCode(signal);
  return isTaken === true && wasAnswered ? 0 : 1;
}
