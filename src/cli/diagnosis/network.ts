/**
 * Whether UDP reaches the gateway, and QUIC answers.
 *
 * @module
 */

import { formatMs } from "../terminal/format.ts";
import { probeQuic, type ProbeResult } from "./quic_probe.ts";
import type { Finding, Patient } from "./finding.ts";

const NETWORK: Readonly<Record<ProbeResult["type"], Omit<Finding, "check">>> = {
  "quic": { level: "ok", found: "QUIC answers over UDP" },
  "other": {
    level: "error",
    found: "Something answers at this UDP port that does not speak QUIC",
    fix: "Check the port: the gateway's is 9090 unless it says otherwise",
  },
  "refused": {
    level: "error",
    found: "Nothing listens at this UDP port",
    fix: "Start the gateway, or check the port: telequick gateway prints it",
  },
  "no-address": {
    level: "error",
    found: "The host name has no address",
    fix: "Check its spelling and this machine's name resolution",
  },
  "forbidden": {
    level: "error",
    found: "This machine or program may not send to it",
    fix: "Check the firewall of this machine; start deno with -A",
  },
  "silence": {
    level: "error",
    found: "Nothing answers at this UDP port within 3 s",
    fix:
      "Check that the gateway runs, and that no firewall on the way drops UDP (a VPN often does)",
  },
};

/** Asks the port whether it speaks QUIC. Returns whether it does. */
export async function* checkNetwork(patient: Patient, url: URL): AsyncGenerator<Finding, boolean> {
  const { platform, clock, signal } = patient;
  const result = await probeQuic({
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port || "443"),
    ...{ platform, clock, signal },
  });
  const { level, found, ...fix } = NETWORK[result.type];
  const time = result.type === "quic" ? `, in ${formatMs(result.roundTripMs)}` : "";
  yield { check: "network", level, found: `${found}${time}`, ...fix };
  return result.type === "quic";
}
