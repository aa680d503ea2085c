/**
 * Keeps a gateway's state across restarts: each change is added to a journal, and now and then the whole state is written anew.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
import {
  formatChange,
  formatJournal,
  formatSnapshot,
  JOURNAL,
  readJournal,
  readSnapshot,
  SNAPSHOT,
  StateBuilder,
  type StateChange,
  type StoredState,
} from "./state.ts";

/** Where a gateway's files are. `write` is atomic: a reader gets the old text or the new one, also after a crash. */
export interface GatewayStorage {
  /** The text of a file; `undefined` when it is missing. */
  read(name: string): Promise<string | undefined>;
  /** Replaces a file. Resolves when the new text survives a crash. */
  write(name: string, text: string): Promise<void>;
  /**
   * Adds text at the end of a file. Resolves when it survives a crash; after a crash any part of it can be there. Default: none, and every
   * change writes the whole state.
   */
  append?(name: string, text: string): Promise<void>;
  /**
   * Takes the storage for one gateway, before the first read. Rejects when another one has it. Returns what frees it. Default: none; the
   * caller sees to it that one gateway uses the storage.
   */
  lock?(): Promise<() => Promise<void>>;
}

/** Options of an {@linkcode Archive}. */
export interface ArchiveOptions {
  /** Where to keep it; nothing is kept when this is left out. */
  readonly storage: GatewayStorage | undefined;
  /** The state at this moment. */
  readonly snapshot: () => StoredState;
  /** Called with the error of every write that failed. */
  readonly onFailed: (error: unknown) => void;
}

// A journal is replaced by a snapshot when it is longer than both this and the snapshot: a change costs twice its length on average.
const SHORTEST_COMPACTED = 256 * 1024;

const failures: WeakSet<object> = new WeakSet();

/** Whether an error came from a storage that could not be written: it can name folders, so its message is for the gateway's owner and never for a peer. */
export function isStorageFailure(error: object): boolean {
  return failures.has(error);
}

/** Writes changes: one write at a time, and one for all changes that waited for it. */
export class Archive {
  readonly #options: ArchiveOptions;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #lines: string[] = [];
  #unlock: (() => Promise<void>) | undefined;
  /** Whether the journal can be added to: not before there is a snapshot, and not after a write that failed. */
  #canAppend = false;
  #snapshotLength = 0;
  #journalLength = 0;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** Writes changes that the state has taken already. Resolves when they are on disk. */
  save(changes: readonly StateChange[]): Promise<void> {
    const { storage } = this.#options;
    if (storage === undefined) return Promise.resolve();
    for (const change of changes) this.#lines.push(formatChange(change));
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const write = this.#write(storage);
      this.#running = write.catch(ignore);
      return write;
    });
    return this.#next;
  }

  /**
   * Takes the storage and reads the state; `undefined` when it is missing.
   *
   * @throws {TeleQuickError} `ERR_VALUE_INVALID`, with the file's name, for anything that is not a whole file of ours; `ERR_UNAVAILABLE` when
   * another gateway has the storage.
   */
  async load(): Promise<StoredState | undefined> {
    const { storage } = this.#options;
    if (storage === undefined) return undefined;
    this.#unlock = await storage.lock?.();
    try {
      return await this.#read(storage);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #read(storage: GatewayStorage): Promise<StoredState | undefined> {
    const text = await storage.read(SNAPSHOT);
    if (text === undefined) return undefined;
    const builder = new StateBuilder();
    const generation = readSnapshot(text, builder);
    this.#snapshotLength = text.length;
    if (storage.append !== undefined && generation !== "") {
      const journal = await storage.read(JOURNAL);
      this.#canAppend = journal !== undefined && readJournal(journal, generation, builder);
      this.#journalLength = journal?.length ?? 0;
    }
    return builder.state;
  }

  /** Resolves when no write is under way, and frees the storage. */
  async close(): Promise<void> {
    await (this.#next ?? this.#running).catch(ignore);
    const unlock = this.#unlock;
    this.#unlock = undefined;
    await unlock?.();
  }

  async #write(storage: GatewayStorage): Promise<void> {
    const { onFailed } = this.#options;
    const text = this.#lines.splice(0).join("");
    try {
      const limit = Math.max(SHORTEST_COMPACTED, this.#snapshotLength);
      if (this.#canAppend && this.#journalLength + text.length <= limit) {
        this.#canAppend = false;
        await storage.append!(JOURNAL, text);
        this.#journalLength += text.length;
        this.#canAppend = true;
      } else await this.#compact(storage);
    } catch (error) {
      if (error instanceof Error) failures.add(error);
      onFailed(error);
      throw error;
    }
  }

  /** Writes the whole state, then an empty journal. What was not written before is in the state. */
  async #compact(storage: GatewayStorage): Promise<void> {
    this.#canAppend = false;
    const generation = crypto.randomUUID();
    const text = formatSnapshot(this.#options.snapshot(), generation);
    await storage.write(SNAPSHOT, text);
    this.#snapshotLength = text.length;
    if (storage.append === undefined) return;
    const header = formatJournal(generation);
    // The state is safe already: a journal that cannot be made costs the next change a snapshot.
    await storage.write(JOURNAL, header).then(() => {
      this.#journalLength = header.length;
      this.#canAppend = true;
    }, this.#options.onFailed);
  }
}
