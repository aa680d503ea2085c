/**
 * The test numbers: what each does, as a script.
 *
 * @module
 */

import { ErrorCode } from "../../../wire/mod.ts";
import type { PhoneScript } from "./phone_script.ts";

/** What a test number does. */
export interface TestNumber {
  /** In words, after "the number". */
  readonly does: string;
  /** As the steps of its phone. */
  readonly script: PhoneScript;
}

// Ring and set-up times. A refusal takes the network a moment too.
const RING_MS = 200;
const REFUSE_MS = 50;

const picksUp: PhoneScript = [{ type: "ring", ms: RING_MS }, { type: "answer" }];
const echoes: PhoneScript = [...picksUp, { type: "echo" }];

function refuses(q850Cause: number): PhoneScript {
  return [{ type: "wait", ms: REFUSE_MS }, { type: "hangUp", q850Cause }];
}

/** The numbers to which the gateway has a script of its own, from NANP's fictional range. Causes are ITU-T Q.850's. Any other number and every SIP URI does what the first one does. */
export const testNumbers: ReadonlyMap<string, TestNumber> = new Map([
  ["+15550100", { does: "answers and echoes every audio frame until hung up", script: echoes }],
  ["+15550101", { does: "is busy (Q.850 17)", script: refuses(17) }],
  ["+15550102", {
    does: "rings and does not answer (19)",
    script: [{ type: "ring", ms: 1_000 }, { type: "hangUp", q850Cause: 19 }],
  }],
  ["+15550103", { does: "rejects (21)", script: refuses(21) }],
  ["+15550104", { does: "does not exist (1)", script: refuses(1) }],
  ["+15550105", {
    does: "answers, hangs up after 2 s (16)",
    script: [...echoes, { type: "wait", ms: 2_000 }, { type: "hangUp" }],
  }],
  ["+15550106", {
    does: "answers, plays a 440 Hz tone",
    script: [...picksUp, { type: "tone" }],
  }],
  ["+15550107", {
    does: "answers, loses every tenth frame and swaps some",
    script: [...picksUp, { type: "echo", lossy: true }],
  }],
  ["+15550108", {
    does: "is rejected by the trunk's circuit breaker (wire 4)",
    script: [{ type: "refuse", errorCode: ErrorCode.ERR_CIRCUIT_BREAKER }],
  }],
  ["+15550109", {
    does: "is rejected by the rate limit (wire 3)",
    script: [{ type: "refuse", errorCode: ErrorCode.ERR_RATE_LIMITED }],
  }],
]);

/** What the far end of a valid number or SIP URI does. */
export function scriptOf(to: string): PhoneScript {
  return testNumbers.get(to)?.script ?? echoes;
}

/** What the far end of a call does that came in. */
export const callerScript: PhoneScript = [{ type: "answer" }, { type: "echo" }];
