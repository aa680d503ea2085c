/**
 * What a shared store has to do, as checks that any test runner can run.
 *
 * @module
 */

import { sleep, systemClock } from "../base/signal.ts";
import type { SharedEntry, SharedStore } from "../base/store/shared_store.ts";

/** A store as two processes see it. */
export interface StoreUnderTest {
  /** The store. It need not be empty. */
  readonly store: SharedStore;
  /** The same store by another connection. Default: by the same one. */
  readonly other?: SharedStore | undefined;
  /** Called after the check. Default: nothing. */
  readonly close?: () => Promise<void> | void;
}

/** Options of {@linkcode sharedStoreContract}. */
export interface StoreContractOptions {
  /** Lets time pass on the store's clock, in milliseconds. Default: waits. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** One rule of the interface. */
export interface StoreCheck {
  /** What holds. */
  readonly name: string;
  /** Rejects with an `Error` that says what was found and what was expected. */
  readonly run: () => Promise<void>;
}

interface Sides {
  readonly one: SharedStore;
  readonly two: SharedStore;
  readonly kind: string;
  readonly wait: (ms: number) => Promise<void>;
}

/**
 * The rules of `SharedStore`, one check each.
 *
 * @param makeStore Called once for each check.
 *
 * @example With any test runner
 * ```ts
 * import { createMemoryStore, sharedStoreContract } from "@telequick/sdk/testing";
 *
 * for (const { name, run } of sharedStoreContract(() => ({ store: createMemoryStore() }))) {
 *   await run();
 *   console.log(name);
 * }
 * ```
 */
export function sharedStoreContract(
  makeStore: () => StoreUnderTest | Promise<StoreUnderTest>,
  options: StoreContractOptions = {},
): readonly StoreCheck[] {
  const { wait = sleep } = options;
  return Object.entries(checks).map(([name, check]) => ({
    name,
    async run() {
      const { store, other = store, close } = await makeStore();
      try {
        // A kind of its own, because the store can hold what earlier checks wrote.
        const kind = `check-${crypto.randomUUID().slice(0, 18)}`;
        await check({ one: store, two: other, kind, wait });
      } finally {
        await close?.();
      }
    },
  }));
}

const checks: Readonly<Record<string, (sides: Sides) => Promise<void>>> = {
  async "shows a commit to everyone once it has resolved"({ one, two, kind }) {
    const revision = await one.commit([{ kind, key: "a", value: "1" }]);
    const { entries, revision: newest } = await two.read({ kind, key: "a" });
    equal("the entries", entries, [{ key: "a", value: "1", revision: revision!, isFinal: false }]);
    isTrue("the newest revision is at least the commit's", newest >= revision!);
    const later = await two.commit([{ kind, key: "a", value: "2" }]);
    isTrue("a later commit has a higher revision", later! > revision!);
    equal("the value", (await one.read({ kind, key: "a" })).entries[0]?.value, "2");
  },
  async "writes all entries or none"({ one, two, kind }) {
    await one.commit([{ kind, key: "taken", value: "" }]);
    const refused = await two.commit([
      { kind, key: "new", value: "" },
      { kind, key: "taken", value: "other", ifRevision: 0 },
    ]);
    equal("the result", refused, undefined);
    const { entries } = await one.read({ kind });
    equal("the names", entries.map(({ key }) => key), ["taken"]);
    equal("the value", entries[0]!.value, "");
  },
  async "writes only at the revision that was asked for"({ one, two, kind }) {
    const first = await one.commit([{ kind, key: "a", value: "1", ifRevision: 0 }]);
    const wrong = await two.commit([{ kind, key: "a", value: "x", ifRevision: first! + 1_000 }]);
    equal("a commit at another revision", wrong, undefined);
    const second = await two.commit([{ kind, key: "a", value: "2", ifRevision: first }]);
    isTrue("a commit at the revision succeeds", second! > first!);
    const again = await one.commit([{ kind, key: "a", value: "x", ifRevision: first }]);
    equal("a commit at the revision before", again, undefined);
    equal("the value", (await one.read({ kind, key: "a" })).entries[0]?.value, "2");
  },
  async "never changes a final entry"({ one, two, kind }) {
    const revision = await one.commit([{ kind, key: "a", value: "1", isFinal: true }]);
    for (const ifRevision of [undefined, revision]) {
      equal(
        "a commit",
        await two.commit([{ kind, key: "a", value: "2", ifRevision }]),
        undefined,
      );
    }
    const { entries } = await two.read({ kind, key: "a" });
    equal("the entry", entries, [{ key: "a", value: "1", revision: revision!, isFinal: true }]);
  },
  async "lists entries after a revision, in order and page by page"({ one, two, kind }) {
    for (let i = 0; i < 7; i++) await one.commit([{ kind, key: `${i}`, value: "" }]);
    await one.commit([{ kind, key: "3", value: "again" }]);
    const pages: string[] = [];
    let after = 0;
    for (let isOver = false; !isOver;) {
      const page = await two.read({ kind, after, limit: 3 });
      pages.push(page.entries.map(({ key }) => key).join());
      isTrue("the revision of a page is not before its entries", page.revision >= last(page));
      after = page.revision;
      isOver = !page.hasMore;
    }
    equal("the pages", pages, ["0,1,2", "4,5,6", "3"]);
    const end = await two.read({ kind, after });
    equal("what follows", [end.entries, end.hasMore], [[], false]);
    const newest = await two.read({ kind, after: Number.MAX_SAFE_INTEGER });
    equal("entries after the largest number", newest.entries, []);
    isTrue("the revision of the read is the store's", newest.revision < Number.MAX_SAFE_INTEGER);
  },
  async "knows the history of a page again, where it gives marks"({ one, two, kind }) {
    await one.commit([{ kind, key: "a", value: "1" }]);
    const { mark } = await two.read({ kind });
    isTrue(
      "a page without the mark of another one is not set back",
      !(await one.read({ kind })).isSetBack,
    );
    if (mark === undefined) return;
    for (let i = 0; i < 3; i++) {
      isTrue("the history is known", !(await one.read({ kind, mark })).isSetBack);
      isTrue("it is known by a key", !(await one.read({ kind, key: "a", mark })).isSetBack);
      isTrue(
        "it is known by another kind",
        !(await one.read({ kind: `${kind}.b`, mark })).isSetBack,
      );
      await two.commit([{ kind, key: "a", value: "2" }, { kind, key: "b", value: "2" }]);
    }
    const { isSetBack } = await two.read({ kind, mark: `${mark} of another history` });
    equal("whether the store was set back from another history", isSetBack, true);
  },
  async "keeps kinds apart"({ one, two, kind }) {
    await one.commit([{ kind, key: "a", value: "1" }, { kind: `${kind}.b`, key: "a", value: "2" }]);
    const { entries } = await two.read({ kind });
    equal("the values", entries.map(({ value }) => value), ["1"]);
    const other = await two.read({ kind: `${kind}.b`, key: "a" });
    equal("the other value", other.entries[0]?.value, "2");
  },
  async "keeps text exactly"({ one, two, kind }) {
    const texts = [
      "",
      " ",
      '{"a": "\\u0041"}',
      "\u00e9e\u0301\ud83d\ude00\u2028\\'\"\n\t%$1",
      "x".repeat(65_536),
    ];
    await one.commit(texts.map((value, i) => ({ kind, key: `${i} ${value.slice(0, 20)}`, value })));
    const { entries } = await two.read({ kind });
    equal("the values", entries.map(({ value }) => value), texts);
    for (const [i, value] of texts.entries()) {
      const { entries } = await two.read({ kind, key: `${i} ${value.slice(0, 20)}` });
      equal("the value of a name", entries[0]?.value, value);
    }
  },
  async "loses no update of writers that meet"({ one, two, kind }) {
    await one.commit([{ kind, key: "n", value: "0" }]);
    const add = async (store: SharedStore): Promise<void> => {
      for (let tries = 0; tries < 1_000; tries++) {
        const [entry] = (await store.read({ kind, key: "n" })).entries;
        const { value, revision } = entry!;
        const write = { kind, key: "n", value: `${Number(value) + 1}`, ifRevision: revision };
        if (await store.commit([write]) !== undefined) return;
      }
      throw new Error("A commit met another one 1,000 times, expected to succeed");
    };
    await Promise.all(Array.from({ length: 16 }, (_, i) => add(i % 2 === 0 ? one : two)));
    equal("the sum", (await two.read({ kind, key: "n" })).entries[0]?.value, "16");
  },
  async "skips nothing for a reader that follows writers"({ one, two, kind }) {
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 12; i++) {
        const store = (writer + i) % 2 === 0 ? one : two;
        await store.commit([{ kind, key: `${writer}.${i}`, value: "" }]);
      }
    });
    const seen: string[] = [];
    let after = 0;
    const follow = async (): Promise<void> => {
      const page = await two.read({ kind, after, limit: 5 });
      isTrue("revisions rise", page.entries.every(({ revision }) => revision > after));
      after = page.revision;
      seen.push(...page.entries.map(({ key }) => key));
      if (page.hasMore) await follow();
    };
    let isOver = false;
    const over = Promise.all(writers).finally(() => isOver = true);
    while (!isOver) await follow();
    await over;
    await follow();
    equal("how many were seen", seen.length, 96);
    equal("how many different ones", new Set(seen).size, 96);
  },
  async "gives a name to the first that claims it"({ one, two, kind }) {
    equal("the first", await one.claim(kind, "a", "one", 60_000), "one");
    equal("the second", await two.claim(kind, "a", "two", 60_000), "one");
    equal("the first again", await two.claim(kind, "a", "one", 60_000), "one");
    equal("another name", await two.claim(kind, "b", "two", 60_000), "two");
    equal("another kind", await two.claim(`${kind}.b`, "a", "two", 60_000), "two");
    equal("a name with a space", await one.claim(kind, "b c", "one", 60_000), "one");
    equal("a kind with a space", await two.claim(`${kind} b`, "c", "two", 60_000), "two");
  },
  async "gives a name to one of many that claim it at once"({ one, two, kind }) {
    const claims = Array.from({ length: 40 }, (_, i) => {
      const owner = `owner ${i}`;
      return (i % 2 === 0 ? one : two).claim(kind, "a", owner, 60_000);
    });
    const owners = new Set(await Promise.all(claims));
    equal("how many owners", owners.size, 1);
  },
  async "frees a name after its time, and not before"({ one, two, kind, wait }) {
    await one.claim(kind, "long", "one", 60_000);
    let ttlMs = 25;
    let isInTime = false;
    let key = "";
    while (!isInTime) {
      ttlMs *= 2;
      key = `short ${ttlMs}`;
      const startedAt = systemClock.monotonic();
      await one.claim(kind, key, "one", ttlMs);
      // Not prolonged by it, unless a slow machine makes it come too late.
      await one.claim(kind, key, "one", 60_000);
      isInTime = systemClock.monotonic() - startedAt < ttlMs;
    }
    await wait(2 * ttlMs);
    equal("after its time", await two.claim(kind, key, "two", 60_000), "two");
    equal("taken anew", await one.claim(kind, key, "one", 60_000), "two");
    equal("before its time", await two.claim(kind, "long", "two", 60_000), "one");
  },
  async "stops hints when it is asked to"({ one, kind }) {
    const stop = one.onHint?.(() => {});
    await one.commit([{ kind, key: "a", value: "" }]);
    stop?.();
    stop?.();
  },
};

function last({ entries }: { readonly entries: readonly SharedEntry[] }): number {
  return entries.at(-1)?.revision ?? 0;
}

function isTrue(what: string, holds: boolean): void {
  if (!holds) throw new Error(`Does not hold, expected it to: ${what}`);
}

function equal(what: string, found: unknown, expected: unknown): void {
  const [left, right] = [found, expected].map((value) => cut(JSON.stringify(value)));
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new Error(`Found ${left} for ${what}, expected ${right}`);
}

function cut(text: string | undefined): string {
  return text !== undefined && text.length > 200 ? `${text.slice(0, 200)}...` : `${text}`;
}
