/**
 * What a gateway keeps across restarts: keys, revocations and trunks, as one file that is old or new and never in between.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { ignore } from "../../base/ignore.ts";
import type { KeyRole } from "../../token/mod.ts";
import type { TrunkRecord } from "../../wire/mod.ts";

/** Where a gateway's files are. `write` is atomic: whoever reads gets the old text or the new one, also after a crash. */
export interface GatewayStorage {
  /** The text of a file; `undefined` when there is none. */
  read(name: string): Promise<string | undefined>;
  /** Replaces a file. Resolves when the new text survives a crash. */
  write(name: string, text: string): Promise<void>;
}

/** A key as it is kept. */
export interface StoredKey {
  readonly tenantId: string;
  readonly keyId: string;
  readonly publicKeyPem: string;
  readonly role: KeyRole;
  readonly expiresAtMs: number;
  readonly isRevoked: boolean;
}

/** A trunk as it is kept. */
export interface StoredTrunk {
  readonly tenantId: string;
  readonly trunk: TrunkRecord;
}

/** Everything that is kept. */
export interface StoredState {
  readonly keys: readonly StoredKey[];
  readonly trunks: readonly StoredTrunk[];
  /** Whether the one-shot secret of `BootstrapOrg` is used up. */
  readonly isBootstrapped: boolean;
}

const FILE = "gateway.json";
const FORMAT = "telequick-gateway";
const VERSION = 1;

/** Options of an {@linkcode Archive}. */
export interface ArchiveOptions {
  /** Where to keep it; nothing is kept when this is left out. */
  readonly storage: GatewayStorage | undefined;
  /** The state at this moment. */
  readonly snapshot: () => StoredState;
  /** Told of every write that failed. */
  readonly onFailed: (error: unknown) => void;
}

const failures: WeakSet<object> = new WeakSet();

/** Whether an error came from a storage that could not be written: it may name folders, so its words are for the gateway's owner and never for a peer. */
export function isStorageFailure(error: object): boolean {
  return failures.has(error);
}

/** Writes the state when it changed: one write at a time, and one for all changes that waited for it. */
export class Archive {
  readonly #options: ArchiveOptions;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(options: ArchiveOptions) {
    this.#options = options;
  }

  /** Writes the state as it is now or later. Resolves when it is on disk. */
  save(): Promise<void> {
    const { storage } = this.#options;
    if (storage === undefined) return Promise.resolve();
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      const write = this.#write(storage);
      this.#running = write.catch(ignore);
      return write;
    });
    return this.#next;
  }

  /** Reads the state; `undefined` when there is no file. Throws `ERR_VALUE_INVALID`, with the file's name, for anything that is no whole file of ours. */
  async load(): Promise<StoredState | undefined> {
    const text = await this.#options.storage?.read(FILE);
    return text === undefined ? undefined : parse(text);
  }

  /** Resolves when no write is under way. */
  async idle(): Promise<void> {
    await (this.#next ?? this.#running).catch(ignore);
  }

  async #write(storage: GatewayStorage): Promise<void> {
    const { snapshot, onFailed } = this.#options;
    try {
      await storage.write(FILE, format(snapshot()));
    } catch (error) {
      if (error instanceof Error) failures.add(error);
      onFailed(error);
      throw error;
    }
  }
}

function format(state: StoredState): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, ...state }, null, 1) + "\n";
}

function parse(text: string): StoredState {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken("it is not whole JSON");
  }
  if (!isRecord(value) || value["format"] !== FORMAT) throw broken("it is no gateway state");
  if (value["version"] !== VERSION) throw broken("its version is unknown");
  const { keys, trunks, isBootstrapped } = value;
  if (!Array.isArray(keys) || !keys.every(isStoredKey)) throw broken("its keys are malformed");
  if (!Array.isArray(trunks) || !trunks.every(isStoredTrunk)) {
    throw broken("its trunks are malformed");
  }
  return { keys, trunks, isBootstrapped: isBootstrapped === true };
}

function isStoredKey(value: unknown): value is StoredKey {
  return isRecord(value) && typeof value["tenantId"] === "string" &&
    typeof value["keyId"] === "string" && typeof value["publicKeyPem"] === "string" &&
    (value["role"] === "sdk" || value["role"] === "admin") &&
    Number.isSafeInteger(value["expiresAtMs"]) && typeof value["isRevoked"] === "boolean";
}

function isStoredTrunk(value: unknown): value is StoredTrunk {
  return isRecord(value) && typeof value["tenantId"] === "string" && isRecord(value["trunk"]) &&
    typeof value["trunk"]["trunkId"] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(found: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot load ${FILE}: ${found}, expected the file that a gateway wrote (restore it, or remove it to start without keys and trunks)`,
  );
}
