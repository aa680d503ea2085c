import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { postgresStore, type PostgresStoreOptions } from "../../../src/postgres/mod.ts";
import { FakeClock } from "../../../src/testing/mod.ts";

const PAGE = JSON.stringify({
  ...{ newest: 7, entries: [["a", "1", 3, true], ["b", "2", 5, false]] },
  ...{ mark: "7.x", isSetBack: false },
});

function setUp(more: Partial<PostgresStoreOptions> = {}) {
  const clock = new FakeClock();
  const asked: { readonly text: string; readonly values: readonly string[] }[] = [];
  const answers: (() => unknown)[] = [];
  const store = postgresStore({
    query(text, values) {
      asked.push({ text, values });
      return Promise.resolve().then(answers.shift() ?? (() => [{ reply: PAGE }])) as never;
    },
    clock,
    ...more,
  });
  return { clock, asked, answers, store };
}

describe("postgresStore()", () => {
  it("reads a page from rows themselves, and from rows in an object", async () => {
    const { asked, answers, store } = setUp();
    const entries = [
      { key: "a", value: "1", revision: 3, isFinal: true },
      { key: "b", value: "2", revision: 5, isFinal: false },
    ];
    const history = { mark: "7.x", isSetBack: false };
    assert.deepEqual(await store.read({ kind: "k" }), {
      ...{ entries, revision: 7, hasMore: false, ...history },
    });
    answers.push(() => ({ rows: [{ reply: PAGE }] }));
    assert.deepEqual(await store.read({ kind: "k", after: 1, limit: 2 }), {
      ...{ entries, revision: 5, hasMore: true, ...history },
    });
    assert.deepEqual(asked.map(({ values }) => values), [["k", "0", "1000"], ["k", "1", "2"]]);
    await store.read({ kind: "k", key: "a'; drop" });
    assert.deepEqual(asked[2]?.values, ["k", "0", "1000", "a'; drop"]);
    assert.ok(!asked[2]?.text.includes("drop"));
    await store.read({ kind: "k", mark: "5.x" });
    assert.match(asked[3]!.text, /\(\$1, null, \$2::bigint, \$3::int, \$4\)/);
    assert.deepEqual(asked[3]?.values, ["k", "0", "1000", "5.x"]);
    answers.push(() => [{ reply: JSON.stringify({ newest: 1, entries: [], isSetBack: true }) }]);
    const older = await store.read({ kind: "k", key: "a", mark: "5.x" });
    assert.deepEqual([older.mark, older.isSetBack], [undefined, true]);
    assert.deepEqual(asked[4]?.values, ["k", "0", "1000", "a", "5.x"]);
  });

  it("gives the revision of a commit, and undefined for one that was refused", async () => {
    const { answers, store } = setUp();
    answers.push(() => [{ r: "12" }], () => [{ r: null }]);
    assert.equal(await store.commit([{ kind: "k", key: "a", value: "" }]), 12);
    assert.equal(await store.commit([{ kind: "k", key: "a", value: "" }]), undefined);
  });

  it("rejects with what the client said as the cause, to be tried again", async () => {
    const { answers, store } = setUp();
    const cause = new Error("terminating connection");
    answers.push(() => {
      throw cause;
    });
    await assert.rejects(store.read({ kind: "k" }), {
      ...{ code: "ERR_UNAVAILABLE", retryable: true, cause },
    });
  });

  it("rejects the same when query itself throws, and does not count such a statement as waiting", async () => {
    const cause = new Error("the pool has ended");
    let isOver = true;
    const { store } = setUp({
      query() {
        if (isOver) throw cause;
        return Promise.resolve([{ reply: PAGE }]);
      },
    });
    for (let i = 0; i < 300; i++) {
      await assert.rejects(store.read({ kind: "k" }), { code: "ERR_UNAVAILABLE", cause });
    }
    isOver = false;
    assert.equal((await store.read({ kind: "k" })).revision, 7);
  });

  it("does not wait for reconnect, and gives its own error when that fails", async () => {
    const silence = () => new Promise<void>(() => {});
    const outcomes = [silence, () => Promise.reject(new Error("no")), () => {
      throw new Error("no");
    }];
    for (const reconnect of outcomes) {
      const channels: string[] = [];
      const { clock, answers, store } = setUp({
        ...{ timeoutMs: 500, reconnect },
        listen: (channel) => channels.push(channel),
      });
      store.onHint!(() => {});
      answers.push(silence);
      const lost = assert.rejects(store.read({ kind: "k" }), /within 500 ms/);
      await clock.advance(500);
      await lost;
      assert.deepEqual(channels, ["telequick", "telequick"]);
    }
  });

  it("gives a statement up in time, and drops the connections once for all that were lost", async () => {
    const events: string[] = [];
    const { clock, answers, store } = setUp({
      timeoutMs: 500,
      reconnect: () => events.push("reconnect"),
      listen: (channel) => events.push(`listen ${channel}`),
      schema: "other",
    });
    store.onHint!(() => {});
    const silence = () => new Promise(() => {});
    answers.push(silence, silence, silence);
    const lost = Promise.allSettled([1, 2, 3].map(() => store.read({ kind: "k" })));
    await clock.advance(500);
    for (const outcome of await lost) {
      assert.equal(outcome.status, "rejected");
      assert.match(String((outcome as PromiseRejectedResult).reason), /within 500 ms/);
    }
    assert.deepEqual(events, ["listen other", "reconnect", "listen other"]);
    assert.equal((await store.read({ kind: "k" })).revision, 7);
    answers.push(silence);
    const again = store.read({ kind: "k" }).catch(() => {});
    await clock.advance(500);
    await again;
    assert.equal(events.filter((event) => event === "reconnect").length, 2);
  });

  it("lets no more than 256 statements wait", async () => {
    const { clock, answers, store } = setUp({ timeoutMs: 1_000 });
    for (let i = 0; i < 256; i++) answers.push(() => new Promise(() => {}));
    const lost = Promise.allSettled(Array.from({ length: 256 }, () => store.read({ kind: "k" })));
    await assert.rejects(store.read({ kind: "k" }), /256 statements wait/);
    await clock.advance(1_000);
    await lost;
  });

  it("passes hints on, also when listening fails at first", async () => {
    const listeners: (() => void)[] = [];
    let failures = 1;
    const { clock, store } = setUp({
      listen(_channel, listener) {
        if (failures-- > 0) throw new Error("not now");
        listeners.push(listener);
      },
    });
    let hints = 0;
    const stop = store.onHint!(() => hints++);
    store.onHint!(() => {
      throw new Error("the listener's own");
    });
    await clock.advance(0);
    assert.equal(listeners.length, 0);
    store.onHint!(() => hints++);
    await clock.advance(0);
    listeners[0]!();
    assert.equal(hints, 2);
    stop();
    listeners[0]!();
    assert.equal(hints, 3);
    assert.equal(setUp().store.onHint, undefined);
  });

  it("listens again when listening has failed and a statement succeeds, at most once a second", async () => {
    let attempts = 0;
    let isDown = true;
    const { clock, answers, store } = setUp({
      listen() {
        attempts++;
        return isDown ? Promise.reject(new Error("not now")) : Promise.resolve();
      },
    });
    const down = () => Promise.reject(new Error("down"));
    store.onHint!(() => {});
    await clock.advance(1_000);
    answers.push(down);
    await assert.rejects(store.read({ kind: "k" }));
    await clock.advance(0);
    assert.equal(attempts, 1);
    for (let i = 0; i < 3; i++) {
      await store.read({ kind: "k" });
      await clock.advance(0);
    }
    assert.equal(attempts, 2);
    isDown = false;
    for (let i = 0; i < 3; i++) {
      await clock.advance(1_000);
      await store.read({ kind: "k" });
    }
    assert.equal(attempts, 3);
  });

  it("listens again when a connection that listened was lost, and not for one that was replaced", async () => {
    const lost: (() => void)[] = [];
    const { clock, answers, store } = setUp({
      ...{ timeoutMs: 500, reconnect: () => {} },
      listen: (_channel, _listener, onLost) => lost.push(onLost),
    });
    const read = async () => {
      await clock.advance(1_000);
      await store.read({ kind: "k" });
      await clock.advance(0);
      return lost.length;
    };
    store.onHint!(() => {});
    assert.equal(await read(), 1);
    lost[0]!();
    assert.equal(await read(), 2);
    assert.equal(await read(), 2);
    // Dropped with all connections, which began it anew: that the old one ends says nothing.
    answers.push(() => new Promise(() => {}));
    const failed = assert.rejects(store.read({ kind: "k" }));
    await clock.advance(500);
    await failed;
    assert.equal(lost.length, 3);
    lost[1]!();
    assert.equal(await read(), 3);
  });

  it("says what to do about a schema that is missing or older, or a right that the role lacks", async () => {
    const expected = [["3F000", /run migrate\(\)/], ["42883", /run migrate\(\)/], [
      "42501",
      /grant/,
    ]];
    for (const [code, pattern] of expected as [string, RegExp][]) {
      const { answers, store } = setUp();
      answers.push(() => Promise.reject(Object.assign(new Error("no"), { code })));
      await assert.rejects(store.read({ kind: "k" }), (error: Error & { code: string }) => {
        assert.match(error.message, pattern);
        assert.equal(error.code, "ERR_UNAVAILABLE");
        return true;
      });
    }
  });

  describe("claim()", () => {
    /** Statements that a test answers. */
    function setUpClaims(options: Partial<PostgresStoreOptions> = {}) {
      const sent: { readonly keys: readonly string[]; end(outcome?: Error): void }[] = [];
      const made = setUp({
        query: (_text, values) =>
          new Promise((resolve, reject) => {
            const claims: { key: string; owner: string }[] = JSON.parse(values[0]!);
            const holders = claims.map(({ owner }) => owner);
            sent.push({
              keys: claims.map(({ key }) => key),
              end: (fault) =>
                fault === undefined ? resolve([{ r: JSON.stringify(holders) }]) : reject(fault),
            });
          }),
        ...options,
      });
      const claim = (key: string) => made.store.claim("k", key, `owner of ${key}`, 1_000);
      const endAll = async () => {
        while (sent.length > 0) {
          sent.shift()!.end();
          await made.clock.advance(0);
        }
      };
      return { ...made, sent, claim, endAll };
    }
    const names = (count: number, from = 0) =>
      Array.from({ length: count }, (_, i) => `${from + i}`);

    it("sends one at once, and together those that come while two statements are under way", async () => {
      const { clock, sent, claim, endAll } = setUpClaims();
      const claims = Promise.all(names(140).map(claim));
      await clock.advance(0);
      assert.deepEqual(sent.map(({ keys }) => keys), [["0"], ["1"]]);
      sent.shift()!.end();
      await clock.advance(0);
      assert.deepEqual(sent.map(({ keys }) => keys.length), [1, 64]);
      await endAll();
      assert.deepEqual(await claims, names(140).map((key) => `owner of ${key}`));
    });

    it("keeps a malformed one apart, and repeats none when the connection fails", async () => {
      const { clock, sent, claim, endAll } = setUpClaims();
      const first = Promise.all(names(2).map(claim));
      const malformed = Promise.all(names(2, 2).map(claim));
      await clock.advance(0);
      sent.shift()!.end();
      await clock.advance(0);
      sent[1]!.end(Object.assign(new Error("invalid"), { code: "22P05" }));
      await clock.advance(0);
      assert.deepEqual(sent.slice(2).map(({ keys }) => keys), [["2"], ["3"]]);
      sent.splice(1, 1);
      await endAll();
      await Promise.all([first, malformed]);

      const lost = Promise.allSettled(names(4).map(claim));
      await clock.advance(0);
      sent.shift()!.end();
      await clock.advance(0);
      sent[1]!.end(Object.assign(new Error("gone"), { code: "57P01" }));
      sent.splice(1, 1);
      await clock.advance(0);
      await endAll();
      const outcomes = (await lost).map(({ status }) => status);
      assert.deepEqual(outcomes, ["fulfilled", "fulfilled", "rejected", "rejected"]);
    });

    it("sends none that has waited too long, and lets no more than 4,096 wait", async () => {
      const { clock, sent, claim, endAll } = setUpClaims({ timeoutMs: 500 });
      const lost = Promise.allSettled(names(2 + 4_096).map(claim));
      await assert.rejects(claim("one more"), /4096 claims wait/);
      await clock.advance(0);
      assert.equal(sent.length, 2);
      await clock.advance(500);
      assert.ok((await lost).every(({ status }) => status === "rejected"));
      assert.equal(sent.length, 2);
      const next = claim("next");
      await clock.advance(0);
      assert.deepEqual(sent[2]?.keys, ["next"]);
      await endAll();
      assert.equal(await next, "owner of next");
    });
  });

  it("quotes the schema's name, which can be a reserved word", async () => {
    const { asked, answers, store } = setUp({ schema: "user" });
    answers.push(() => []);
    await store.migrate();
    await store.read({ kind: "k" });
    answers.push(() => [{ r: "1" }]);
    await store.commit([]);
    answers.push(() => [{ r: '["me"]' }]);
    await store.claim("k", "a", "me", 1);
    for (const { text } of asked) {
      assert.match(text, /"user"\./);
      assert.doesNotMatch(text, /[^"'\w]user\b/, "not as a word of SQL");
    }
    assert.equal(asked.length, 4);
  });

  it("rejects options of the wrong type and out of range, and a malformed schema", () => {
    const query = () => Promise.resolve([]);
    assert.throws(() => postgresStore({} as never), /query is undefined, expected a function/);
    assert.throws(() => postgresStore({ query, timeoutMs: 0 }), { code: "ERR_VALUE_INVALID" });
    for (const schema of ["", "A", "a-b", 'a"; drop', "pg_x", "1a", "a".repeat(49)]) {
      assert.throws(() => postgresStore({ query, schema }), { code: "ERR_VALUE_INVALID" });
    }
    assert.throws(() => postgresStore({ query, schema: 1 as never }), /schema is a number/);
  });
});
