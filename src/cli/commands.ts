/**
 * The table of commands. Each is loaded on demand.
 *
 * @module
 */

import type { Command } from "./command.ts";

/** One command of the table. */
export interface CommandEntry {
  /** What it does, in one sentence without a full stop. */
  readonly summary: string;
  load(): Promise<Command>;
}

/** All commands by name, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  "gateway": {
    summary: "Start a local gateway for development and tests",
    load: async () => (await import("./commands/gateway.ts")).gateway,
  },
  "gateway exec": {
    summary: "Start a local gateway, run a command against it, stop it",
    load: async () => (await import("./commands/gateway_exec.ts")).gatewayExec,
  },
  "gateway register": {
    summary: "Register a public key at the local gateway that runs",
    load: async () => (await import("./commands/gateway_keys.ts")).gatewayRegister,
  },
  "gateway revoke": {
    summary: "Revoke a key at the local gateway that runs",
    load: async () => (await import("./commands/gateway_keys.ts")).gatewayRevoke,
  },
  "gateway faults": {
    summary: "Inject faults into the local gateway that runs: loss, delay, refusals, outages",
    load: async () => (await import("./commands/gateway_faults.ts")).gatewayFaults,
  },
  "gateway hangup": {
    summary: "Hang up a call of any tenant at the local gateway that runs, with any cause",
    load: async () => (await import("./commands/hangup.ts")).gatewayHangup,
  },
  "keygen": {
    summary: "Create a service account: an RSA-2048 key pair and its file",
    load: async () => (await import("./commands/keygen.ts")).keygen,
  },
  "rotate start": {
    summary: "Begin a key rotation: create the next key beside the current one",
    load: async () => (await import("./commands/rotate.ts")).rotateStart,
  },
  "rotate swap": {
    summary: "Replace the current key by the next one, once the gateway accepts it",
    load: async () => (await import("./commands/rotate.ts")).rotateSwap,
  },
  "rotate finish": {
    summary: "End a key rotation: check that the old key is refused, remove it",
    load: async () => (await import("./commands/rotate.ts")).rotateFinish,
  },
  "token mint": {
    summary: "Sign a service-account token",
    load: async () => (await import("./commands/token_mint.ts")).tokenMint,
  },
  "token browser": {
    summary: "Sign a token for a web page, valid for at most five minutes",
    load: async () => (await import("./commands/token_mint.ts")).tokenBrowser,
  },
  "token inspect": {
    summary: "Decode a token without verifying it: what is wrong, when it expires",
    load: async () => (await import("./commands/token_inspect.ts")).tokenInspect,
  },
  "token verify": {
    summary: "Verify a token against a public key",
    load: async () => (await import("./commands/token_verify.ts")).tokenVerify,
  },
  "dial": {
    summary: "Place a call and follow it to its end",
    load: async () => (await import("./commands/dial.ts")).dial,
  },
  "call-in": {
    summary: "Let a call come in on a trunk of the local gateway that runs",
    load: async () => (await import("./commands/call_in.ts")).callIn,
  },
  "answer": {
    summary: "Wait for a call on a trunk and answer it",
    load: async () => (await import("./commands/answer.ts")).answer,
  },
  "route": {
    summary: "Set what becomes of calls that come in on a trunk",
    load: async () => (await import("./commands/route.ts")).route,
  },
  "tail": {
    summary: "Print the tenant's events as they arrive",
    load: async () => (await import("./commands/tail.ts")).tail,
  },
  "hangup": {
    summary: "Hang up a call",
    load: async () => (await import("./commands/hangup.ts")).hangup,
  },
  "barge": {
    summary: "Stop the playback of a call",
    load: async () => (await import("./commands/hangup.ts")).barge,
  },
  "dialplan": {
    summary: "Run a dialplan verb on a live call: transfer, hold, mute, digits",
    load: async () => (await import("./commands/dialplan.ts")).dialplan,
  },
  "bulk": {
    summary: "Run a campaign: call the numbers of a CSV file, paced",
    load: async () => (await import("./commands/bulk.ts")).bulk,
  },
  "load": {
    summary: "Place many calls against a gateway on this machine and measure",
    load: async () => (await import("./commands/load.ts")).load,
  },
  "doctor": {
    summary: "Diagnose problems: runtime, credentials, network, certificate, token, clock",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  "explain": {
    summary: "Explain an error code, a Q.850 cause or an event type",
    load: async () => (await import("./commands/explain.ts")).explain,
  },
};
