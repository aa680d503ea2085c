/**
 * What the parts of one gateway work with.
 *
 * @module
 */

import type { Clock } from "../base/signal.ts";
import type { FairQueue } from "./fair_queue.ts";
import type { Limits } from "./limits.ts";
import type { Counters, Log } from "./log.ts";
import type { CallOptions } from "./call/call.ts";
import type { ChooseFarEnd, MakePhone } from "./call/phone/phone.ts";
import type { FaultTable } from "./call/faults/faults.ts";
import type { StartRecording } from "./call/recording.ts";
import type { Watchers } from "./observe/watchers.ts";

/** How a gateway behaves where there is a choice. */
export interface GatewayRules {
  /** Whether a session ends with its token. */
  readonly sessionExpiry: "token" | "connection";
  /** Whether replies are framed. */
  readonly framedReplies: boolean;
  /** The only `aud` that tokens may have. */
  readonly audience: string | undefined;
  /** Whether tokens must have it. */
  readonly requireAudience: boolean;
  /** Whether a token may come in the URL. */
  readonly acceptQueryToken: boolean;
  /** Whether a token that is pinned to an origin needs a runtime that shows one. */
  readonly requireOrigin: boolean;
}

/** What the parts are given. */
export interface GatewayServices {
  readonly clock: Clock;
  readonly limits: Limits;
  /** Which tenant's streams are next. */
  readonly turns: FairQueue;
  /** Which tenant's slice of long work is next: one in a turn, all tenants together. */
  readonly slices: FairQueue;
  readonly rules: GatewayRules;
  /** Every tenant's own randomness comes from it. */
  readonly seed: () => number;
  readonly log: Log;
  readonly counters: Counters;
  /** Those who watch what happens. */
  readonly watchers: Watchers;
  /** Faults that are set. */
  readonly faults: FaultTable;
  /** Chooses the phone at the far end of a call, where there is a choice. */
  readonly farEnd: ChooseFarEnd | undefined;
  /** The numbers that ring for a person. */
  readonly phones: {
    readonly tenantId: string;
    has(number: string): boolean;
    phoneOf(options: CallOptions): MakePhone | undefined;
  };
  /** Records calls, where they are recorded. */
  readonly record: StartRecording | undefined;
}
