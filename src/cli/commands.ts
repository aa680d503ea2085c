/**
 * The table of commands. Each is loaded only when it is asked for.
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
  "keygen": {
    summary: "Make a service account: an RSA-2048 key pair and its file",
    load: async () => (await import("./commands/keygen.ts")).keygen,
  },
  "rotate start": {
    summary: "Begin a key rotation: make the next key beside the current one",
    load: async () => (await import("./commands/rotate.ts")).rotateStart,
  },
  "rotate swap": {
    summary: "Put the next key in place, once the gateway takes it",
    load: async () => (await import("./commands/rotate.ts")).rotateSwap,
  },
  "rotate finish": {
    summary: "End a key rotation: see that the old key is refused, remove it",
    load: async () => (await import("./commands/rotate.ts")).rotateFinish,
  },
  "token mint": {
    summary: "Sign a service-account token",
    load: async () => (await import("./commands/token_mint.ts")).tokenMint,
  },
  "token browser": {
    summary: "Sign a token for a web page, dead within five minutes",
    load: async () => (await import("./commands/token_mint.ts")).tokenBrowser,
  },
  "token inspect": {
    summary: "Look into a token without trusting it: what is wrong, when it expires",
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
  "tail": {
    summary: "Print the tenant's events as they come",
    load: async () => (await import("./commands/tail.ts")).tail,
  },
  "hangup": {
    summary: "Hang up a call",
    load: async () => (await import("./commands/hangup.ts")).hangup,
  },
  "barge": {
    summary: "Cut what a call is being played",
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
    summary: "Find out why it does not work: credentials, clock, network, certificate, token",
    load: async () => (await import("./commands/doctor.ts")).doctor,
  },
  "explain": {
    summary: "Explain an error code, a hangup cause or an event type",
    load: async () => (await import("./commands/explain.ts")).explain,
  },
};
