import { eventLoopTurn as turn } from "../../src/base/turn.ts";
import { FakeClock } from "../../src/testing/mod.ts";

export { turn };

/** A fake clock for tests that advance it very often: it gives one turn of the event loop to what a timer started, not several. */
export class QuickClock extends FakeClock {
  protected override settled(): Promise<void> {
    return turn();
  }
}
