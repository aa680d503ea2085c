/**
 * A call as the gateway's owner sees it.
 *
 * @module
 */

import { redactSecrets } from "../../base/text/redact.ts";
import type { Call } from "../call/call.ts";
import type { CallQuality, CallSnapshot } from "./records.ts";

const SILENT = { toFarEnd: 0, fromFarEnd: 0 };

/** A call at this moment. */
export function snapshotOf(call: Call): CallSnapshot {
  const { callSid, tenantId, trunkId, direction, callFrom, to } = call.options;
  // Any text can stand for the caller.
  const from = redactSecrets(callFrom);
  const { state, startMs, answerMs, media } = call;
  return {
    ...{ callSid, tenantId, trunkId, direction, from, to, state, startMs, answerMs },
    isHeld: media?.isHeld ?? false,
    isMuted: media?.isMuted ?? false,
    levels: media?.meter?.last ?? SILENT,
    quality: qualityOf(call),
  };
}

/** How well a call is heard. */
export function qualityOf({ quality }: Call): CallQuality {
  const { packetsSent, packetsReceived, packetsLost, jitterMs, estimatedMos: mos } = quality;
  const all = packetsSent + packetsReceived + packetsLost;
  const lossPercent = all === 0 ? 0 : 100 * packetsLost / all;
  return { packetsSent, packetsReceived, packetsLost, lossPercent, jitterMs, mos };
}
