/**
 * `telequick route`.
 *
 * @module
 */

import { InboundRule } from "../../wire/mod.ts";
import { type Command, command } from "../command.ts";
import { SESSION_OPTIONS, withClient } from "../session.ts";
import { inLine } from "../terminal/output.ts";
import { UsageError } from "../usage.ts";
import { INBOUND_TRUNK } from "./call_in.ts";
import { trunkOf } from "./dial.ts";

/** Sets what becomes of calls that come in on a trunk. */
export const route: Command = command({
  details: "Give one of --webhook, --audio, --ai and --reject. It holds until it is set again.",
  options: {
    ...SESSION_OPTIONS,
    ...INBOUND_TRUNK,
    "webhook": {
      type: "text",
      value: "URL",
      help: "Notify this http: or https: URL; the call waits to be answered",
    },
    "audio": { type: "text", value: "URL", help: "Answer, play this audio, and hang up" },
    "ai": {
      type: "text",
      value: "URL",
      help: "Connect it to an AI bridge: ws:, wss:, quic: or https:",
    },
    "reject": { type: "flag", help: "Refuse it" },
  },
  examples: [
    ["telequick route --webhook https://hooks.example/calls", "notify a server of each call"],
    ["telequick route --trunk main --reject", "take no calls on a trunk"],
  ],
  exitCodes: { 1: "the gateway refused, or cannot be reached" },
  async run(context) {
    const { values, platform, output, signal } = context;
    const trunkId = trunkOf(values.trunk, platform);
    const { webhook, audio, ai, reject } = values;
    const given = [webhook, audio, ai, reject || undefined].filter((one) => one !== undefined);
    if (given.length !== 1) {
      throw new UsageError(
        `${
          given.length === 0 ? "No rule" : `${given.length} rules`
        } for the trunk, expected one of --webhook URL, --audio URL, --ai URL and --reject`,
        { command: "route" },
      );
    }
    const [name, routing] = webhook !== undefined
      ? ["notify", { rule: InboundRule.NOTIFY_AND_HANGUP, webhookUrl: webhook }] as const
      : audio !== undefined
      ? ["play", { rule: InboundRule.PLAY_AND_HANGUP, audioUrl: audio }] as const
      : ai !== undefined
      ? ["ai", { rule: InboundRule.HANDLE_AI, ...bridge(ai) }] as const
      : ["reject", { rule: InboundRule.REJECT }] as const;
    await withClient(
      context,
      (client) => client.setInboundRouting({ trunkId, ...routing }, { signal }),
    );
    output.emit(
      { type: "route", trunkId, rule: name },
      `Calls on ${inLine(trunkId)}: ${SAYS[name]}`,
    );
    return 0;
  },
});

const SAYS = {
  notify: "the webhook is notified, and they wait to be answered",
  play: "they are answered, hear the audio and are hung up",
  ai: "they are connected to the AI bridge",
  reject: "they are refused",
} as const;

function bridge(url: string): { readonly aiWebsocketUrl: string } | { readonly aiQuicUrl: string } {
  return /^wss?:/i.test(url) ? { aiWebsocketUrl: url } : { aiQuicUrl: url };
}
