/**
 * `telequick gateway`.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import { messageOf } from "../../base/text/message.ts";
import { limits, testNumbers } from "../../gateway/mod.ts";
import { type Command, command } from "../command.ts";
import type { Panel } from "../../panel/mod.ts";
import { plural } from "../terminal/format.ts";
import {
  environmentOf,
  GATEWAY_OPTIONS,
  type LocalGateway,
  programFor,
  startLocalGateway,
} from "../local_gateway/local_gateway.ts";
import { PHONE_NUMBER } from "../local_gateway/far_ends.ts";
import { PANEL_OPTIONS, preparePanel } from "../local_gateway/panel.ts";
import { inLine, type Output } from "../terminal/output.ts";
import { wrap } from "../terminal/wrap.ts";
import { quoteForShell } from "../usage.ts";

/** The far ends that the local gateway simulates. */
export const TEST_NUMBERS: Readonly<Record<string, string>> = {
  ...Object.fromEntries([...testNumbers].map(([number, { does }]) => [number, does])),
  [PHONE_NUMBER]: "rings in the panel's phone; is absent while it is off (20)",
};

/** Starts a local gateway and runs it until it is asked to stop. */
export const gateway: Command = command({
  details:
    "Verifies tokens, isolates tenants and simulates the far end of calls in this process; no account is needed. " +
    "Creates a tenant, a trunk and a credentials file that only you can read, and prints what a program needs.",
  options: {
    ...GATEWAY_OPTIONS,
    ...PANEL_OPTIONS,
    "limits": { type: "flag", help: "Print the limits with their reasons, and exit" },
    "verbose": { type: "flag", help: "Print every record of the gateway's log" },
  },
  examples: [
    ["telequick gateway", "a gateway in memory on a free port"],
    ["telequick gateway --directory ./gateway", "one that is the same after a restart"],
    ["telequick gateway --open", "one whose panel is opened in the browser"],
    ["telequick gateway --script far-ends.json", "far ends that do what a file says"],
    ["telequick gateway exec -- npm test", "tests against a gateway of their own"],
  ],
  exitCodes: { 0: "stopped by Ctrl-C or SIGTERM" },
  async run({ values, output, platform, clock, signal }) {
    if (values.limits) return printLimits(output);
    const prepared = preparePanel({ values, platform, output });
    const started = await startLocalGateway({
      values,
      platform,
      output,
      clock,
      onHashes(certificateHash) {
        output.emit(
          { type: "certificate", certificateHash },
          [
            "The certificate has changed; clients that pin its hash and the next one's go on. For new ones:",
            `export TELEQUICK_CERTIFICATE_HASH=${quoteForShell(certificateHash)}`,
          ].join("\n"),
        );
      },
      ...(values.verbose && {
        log: ({ event, ...details }) => {
          const words = Object.entries(details).map(([name, value]) => `${name}=${value}`);
          output.emit(
            { type: "log", event, ...details },
            output.style.dim(inLine(`${event} ${words.join(" ")}`)),
          );
        },
      }),
    });
    let panel: Panel | undefined;
    if (prepared.comesFirst) {
      panel = await prepared.open(started).catch(async (error) => {
        await started.close();
        throw error;
      });
    }
    output.emit(
      { type: "gateway", ...recordOf(started), program: programFor(started) },
      introduction(started, output),
    );
    if (!prepared.comesFirst) {
      await output.flush().catch(ignore);
      // Programs use the gateway already: it goes on without.
      panel = await prepared.open(started).catch((error) => {
        output.warn(`The panel is off: ${messageOf(error)}`);
        return undefined;
      });
    }
    if (panel !== undefined) {
      const { url } = panel;
      output.emit(
        { type: "panel", url },
        `${output.style.good("panel")} ${output.style.bold(url)}`,
      );
    }
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    const { sessions, calls } = started.stats();
    await panel?.close();
    await started.close();
    output.emit(
      { type: "stopped", sessions: sessions.accepted, calls: calls.total },
      `Stopped: ${plural(sessions.accepted, "session")}, ${plural(calls.total, "call")}`,
    );
    return 0;
  },
});

function recordOf(gateway: LocalGateway): Readonly<Record<string, string>> {
  const { endpoint, certificateHash, credentials, tenantId, keyId, trunkId } = gateway;
  return { endpoint, certificateHash, credentials, tenantId, keyId, trunkId };
}

function introduction(gateway: LocalGateway, { style, columns }: Output): string {
  const { bold, dim, good } = style;
  const { endpoint, tenantId, trunkId } = gateway;
  const exports = Object.entries(environmentOf(gateway))
    .map(([name, value]) => `export ${name}=${quoteForShell(value)}`);
  const prose = (text: string): string => wrap(text, { columns });
  // The exports and the program are copied: they stay whole.
  return [
    prose(`${good("ready")} on ${bold(endpoint)}, tenant ${tenantId}, trunk ${trunkId}`),
    "",
    prose(dim("For programs and further telequick commands:")),
    ...exports,
    "",
    dim("A program:"),
    programFor(gateway),
    "",
    dim("Numbers to call:"),
    ...Object.entries(TEST_NUMBERS).map(([number, does]) =>
      wrap(`${number}  ${does}`, { columns, indent: number.length + 2 })
    ),
    "",
    prose(`${dim("Let a call come in:")} telequick call-in`),
    "",
    dim("Ctrl-C stops the gateway"),
  ].join("\n");
}

function printLimits(output: Output): number {
  const { bold, dim } = output.style;
  for (const { name, value, reason, peerSees } of limits) {
    output.emit(
      { type: "limit", name, value, reason, peerSees },
      `${bold(name)} ${value}\n  ${reason}\n  ${dim(`a peer that reaches it sees: ${peerSees}`)}`,
    );
  }
  return 0;
}
