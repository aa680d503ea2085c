// deno-lint-ignore-file no-console
/**
 * Prints what a client does in an outage of 60 s: `deno run -A tests/fault/outage_timeline.ts`
 *
 * @module
 */

import { outage } from "../support/outage.ts";

const { timeline, tokens, handshakes } = await outage({
  answer: () => ({ errorCode: 7, errorMessage: "rejected" }),
}, 60_000);
console.log("    ms  what happened (the session is lost at 0)");
for (const line of timeline) console.log(line);
console.log(`${tokens} tokens asked for, ${handshakes} handshakes made`);
