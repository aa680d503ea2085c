import type { FakeClock } from "../../src/testing/mod.ts";
import { createMemoryStore, type SharedStore } from "../../src/testing/mod.ts";

/** A store in memory that can fail, hang and be watched. Several processes of a test have a view each, on the same facts. */
export interface FaultyStore extends SharedStore {
  /** The facts. Another store in its place is one that was set back: its hints are lost. */
  inner: SharedStore;
  /** What becomes of a request: an answer, an error, silence. */
  state: "answers" | "fails" | "hangs";
  /** Whether hints are lost. */
  isDeaf: boolean;
  /** Requests so far, by method, and reads of single keys. */
  readonly counts: { commit: number; read: number; claim: number; key: number };
  /** Awaited before each request; a test can do something else meanwhile. */
  before: (method: "commit" | "read" | "claim", what: string) => unknown;
  /** Awaited before each answer. */
  after: (method: "commit" | "read" | "claim", what: string) => unknown;
}

/** A view on a store: what fails here does not fail for the others. */
export function faultyStore(inner: SharedStore): FaultyStore {
  const counts = { commit: 0, read: 0, claim: 0, key: 0 };
  const gate = async <T>(
    method: "commit" | "read" | "claim",
    what: string,
    work: () => Promise<T>,
  ): Promise<T> => {
    counts[method]++;
    if (view.state === "hangs") return await new Promise<never>(() => {});
    if (view.state === "fails") throw new Error("connection lost");
    await view.before(method, what);
    const result = await work();
    await view.after(method, what);
    return result;
  };
  const view: FaultyStore = {
    inner,
    state: "answers",
    isDeaf: false,
    counts,
    before: () => {},
    after: () => {},
    commit: (writes) => gate("commit", writes[0]?.kind ?? "", () => view.inner.commit(writes)),
    read(query) {
      if (query.key !== undefined) counts.key++;
      return gate("read", query.key ?? "", () => view.inner.read(query));
    },
    claim: (kind, key, owner, ttlMs) =>
      gate("claim", kind, () => view.inner.claim(kind, key, owner, ttlMs)),
    onHint: (listener) => view.inner.onHint!(() => view.isDeaf || listener()),
  };
  return view;
}

/** Views on one new store. */
export function faultyStores(clock: FakeClock, count: number): FaultyStore[] {
  const store = createMemoryStore({ clock });
  return Array.from({ length: count }, () => faultyStore(store));
}

/** A store with the entries of another one and lower revisions, as one that was restored from a backup. */
export async function restored(
  from: SharedStore,
  kinds: readonly string[],
  clock: FakeClock,
): Promise<SharedStore> {
  const store = createMemoryStore({ clock });
  for (const kind of kinds) {
    const { entries } = await from.read({ kind });
    const writes = entries.map(({ key, value, isFinal }) => ({ kind, key, value, isFinal }));
    if (writes.length > 0) await store.commit(writes);
  }
  return store;
}
