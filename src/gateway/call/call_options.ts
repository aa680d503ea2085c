/**
 * What a call is made from.
 *
 * @module
 */

import type { FarEndPhone, MakePhone } from "./phone/phone.ts";

/** What a call is made from. */
export interface CallOptions {
  readonly callSid: string;
  readonly tenantId: string;
  readonly trunkId: string;
  /** Whether it was dialled here, or came in. */
  readonly direction: "outbound" | "inbound";
  readonly to: string;
  readonly callFrom: string;
  /** The SDK instance that gets its events and audio; can be empty. */
  readonly clientId: string;
  /** What is done when it is answered. */
  readonly defaultApp: number;
  readonly defaultAppArgs: string;
  /** Whether the far end's talk stops what the gateway plays. Default: it does not. */
  readonly autoBargeIn?: boolean;
  /** How long it has to talk for that, in milliseconds. Default: 0, the first loud packet. */
  readonly bargeInPatienceMs?: number;
  /** Ends it so long after the answer, in milliseconds; 0 sets no limit. */
  readonly maxDurationMs: number;
  /** What a call that comes in does by itself. Default: nothing. */
  readonly incoming?: IncomingPlan | undefined;
  /**
   * Whether all sessions that heard it ring also receive the events of its answer and end, as far as they are allowed to see them. Default: `false`,
   * they go to the session that answered it.
   */
  readonly isShared?: boolean;
  /** Makes the phone at the far end. Default: none, and an echo once it is answered. */
  readonly makePhone?: MakePhone | undefined;
  /** Listens to what the far end hears. Default: nothing does. */
  readonly listener?: FarEndPhone | undefined;
}

/** What a call that comes in does by itself. */
export interface IncomingPlan {
  /** Milliseconds until it is answered by its trunk's rule. Default: it waits to be answered. */
  readonly answerMs?: number;
  /** Milliseconds without an answer until the caller gives up, with cause 19. Default: never. */
  readonly patienceMs?: number;
  /** Milliseconds from the answer until the caller hangs up. Default: never. */
  readonly talkMs?: number;
}
