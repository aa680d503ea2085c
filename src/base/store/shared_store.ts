/**
 * Facts that several processes share: entries with revisions, and claims. The interface knows nothing of what is kept in it.
 *
 * @module
 */

/** One entry to write. */
export interface SharedWrite {
  /** What sort of fact it is: 1 to 32 characters. Readers follow one kind at a time. */
  readonly kind: string;
  /** Its name within the kind: 1 to 512 characters. */
  readonly key: string;
  /** Its text, at most 1 MiB; well-formed Unicode without U+0000. */
  readonly value: string;
  /** The revision at which the entry has to be; 0: it does not exist. Default: any. */
  readonly ifRevision?: number | undefined;
  /** Whether the entry can never be written again. Default: `false`. */
  readonly isFinal?: boolean | undefined;
}

/** One entry as it is kept. */
export interface SharedEntry {
  /** Its name within the kind. */
  readonly key: string;
  /** Its text. */
  readonly value: string;
  /** The revision of its last write: a positive integer. */
  readonly revision: number;
  /** Whether it can never be written again. */
  readonly isFinal: boolean;
}

/** What to read: the entries of a kind after a revision, or one key. */
export interface SharedQuery {
  /** The kind. */
  readonly kind: string;
  /** Only entries that were last written after this revision. Default: 0, all. */
  readonly after?: number | undefined;
  /** Only the entry of this name. Default: all names. */
  readonly key?: string | undefined;
  /** How many entries at most: 1 to 10,000. Default: 1,000. */
  readonly limit?: number | undefined;
  /**
   * `mark` of an earlier page, of whichever kind: the new page says whether the store still has the history that was read then. Default: not
   * asked.
   */
  readonly mark?: string | undefined;
}

/** Entries in the order of their revisions. */
export interface SharedPage {
  /** The entries. */
  readonly entries: readonly SharedEntry[];
  /**
   * The revision up to which nothing is missing: `after` of the next read. Where there is no more, it is the newest revision of the whole store
   * at the moment of the read, also for one key.
   */
  readonly revision: number;
  /** Whether `limit` left entries out. */
  readonly hasMore: boolean;
  /**
   * Names all that was committed up to the moment of the read, by something that no other history has. Default: this store names nothing, and
   * that it was set back is noticed only while its newest revision is lower than it was.
   */
  readonly mark?: string | undefined;
  /**
   * Whether what `mark` of the query names is not, or no longer known to be, in the store's history: it was restored from a backup, and
   * revisions that were seen say nothing. What it has is then read again from the start. Default: `false`.
   */
  readonly isSetBack?: boolean | undefined;
  /**
   * With `isSetBack`: whether that is only so because the mark is so old that the store knows it no longer, as after a long rest of the reader.
   * What the store has is read again all the same, but nothing says that anything was lost. Default: `false`.
   */
  readonly isMarkForgotten?: boolean | undefined;
}

/** Facts that all processes share. What it has answered, every later call from any process sees. */
export interface SharedStore {
  /**
   * Writes all entries or none, and resolves when they survive a crash of the store.
   *
   * @param writes 1 to 100 entries of different names.
   * @returns The revision of the last entry; `undefined`, and nothing is written, when an entry is not at its `ifRevision` or is final. When it rejects,
   * nothing is known: repeating with the same `ifRevision` is safe.
   */
  commit(writes: readonly SharedWrite[]): Promise<number | undefined>;
  /** Entries after a revision, in order and none skipped, or one key. From the primary, never from a replica. */
  read(query: SharedQuery): Promise<SharedPage>;
  /**
   * Takes a name for an owner, once. Resolves when that survives a crash of the store.
   *
   * @param kind What sort of name it is: 1 to 32 characters.
   * @param key The name: 1 to 512 characters.
   * @param owner Who takes it: 1 to 512 characters.
   * @param ttlMs For how long, on the store's own clock, in milliseconds. Afterwards it can be taken again.
   * @returns Who has it: `owner`, or the one that came first. Asking again with the same owner is safe, and does not prolong it.
   */
  claim(kind: string, key: string, owner: string, ttlMs: number): Promise<string>;
  /** Calls `listener` when something may have changed; a call can be lost or doubled. Returns what stops it. */
  onHint?(listener: () => void): () => void;
}
