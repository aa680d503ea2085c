/**
 * Whose stream is next: of each tenant a fixed number in one turn of the event loop, and the rest in the turns after it.
 *
 * A stream costs most of its time in the runtime: it is accepted, read, answered and closed in a handful of turns. Each turn is as long as all that is
 * begun in it, for everyone. So what one tenant can begin in a turn is what another one waits for, and not how many streams it has opened.
 *
 * @module
 */

import { counted } from "../base/operations.ts";
import { eventLoopTurn } from "../base/turn.ts";

/** Options of a {@linkcode FairQueue}. */
export interface FairQueueOptions {
  /** How many of one tenant begin in a turn. */
  readonly perTurn: number;
  /** Resolves when the event loop has had a turn. Default: the runtime's. */
  readonly turn?: () => Promise<void>;
}

interface Line {
  /** How many have begun in this turn. */
  begun: number;
  readonly waiting: (() => void)[];
}

/** One line for each tenant, each as long as its members make it: a session joins again only when it has been served. */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Tenants that have begun something in this turn, or wait. */
  readonly #lines = new Map<object, Line>();
  #isTurning = false;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get waiting(): number {
    let count = 0;
    for (const { waiting } of this.#lines.values()) count += waiting.length;
    return count;
  }

  /**
   * Resolves when a tenant can begin one more: at once, if it has begun less than its share in this turn, else in its order in a later one.
   */
  join(tenant: object): Promise<void> {
    let line = this.#lines.get(tenant);
    if (line === undefined) this.#lines.set(tenant, line = { begun: 0, waiting: [] });
    if (!this.#isTurning) void this.#run();
    const { begun, waiting } = line;
    if (begun >= this.#options.perTurn) return new Promise((resolve) => waiting.push(resolve));
    line.begun++;
    return Promise.resolve();
  }

  /** Turns until none waits. */
  async #run(): Promise<void> {
    const { turn = countedTurn } = this.#options;
    this.#isTurning = true;
    while (this.#lines.size > 0) {
      await turn();
      for (const [tenant, line] of this.#lines) this.#serve(tenant, line);
    }
    this.#isTurning = false;
  }

  #serve(tenant: object, line: Line): void {
    const due = line.waiting.splice(0, this.#options.perTurn);
    line.begun = due.length;
    if (due.length === 0) this.#lines.delete(tenant);
    for (const begin of due) begin();
  }
}

/** What waits for a turn is under way: a fake clock does not run ahead of it. */
function countedTurn(): Promise<void> {
  return counted(eventLoopTurn());
}
