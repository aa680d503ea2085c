/**
 * What all audio links of a client have sent and received together.
 *
 * @module
 */

import type { AudioStats } from "./audio_link.ts";

/** The frames of all audio links, those that have ended included. One frame is 20 ms. */
export interface AudioTotals extends Omit<AudioStats, "jitterMs"> {
  /** Links that are open. */
  readonly links: number;
  /** Frames of calls that have no link, dropped: of each call the newest second is kept until `audio()` is called. */
  readonly unrouted: number;
  /** Ticks of the 20 ms schedule that came 200 ms late or more. When they add up, timers are held back, as in a hidden tab. */
  readonly lateTicks: number;
}

type Counted = Omit<AudioStats, "jitterMs">;

/** Adds up what links have sent and received. */
export function sumAudio(all: Iterable<Counted>): Counted {
  const sum: { -readonly [name in keyof Counted]: number } = {
    ...{ received: 0, lost: 0, late: 0, duplicated: 0, dropped: 0, concealed: 0 },
    ...{ sent: 0, sendDropped: 0, slotsMissed: 0, unread: 0 },
  };
  for (const each of all) {
    for (const name of Object.keys(sum) as (keyof Counted)[]) sum[name] += each[name];
  }
  return sum;
}
