/**
 * `telequick doctor`.
 *
 * @module
 */

import { accountPath } from "../account.ts";
import { type Command, command, interruptedCode } from "../command.ts";
import { diagnose } from "../diagnosis/diagnose.ts";
import type { Finding } from "../diagnosis/finding.ts";
import { plural } from "../terminal/format.ts";
import type { Output } from "../terminal/output.ts";
import { wrap } from "../terminal/wrap.ts";
import { SESSION_OPTIONS, timeLimits } from "../session.ts";

const { verbose: _, ...TARGET_OPTIONS } = SESSION_OPTIONS;

/** Diagnoses problems. */
export const doctor: Command = command({
  details:
    "Checks the runtime, the credentials file, the endpoint, the network, the certificate, the token and the clock, in this order. " +
    "Places no call; to read the gateway's clock it sends a hang-up for a call that does not exist.",
  options: {
    ...TARGET_OPTIONS,
    "certificate": {
      type: "text",
      value: "PATH",
      help: "The gateway's certificate, PEM, to check its key type, age and hash",
    },
  },
  examples: [
    ["telequick doctor", "with the settings of the environment"],
    ["telequick doctor --json | jq 'select(.level == \"error\")'", "for programs"],
  ],
  exitCodes: {
    0: "ready: everything works",
    1: "blocked: something does not work",
    3: "degraded: everything works, but something should be fixed",
  },
  async run({ values, platform, clock, signal, output }) {
    const { connectTimeoutMs = 10_000 } = timeLimits(values);
    const counts = { error: 0, warning: 0 };
    const stop = output.progress(() => "Checking...");
    try {
      for await (
        const finding of diagnose({
          platform,
          clock,
          signal,
          connectTimeoutMs,
          endpoint: values.endpoint ?? platform.variable("TELEQUICK_ENDPOINT"),
          credentials: accountPath({ values, platform }),
          certificate: values.certificate,
          certificateHash: values["certificate-hash"] ??
            platform.variable("TELEQUICK_CERTIFICATE_HASH"),
        })
      ) {
        const { level } = finding;
        if (level === "error" || level === "warning") counts[level]++;
        output.emit({ type: "finding", ...finding }, lines(finding, output));
        if (signal.aborted) return interruptedCode(signal);
      }
    } finally {
      stop();
    }
    const verdict = counts.error > 0 ? "blocked" : counts.warning > 0 ? "degraded" : "ready";
    const paint = { blocked: "bad", degraded: "warn", ready: "good" } as const;
    output.emit(
      { type: "verdict", verdict, ...counts },
      `${output.style[paint[verdict]](verdict)}: ${plural(counts.error, "error")}, ${
        plural(counts.warning, "warning")
      }`,
    );
    return { ready: 0, blocked: 1, degraded: 3 }[verdict];
  },
});

// Level and check, each with the two spaces after it.
const INDENT = 22;

function lines({ check, level, found, fix }: Finding, { style, columns }: Output): string {
  const paint = { ok: style.good, warning: style.warn, error: style.bad, unknown: style.dim };
  const head = `${paint[level](level.padEnd(7))}  ${check.padEnd(11)}  ${found}`;
  const rest = fix === undefined ? [] : [`${" ".repeat(INDENT)}fix: ${fix}`];
  return [head, ...rest].map((line) => wrap(line, { columns, indent: INDENT })).join("\n");
}
