/**
 * The live suite: one client runtime against one gateway runtime, over QUIC on 127.0.0.1.
 *
 * @module
 */

import { type Report, runChecks, runTogether } from "../../conformance/check.ts";
import { liveChecks } from "./checks.ts";
import { deskAt } from "./desk.ts";

/** Runs the suite. */
export async function runLive(origin: string, report: Report): Promise<void> {
  const desk = deskAt(origin);
  const { quick, slow } = liveChecks(desk, await desk.ask("open", {}));
  await Promise.all([runChecks(quick, report), runTogether(slow, report)]);
}
