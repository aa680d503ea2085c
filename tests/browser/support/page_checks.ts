/**
 * What the tests of a page ask and check alike, whichever browser it is in.
 *
 * @module
 */

import { match, strictEqual as equal } from "node:assert/strict";
import { until } from "./wait.ts";

/** A page whose functions a test calls. */
export interface TestPage {
  /** Calls a function that the page's module has made, with one argument that JSON carries, and gives what it resolves with. */
  call<T = unknown>(name: string, argument?: unknown): Promise<T>;
}

/** What a function of the page came to. */
export interface Outcome {
  readonly value?: unknown;
  readonly name?: string;
  readonly code?: string;
  readonly message?: string;
}

/** How loud the microphone and the loudspeaker are: RMS, 0 to 1. */
export interface Level {
  readonly input: number;
  readonly output: number;
}

/** Some of what the page's audio counts. */
export interface Stats {
  readonly capturedMs: number;
  readonly playedMs: number;
  readonly outputLatencyMs: number;
}

const AUDIBLE = 0.02;
const SILENT = 0.001;

/** Waits until the loudspeaker plays, or is silent. */
export async function hears(page: TestPage, isSound: boolean): Promise<void> {
  await until(
    () => page.call<Level>("level"),
    ({ output }) => isSound ? output > AUDIBLE : output < SILENT,
  );
}

/** Checks that a function of the page has failed with a code, and what it said. */
export async function assertFails(
  outcome: Promise<unknown>,
  code: string,
  message: RegExp,
): Promise<void> {
  const found = await outcome as Outcome;
  equal(found.code, code, JSON.stringify(found));
  match(found.message!, message);
}
