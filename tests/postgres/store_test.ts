/** The store against the real server: the contract with both clients, the schema, its rights and its guards. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import pg from "pg";
import { withPg } from "../../src/cli/database_client.ts";
import { postgresStore } from "../../src/postgres/mod.ts";
import { StoreFeed } from "../../src/base/store/feed.ts";
import { FakeClock, sharedStoreContract } from "../../src/testing/mod.ts";
import { type OpenStore, openStore, PostgresServer } from "./support/server.ts";

describe("postgresStore", () => {
  let server: PostgresServer;
  let one: OpenStore;
  let two: OpenStore;

  before(async () => {
    server = await PostgresServer.start();
    one = openStore(server.port);
    two = openStore(server.port);
    await Promise.all([one.store.migrate(), two.store.migrate()]);
  });

  after(async () => {
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  for (
    const { name, run } of sharedStoreContract(() => ({ store: one.store, other: two.store }))
  ) {
    it(`with postgres: ${name}`, run);
  }

  for (
    const { name, run } of sharedStoreContract(() => {
      const pool = new pg.Pool({
        ...{ host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" },
      });
      const store = postgresStore({ query: (text, values) => pool.query(text, values) });
      return { store, other: one.store, close: () => pool.end() };
    })
  ) {
    it(`with pg: ${name}`, run);
  }

  it("gives a hint after a commit, to the other process", async () => {
    const hint = Promise.withResolvers<void>();
    const stop = two.store.onHint!(() => hint.resolve());
    // The subscription takes a moment, so commits go on until one is heard of.
    let isHeard = false;
    void hint.promise.then(() => isHeard = true);
    while (!isHeard) {
      await one.store.commit([{ kind: "hint", key: "a", value: "" }]);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    stop();
  });

  it("gives hints through the command line's pg, also after its connection that listens was lost", async () => {
    const client = withPg(pg, `postgres://postgres@127.0.0.1:${server.port}/postgres`);
    const store = postgresStore({ ...client, schema: "telequick" });
    let hints = 0;
    const stop = store.onHint!(() => hints++);
    /** Until it is heard of: a subscription takes a moment, and is renewed after a statement that succeeds. */
    const hear = async () => {
      const before = hints;
      while (hints === before) {
        await one.store.commit([{ kind: "hint", key: "pg", value: "" }]);
        await store.read({ kind: "hint" });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const listeners = () =>
      one.sql()`select pid from pg_stat_activity where query = 'listen "telequick"'
        and pid not in (select pid from pg_stat_activity where application_name = 'postgres.js')`;
    await hear();
    const [listener, ...others] = await listeners();
    assert.deepEqual(others, []);
    await one.sql()`select pg_terminate_backend(${listener!["pid"]})`;
    // What was sent before it ended can still arrive.
    while ((await listeners()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await hear();
    client.reconnect!();
    await hear();
    assert.equal((await listeners()).length, 1);
    stop();
    await client.close();
    while ((await listeners()).length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });

  it("is made again without a change, also by several at once", async () => {
    const { store } = one;
    const [before] = await one.sql()`select oid from pg_class where relname = 'entries'`;
    const revision = await store.commit([{ kind: "migrate", key: "a", value: "kept" }]);
    await Promise.all([one, two, one, two].map(({ store }) => store.migrate()));
    const [after] = await one.sql()`select oid from pg_class where relname = 'entries'`;
    assert.deepEqual(after, before);
    const { entries } = await store.read({ kind: "migrate", key: "a" });
    assert.deepEqual(entries, [{ key: "a", value: "kept", revision, isFinal: false }]);
    const versions = await one.sql()`select version from telequick.version`;
    assert.deepEqual(versions.map(({ version }) => version), [2]);
  });

  it("brings a schema of version 1 to the newest, with what it has", async () => {
    await using open = openStore(server.port, { schema: "older" });
    const { store } = open;
    await store.migrate();
    await store.commit([{ kind: "k", key: "a", value: "kept" }]);
    await open.sql()`drop table older.marks`;
    await open.sql()`update older.version set version = 1`;
    await store.migrate();
    const page = await store.read({ kind: "k" });
    assert.deepEqual(page.entries.map(({ value }) => value), ["kept"]);
    // Its newest commit was made without a mark.
    assert.equal(page.mark, undefined);
    await store.commit([{ kind: "k", key: "b", value: "" }]);
    assert.match((await store.read({ kind: "k" })).mark!, /^2\./);
  });

  it("is known to be set back by a restored backup, also when it has overtaken what was read", async () => {
    await using open = openStore(server.port, { schema: "backup" });
    const { store } = open;
    await store.migrate();
    const commit = (key: string) => store.commit([{ kind: "k", key, value: "" }]);
    await commit("a");
    const { mark: atBackup } = await store.read({ kind: "k" });
    const backup = await server.dump("backup");
    await commit("lost");
    const seen: string[] = [];
    const clock = new FakeClock();
    const feed = new StoreFeed({
      ...{ store, clock, kinds: { k: "all" }, pullMs: 250, timeoutMs: 60_000 },
      onEntries: (_kind, entries) => seen.push(...entries.map(({ key }) => key)),
      onSetBack: () => seen.push("set back"),
    });
    assert.ok(await feed.start());
    await server.restore("backup", backup);
    for (const key of ["b", "c"]) await commit(key);
    assert.equal((await store.read({ kind: "k", mark: atBackup })).isSetBack, false);
    assert.ok(await feed.pull());
    feed.stop();
    assert.deepEqual(seen, ["a", "lost", "set back", "a", "b", "c"]);
  });

  it("remembers the marks of the newest commits, and of no more", async () => {
    await using open = openStore(server.port, { schema: "marks" });
    const { store } = open;
    await store.migrate();
    await store.commit([{ kind: "k", key: "a", value: "" }]);
    const { mark } = await store.read({ kind: "k" });
    const jump = (revision: number) =>
      open.sql()`update marks.entries set revision = ${revision} where key = 'a'`;
    await jump(65_535);
    await store.commit([{ kind: "k", key: "b", value: "" }]);
    assert.equal((await store.read({ kind: "k", mark })).isSetBack, false);
    await store.commit([{ kind: "k", key: "b", value: "" }]);
    const { isSetBack, isMarkForgotten } = await store.read({ kind: "k", mark });
    assert.deepEqual([isSetBack, isMarkForgotten], [true, true]);
    const lost = await store.read({ kind: "k", mark: "65537.other" });
    assert.deepEqual([lost.isSetBack, lost.isMarkForgotten], [true, false]);
    const [row] = await open.sql()`select count(*)::int as n from marks.marks`;
    assert.equal(row!["n"], 2);
  });

  it("keeps its mark where nothing is written", async () => {
    await one.store.commit([{ kind: "unwritten", key: "a", value: "" }]);
    const { mark } = await one.store.read({ kind: "unwritten" });
    assert.equal(typeof await one.store.commit([]), "number");
    assert.equal((await one.store.read({ kind: "unwritten", mark })).isSetBack, false);
  });

  it("answers claims that come together in their order, and apart from a malformed one", async () => {
    const asked = Array.from({ length: 300 }, (_, i) => `${i % 100}`);
    const holders = await Promise.all(
      asked.map((key, i) => (i % 2 === 0 ? one : two).store.claim("together", key, `${i}`, 60_000)),
    );
    const again = await Promise.all(
      asked.map((key) => one.store.claim("together", key, "late", 1)),
    );
    assert.deepEqual(holders, again);
    assert.equal(new Set(holders).size, 100);
    const outcomes = await Promise.allSettled(
      ["a", "b", "c\0", "d", "e".repeat(600), "f"].map((key) =>
        one.store.claim("apart", key, "me", 60_000)
      ),
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value : "rejected"),
      ["me", "me", "rejected", "me", "rejected", "me"],
    );
  });

  it("refuses a schema of a newer version", async () => {
    await using open = openStore(server.port, { schema: "newer" });
    await open.store.migrate();
    await open.sql()`update newer.version set version = 3`;
    await assert.rejects(open.store.migrate(), (error: Error) => {
      assert.match(String(error.cause), /version 3, expected 2 or less: update @telequick\/sdk/);
      return true;
    });
  });

  it("keeps schemas apart, and needs none but its own", async () => {
    await using open = openStore(server.port, { schema: "second" });
    await open.store.migrate();
    await open.store.commit([{ kind: "k", key: "a", value: "second" }]);
    const page = await one.store.read({ kind: "k" });
    assert.deepEqual(page.entries, []);
  });

  it("takes a reserved word as the schema's name", async () => {
    for (const schema of ["user", "order", "table"]) {
      await using open = openStore(server.port, { schema });
      await open.store.migrate();
      await open.store.migrate();
      assert.equal(await open.store.commit([{ kind: "k", key: "a", value: schema }]), 1);
      const { entries } = await open.store.read({ kind: "k" });
      assert.deepEqual(entries.map(({ value }) => value), [schema]);
      assert.equal(await open.store.claim("k", "a", "me", 1_000), "me");
    }
  });

  it("refuses to change what is final, or to delete, by SQL too", async () => {
    await one.store.commit([{ kind: "guard", key: "revoked", value: "x", isFinal: true }]);
    await one.store.commit([{ kind: "guard", key: "live", value: "x" }]);
    await one.store.claim("guard", "token", "me", 60_000);
    const sql = one.sql();
    const refused = [
      sql`update telequick.entries set is_final = false, revision = revision + 1000000 where key = 'revoked'`,
      sql`update telequick.entries set value = 'y', revision = revision + 1000000 where key = 'revoked'`,
      sql`update telequick.entries set revision = 0 where key = 'live'`,
      sql`delete from telequick.entries where key = 'live'`,
      sql`truncate telequick.entries`,
      sql`delete from telequick.claims where key = 'token'`,
      sql`truncate telequick.claims`,
    ];
    for (const statement of refused) {
      await assert.rejects(async () => await statement, { code: "23000" });
    }
  });

  it("needs no more than the documented rights, and these allow no more", async () => {
    const sql = one.sql();
    await sql`create role gateway login`;
    const open = openStore(server.port, { user: "gateway" });
    try {
      await assert.rejects(open.store.read({ kind: "key" }), { code: "ERR_UNAVAILABLE" });
      await sql`grant usage on schema telequick to gateway`;
      await sql`grant execute on all functions in schema telequick to gateway`;
      const revision = await open.store.commit([{ kind: "rights", key: "a", value: "1" }]);
      const { entries } = await open.store.read({ kind: "rights" });
      assert.equal(entries[0]?.revision, revision);
      assert.equal(await open.store.claim("rights", "a", "me", 60_000), "me");
      for (
        const text of [
          "select * from telequick.entries",
          "update telequick.entries set value = ''",
          "delete from telequick.claims",
          "delete from telequick.marks",
          "insert into telequick.claims values ('a', 'b', 'c', now())",
          "drop function telequick.refuse_change() cascade",
        ]
      ) {
        await assert.rejects(async () => await open.sql().unsafe(text), { code: "42501" });
      }
    } finally {
      await open[Symbol.asyncDispose]();
    }
  });

  it("lets a service that only verifies read and claim, and no more", async () => {
    const sql = one.sql();
    await sql`create role verifier login`;
    await sql`grant usage on schema telequick to verifier`;
    await sql`grant execute on function telequick.read_entries, telequick.claim_all, telequick.purge_claims to verifier`;
    const open = openStore(server.port, { user: "verifier" });
    try {
      assert.ok((await open.store.read({ kind: "key" })).revision > 0);
      const claims = ["a", "b", "c", "d"].map((key) =>
        open.store.claim("verify", key, "me", 1_000)
      );
      assert.deepEqual(await Promise.all(claims), ["me", "me", "me", "me"]);
      await open.sql()`select telequick.purge_claims(1)`;
      await assert.rejects(
        open.store.commit([{ kind: "verify", key: "a", value: "" }]),
        /the role lacks a right/,
      );
    } finally {
      await open[Symbol.asyncDispose]();
    }
  });

  it("waits for the disk, also where the role says otherwise", async () => {
    const sql = one.sql();
    await sql.begin(async (sql) => {
      await sql`set local synchronous_commit = off`;
      await sql`select telequick.claim('durable', 'a', 'me', 1000)`;
      const [row] = await sql`show synchronous_commit`;
      assert.deepEqual({ ...row }, { synchronous_commit: "on" });
    });
    await sql.begin(async (sql) => {
      await sql`set local synchronous_commit = off`;
      await sql`select telequick.commit_entries('[{"kind":"durable","key":"a","value":""}]')`;
      const [row] = await sql`show synchronous_commit`;
      assert.deepEqual({ ...row }, { synchronous_commit: "on" });
    });
  });

  it("shows nothing of a commit before all that came before it", async () => {
    // A transaction that has committed late: its lock makes the next one wait.
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const first = one.sql().begin(async (sql) => {
      await sql`select telequick.commit_entries('[{"kind":"order","key":"first","value":""}]')`;
      taken.resolve();
      await held.promise;
    });
    await taken.promise;
    const second = two.store.commit([{ kind: "order", key: "second", value: "" }]);
    const { entries } = await two.store.read({ kind: "order" });
    assert.deepEqual(entries, []);
    held.resolve();
    await Promise.all([first, second]);
    const page = await two.store.read({ kind: "order" });
    assert.deepEqual(page.entries.map(({ key }) => key), ["first", "second"]);
  });

  it("claims while a commit waits", async () => {
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const first = one.sql().begin(async (sql) => {
      await sql`select telequick.commit_entries('[{"kind":"lock","key":"first","value":""}]')`;
      taken.resolve();
      await held.promise;
    });
    await taken.promise;
    assert.equal(await two.store.claim("lock", "a", "me", 60_000), "me");
    held.resolve();
    await first;
  });

  it("deletes claims whose time is over", async () => {
    const count = async () => {
      const [row] = await one
        .sql()`select count(*)::int as n from telequick.claims where kind = 'purge'`;
      return row!["n"] as number;
    };
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => one.store.claim("purge", `${i}`, "me", 1)),
    );
    await one.store.claim("purge", "long", "me", 60_000);
    for (let i = 0; i < 1_000 && await count() > 1; i++) {
      await one.store.claim("other", "a", "b", 1);
    }
    assert.equal(await count(), 1);
  });

  it("survives the loss of a backend, with an error that says to try again", async () => {
    const { store } = two;
    let failures = 0;
    for (let i = 0; i < 20; i++) {
      await server.endBackend(one.sql());
      try {
        await store.commit([{ kind: "loss", key: `${i}`, value: "" }]);
      } catch (error) {
        failures++;
        const { code, retryable } = error as { code?: string; retryable?: boolean };
        assert.deepEqual({ code, retryable }, { code: "ERR_UNAVAILABLE", retryable: true });
      }
    }
    // The connection that was ended last can be the one that the first read is sent on.
    const read = () => store.read({ kind: "loss" });
    const { entries } = await read().catch(read);
    assert.ok(entries.length >= 20 - failures, `${entries.length} of 20, ${failures} failed`);
  });
});
