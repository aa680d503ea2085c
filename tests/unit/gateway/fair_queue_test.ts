import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FairQueue } from "../../../src/gateway/fair_queue.ts";
import { settle } from "../../../src/testing/mod.ts";

const acme = { name: "acme" };
const beta = { name: "beta" };

/** A queue whose turns a test ends, and what has begun so far, in order. */
class Rounds {
  readonly begun: string[] = [];
  readonly queue: FairQueue;
  turns = 0;
  #end: (() => void) | undefined;

  constructor(perTurn: number) {
    const turn = () => new Promise<void>((resolve) => this.#end = resolve);
    this.queue = new FairQueue({ perTurn, turn });
  }

  /** Whether a turn is under way. */
  get isTurning(): boolean {
    return this.#end !== undefined;
  }

  join(tenant: { readonly name: string }, id: number): Promise<void> {
    return this.queue.join(tenant).then(() => void this.begun.push(`${tenant.name} ${id}`));
  }

  /** Ends the turn. Returns what has begun since the last one ended. */
  async next(): Promise<readonly string[]> {
    const end = this.#end;
    this.#end = undefined;
    this.turns++;
    end?.();
    await settle();
    return this.begun.splice(0);
  }
}

describe("FairQueue", () => {
  it("G-31 lets a tenant alone begin its share in every turn, in the order in which it came", async () => {
    const rounds = new Rounds(2);
    for (let id = 0; id < 5; id++) void rounds.join(acme, id);
    await settle();
    assert.deepEqual(rounds.begun.splice(0), ["acme 0", "acme 1"]);
    assert.deepEqual(await rounds.next(), ["acme 2", "acme 3"]);
    assert.deepEqual(await rounds.next(), ["acme 4"]);
    assert.equal(rounds.queue.waiting, 0);
  });

  it("G-31 begins what another tenant brings at once, however many of the first wait", async () => {
    const rounds = new Rounds(1);
    for (let id = 0; id < 1_000; id++) void rounds.join(acme, id);
    await rounds.next();
    void rounds.join(beta, 0);
    await settle();
    assert.deepEqual(rounds.begun.splice(0), ["beta 0"]);
    void rounds.join(beta, 1);
    assert.deepEqual(await rounds.next(), ["acme 2", "beta 1"]);
  });

  it("G-31 serves each of many tenants in every turn, and everything in the end", async () => {
    const rounds = new Rounds(2);
    const tenants = Array.from({ length: 20 }, (_, i) => ({ name: `t${i}` }));
    const all = tenants.flatMap((tenant, i) =>
      Array.from({ length: i + 1 }, (_, id) => rounds.join(tenant, id))
    );
    await settle();
    const served: (readonly string[])[] = [rounds.begun.splice(0)];
    while (rounds.queue.waiting > 0) served.push(await rounds.next());
    await Promise.all(all);
    // The longest line decides how many turns there are, and no turn leaves a tenant out that waits.
    assert.equal(served.length, 10);
    for (const [turn, begun] of served.entries()) {
      for (const [i, { name }] of tenants.entries()) {
        const count = begun.filter((each) => each.startsWith(`${name} `)).length;
        assert.equal(count, Math.min(2, Math.max(0, i + 1 - 2 * turn)), `${name} in turn ${turn}`);
      }
    }
  });

  it("G-31 gives a tenant that has begun its share in this turn no more in it, also if none waits", async () => {
    const rounds = new Rounds(1);
    await rounds.join(acme, 0);
    void rounds.join(acme, 1);
    await settle();
    assert.deepEqual(rounds.begun.splice(0), ["acme 0"]);
    assert.deepEqual(await rounds.next(), ["acme 1"]);
    await rounds.next();
    void rounds.join(acme, 2);
    await settle();
    assert.deepEqual(rounds.begun, ["acme 2"]);
  });

  it("takes no turns while none joins, and remembers no tenant", async () => {
    const rounds = new Rounds(1);
    assert.equal(rounds.isTurning, false);
    await rounds.join(acme, 0);
    assert.equal(rounds.isTurning, true);
    await rounds.next();
    assert.equal(rounds.isTurning, false);
    await rounds.join(acme, 1);
    assert.equal(rounds.isTurning, true);
  });

  it("waits for the runtime's turns where it is given no others", async () => {
    const queue = new FairQueue({ perTurn: 1 });
    const begun: number[] = [];
    const all = [0, 1, 2].map((id) => queue.join(acme).then(() => void begun.push(id)));
    await Promise.resolve();
    assert.deepEqual(begun, [0]);
    await Promise.all(all);
    assert.deepEqual(begun, [0, 1, 2]);
  });
});
