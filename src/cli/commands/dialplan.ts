/**
 * `telequick dialplan`.
 *
 * @module
 */

import type { TeleQuickClient } from "../../client/mod.ts";
import { DialplanAction } from "../../wire/mod.ts";
import { type Command, command } from "../command.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";
import { nearest, UsageError } from "../usage.ts";

interface Verb {
  /** The name of its argument, if it takes one. */
  readonly argument?: string;
  readonly does: string;
  readonly run: (client: TeleQuickClient, callSid: string, argument: string) => Promise<void>;
}

/** An action for which the client has no method of its own. */
function action(
  name: keyof typeof DialplanAction,
): (client: TeleQuickClient, callSid: string, argument: string) => Promise<void> {
  return (client, callSid, argument) =>
    client.executeDialplan(callSid, DialplanAction[name], argument);
}

const verbs: Readonly<Record<string, Verb>> = {
  "transfer": {
    argument: "TARGET",
    does: "Transfer to an E.164 number or SIP URI",
    run: (client, callSid, target) => client.transfer(callSid, target),
  },
  "hold": { does: "Put on hold", run: (client, callSid) => client.hold(callSid) },
  "unhold": { does: "Take off hold", run: (client, callSid) => client.unhold(callSid) },
  "mute": {
    does: "Send silence to the far end",
    run: (client, callSid) => client.mute(callSid),
  },
  "unmute": { does: "Undo mute", run: (client, callSid) => client.unmute(callSid) },
  "dtmf": {
    argument: "DIGITS",
    does: "Send digits in order: 0 to 9, * and #",
    async run(client, callSid, digits) {
      for (const digit of digits) await client.sendDtmf(callSid, digit);
    },
  },
  "park": { does: "Park", run: action("PARK") },
  "moh": { argument: "URL?", does: "Play music on hold", run: action("MUSIC_ON_HOLD") },
  "playback": { argument: "FILE", does: "Play a file of the gateway", run: action("PLAYBACK") },
  "bridge": {
    argument: "CALL?",
    does: "Unpark and bridge with a call",
    run: action("UNPARK_AND_BRIDGE"),
  },
  "answer": { does: "Answer", run: action("ANSWER") },
  "ai": {
    argument: "AGENT",
    does: "Connect to an AI agent",
    run: action("AI_BIDIRECTIONAL_STREAM"),
  },
  "hangup": { does: "Hang up", run: action("HANGUP") },
};

/** Runs a verb on a live call. */
export const dialplan: Command = command({
  details: `Verbs:\n${
    Object.entries(verbs).map(([name, { argument, does }]) =>
      `  ${`${name} ${argumentName(argument)}`.padEnd(18)}  ${does}`
    ).join("\n")
  }`,
  positionals: ["CALL", "VERB", "ARGUMENT?"],
  options: SESSION_OPTIONS,
  examples: [
    ["telequick dialplan $CALL transfer +15550100", "blind transfer"],
    ["telequick dialplan $CALL dtmf 42#", "three digits"],
  ],
  exitCodes: { 1: "the gateway refused, or cannot be reached" },
  async run(context) {
    const { positionals: [callSid = "", name = "", argument], output } = context;
    const verb = verbOf(name, argument);
    await withClient(context, (client) => verb.run(client, callSid, argument ?? ""));
    output.emit(
      { type: "dialplan", callSid, verb: name, ...(argument !== undefined && { argument }) },
      `${name} done on ${callSid}`,
    );
    return 0;
  },
});

function argumentName(argument: string | undefined): string {
  return argument?.endsWith("?") ? `[${argument.slice(0, -1)}]` : argument ?? "";
}

function verbOf(name: string, argument: string | undefined): Verb {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  const wrong = (message: string) => new UsageError(message, { command: "dialplan" });
  if (verb === undefined) {
    const meant = nearest(name, Object.keys(verbs));
    throw wrong(
      `Unknown verb ${JSON.stringify(name.slice(0, 32))}${
        meant === undefined ? "" : ` (did you mean ${meant}?)`
      }`,
    );
  }
  if (argument === undefined && verb.argument !== undefined && !verb.argument.endsWith("?")) {
    throw wrong(`Verb ${name} needs its ${verb.argument}`);
  }
  if (argument !== undefined && verb.argument === undefined) {
    throw wrong(`Verb ${name} takes no argument`);
  }
  return verb;
}
