/**
 * Whether UDP reaches the gateway and QUIC answers.
 *
 * @module
 */

import { formatMs } from "../terminal/format.ts";
import { probeQuic, type ProbeResult } from "./quic_probe.ts";
import { gatewayAdvice } from "../gateway_control.ts";
import { type DiagnosisInput, type Finding, sentence } from "./finding.ts";

const NETWORK: Readonly<Record<ProbeResult["type"], Omit<Finding, "check">>> = {
  "quic": { level: "ok", found: "QUIC answers over UDP" },
  "other": {
    level: "error",
    found: "The service at this UDP port does not use QUIC",
    fix: "Check the port: the gateway's default is 9090",
  },
  "refused": {
    level: "error",
    found: "Nothing listens at this UDP port",
    fix: "Start the gateway, or check the port: telequick gateway prints it",
  },
  "no-address": {
    level: "error",
    found: "The host name does not resolve",
    fix: "Check its spelling and this machine's DNS",
  },
  "forbidden": {
    level: "error",
    found: "This program has no permission to send to it",
    fix: "Check the firewall of this machine; start deno with -A",
  },
  "silence": {
    level: "error",
    found: "No answer from this UDP port within 3 s",
    fix: "Check that the gateway runs and that no firewall or VPN drops UDP",
  },
};

/** Probes the port. Returns whether it answers QUIC. */
export async function* checkNetwork(
  input: DiagnosisInput,
  url: URL,
): AsyncGenerator<Finding, boolean> {
  const { platform, clock, signal } = input;
  const result = await probeQuic({
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || "443"),
    ...{ platform, clock, signal },
  });
  const { level, found, ...usual } = NETWORK[result.type];
  const advice = level === "error" ? await gatewayAdvice(input, platform) : undefined;
  const fix = advice === undefined ? usual : { fix: sentence(advice) };
  const time = result.type === "quic" ? `, in ${formatMs(result.roundTripMs)}` : "";
  yield { check: "network", level, found: `${found}${time}`, ...fix };
  return result.type === "quic";
}
