/**
 * What the package does on every runtime, by its name alone: `edge` for those that mint and verify tokens, `everywhere` for those
 * that run a client too. Sessions are in memory, so nothing here needs a network.
 *
 * @module
 */

import { audioChecks } from "./audio.ts";
import { callChecks } from "./calls.ts";
import type { Check } from "./check.ts";
import { kitChecks } from "./kit.ts";
import { tokenChecks } from "./token.ts";
import { transportChecks } from "./transport.ts";
import { linkChecks, supervisionChecks } from "./surface/audio.ts";
import { callMemberChecks } from "./surface/call.ts";
import { clientChecks } from "./surface/client.ts";
import { wireChecks } from "./wire.ts";

export { type CheckResult, type Report, runChecks } from "./check.ts";

/** What an edge runtime does: parse, import, sign, mint, verify; the wire; audio; and say why it cannot connect. */
export const edge: readonly Check[] = [
  ...tokenChecks,
  ...wireChecks,
  ...audioChecks,
  ...transportChecks,
];

/** All of it, and calls between a client and a gateway in memory. */
export const everywhere: readonly Check[] = [
  ...edge,
  ...callChecks,
  ...clientChecks,
  ...callMemberChecks,
  ...linkChecks,
  ...supervisionChecks,
  ...kitChecks,
];
