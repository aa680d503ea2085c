/**
 * `telequick gateway exec`.
 *
 * @module
 */

import { type Command, command, Interrupted } from "../command.ts";
import {
  environmentOf,
  GATEWAY_OPTIONS,
  startLocalGateway,
} from "../local_gateway/local_gateway.ts";
import type { EndSignal, RunningCommand } from "../platform.ts";
import { UsageError } from "../usage.ts";

/** Starts a gateway, runs a command against it, stops it. */
export const gatewayExec: Command = command({
  details:
    "COMMAND finds the gateway through TELEQUICK_ENDPOINT, TELEQUICK_CERTIFICATE_HASH, TELEQUICK_CREDENTIALS and TELEQUICK_TRUNK " +
    "in its environment, and uses this terminal.",
  rest: "COMMAND [ARGUMENTS]",
  options: GATEWAY_OPTIONS,
  examples: [
    ["telequick gateway exec -- npm test", "tests against a gateway of their own"],
    ["telequick gateway exec -- telequick dial +15550100 --echo-test", "the shortest round trip"],
  ],
  exitCodes: {
    0: "COMMAND ended with 0; any other code of COMMAND is passed on",
    126: "COMMAND could not be started",
    127: "COMMAND was not found",
  },
  ownSignals: true,
  async run({ values, rest = [], output, platform, clock }) {
    const [program, ...args] = rest;
    if (program === undefined) {
      throw new UsageError("Command is missing: telequick gateway exec -- COMMAND", {
        command: "gateway exec",
      });
    }
    let running: RunningCommand | undefined;
    let asked: EndSignal | undefined;
    const stop = platform.onSignal((signal) => {
      asked = signal;
      // Ctrl-C in a terminal reaches the command by itself, and a second signal would mean "stop at once".
      if (signal !== "SIGINT" || !platform.stdinIsTerminal) running?.kill(signal);
    });
    try {
      const gateway = await startLocalGateway({ values, platform, output, clock });
      try {
        if (asked !== undefined) throw new Interrupted(asked);
        running = platform.run(program, args, environmentOf(gateway));
        return (await running.ended).exitCode;
      } finally {
        await gateway.close();
      }
    } finally {
      stop();
    }
  },
});
