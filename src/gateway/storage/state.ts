/**
 * What a gateway keeps across restarts, and its text: one JSON object a line.
 *
 * `gateway.json` is a snapshot: a header with the number of lines that follow, then a line for each entry. `gateway.journal` holds the changes
 * since then; its header names the snapshot that it continues. Version 1 was one JSON object with everything; it is read, and replaced at the
 * first change.
 *
 * @module
 */

import { encodeUtf8 } from "../../base/bytes.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { parseStrictJson } from "../../base/text/json.ts";
import { isRegisteredKey, type RegisteredKey } from "../../token/shared.ts";
import type { TrunkRecord } from "../../wire/mod.ts";

/** The file with the snapshot. */
export const SNAPSHOT = "gateway.json";
/** The file with the changes since the snapshot. */
export const JOURNAL = "gateway.journal";

/** A key as it is kept. From version 1, `publicKey` is in PEM, and `thumbprint` is empty. */
export type StoredKey = RegisteredKey;

/** A trunk as it is kept. */
export interface StoredTrunk {
  readonly tenantId: string;
  readonly trunk: TrunkRecord;
}

/** A single-use token that was used. */
export interface StoredUse {
  readonly tenantId: string;
  readonly id: string;
  /** When it can be forgotten, Unix milliseconds. */
  readonly untilMs: number;
}

/** Everything that is kept. */
export interface StoredState {
  readonly keys: readonly StoredKey[];
  readonly trunks: readonly StoredTrunk[];
  readonly used: readonly StoredUse[];
  /** Whether the one-shot secret of `BootstrapOrg` is used up. */
  readonly isBootstrapped: boolean;
}

/** One change of the state. */
export type StateChange =
  | { readonly key: StoredKey }
  | { readonly forgottenKey: { readonly tenantId: string; readonly keyId: string } }
  | { readonly trunk: StoredTrunk }
  | { readonly removedTrunk: { readonly tenantId: string; readonly trunkId: string } }
  | { readonly used: StoredUse }
  | { readonly isBootstrapped: true };

const FORMAT = "telequick-gateway";
const JOURNAL_FORMAT = "telequick-gateway-journal";
const VERSION = 2;
// A trunk's lists lie deepest.
const DEPTH = 6;

/** A state as it is put together from its lines. */
export class StateBuilder {
  readonly #keys = new Map<string, StoredKey>();
  readonly #trunks = new Map<string, StoredTrunk>();
  readonly #used = new Map<string, StoredUse>();
  #isBootstrapped = false;

  /** Applies a line's change. Returns `false` when it is not one. */
  apply(change: unknown): boolean {
    if (!isRecord(change)) return false;
    const { key, forgottenKey, trunk, removedTrunk, used, isBootstrapped } = change;
    if (isRecord(key) && isRegisteredKey(key)) {
      this.#keys.set(`${key.tenantId}\0${key.keyId}`, key);
    } else if (isNamed(forgottenKey, "keyId")) {
      this.#keys.delete(`${forgottenKey["tenantId"]}\0${forgottenKey["keyId"]}`);
    } else if (isStoredTrunk(trunk)) {
      this.#trunks.set(`${trunk.tenantId}\0${trunk.trunk.trunkId}`, trunk);
    } else if (isNamed(removedTrunk, "trunkId")) {
      this.#trunks.delete(`${removedTrunk["tenantId"]}\0${removedTrunk["trunkId"]}`);
    } else if (isStoredUse(used)) this.#used.set(`${used.tenantId}\0${used.id}`, used);
    else if (isBootstrapped === true) this.#isBootstrapped = true;
    else return false;
    return true;
  }

  /** The state. */
  get state(): StoredState {
    return {
      keys: [...this.#keys.values()],
      trunks: [...this.#trunks.values()],
      used: [...this.#used.values()],
      isBootstrapped: this.#isBootstrapped,
    };
  }
}

/** A change as a line. */
export function formatChange(change: StateChange): string {
  return `${JSON.stringify(change)}\n`;
}

/** The state as a snapshot. `generation` ties a journal to it. */
export function formatSnapshot(state: StoredState, generation: string): string {
  const lines: string[] = [];
  for (const key of state.keys) lines.push(formatChange({ key }));
  for (const trunk of state.trunks) lines.push(formatChange({ trunk }));
  for (const used of state.used) lines.push(formatChange({ used }));
  if (state.isBootstrapped) lines.push(formatChange({ isBootstrapped: true }));
  const header = { format: FORMAT, version: VERSION, generation, lines: lines.length };
  return `${JSON.stringify(header)}\n${lines.join("")}`;
}

/** The first line of a journal. */
export function formatJournal(generation: string): string {
  return `${JSON.stringify({ format: JOURNAL_FORMAT, version: VERSION, generation })}\n`;
}

/**
 * Reads a snapshot into `builder`.
 *
 * @returns Its generation; empty for one of version 1.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`, with the file's name, for anything that is not a whole file of ours.
 */
export function readSnapshot(text: string, builder: StateBuilder): string {
  const end = text.indexOf("\n");
  const header = end < 0 ? undefined : tryParse(text.slice(0, end));
  if (header === undefined || header["version"] === 1) return readVersion1(text, builder);
  if (header["format"] !== FORMAT) throw broken(SNAPSHOT, "it is not the state of a gateway");
  if (header["version"] !== VERSION) throw broken(SNAPSHOT, "its version is unknown");
  const { generation, lines: expected } = header;
  if (typeof generation !== "string") throw broken(SNAPSHOT, "its header is malformed");
  const { count, tail } = readLines(SNAPSHOT, text, end + 1, builder);
  if (tail !== "" || count !== expected) throw broken(SNAPSHOT, "it is not whole");
  return generation;
}

/**
 * Reads a journal into `builder`, if it continues the snapshot of this generation; an older one is in the snapshot already.
 *
 * @returns Whether lines can be added at its end. Not so when its last line was cut: the write was never acknowledged.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID`, with the file's name, for anything else that is not a journal of ours.
 */
export function readJournal(text: string, generation: string, builder: StateBuilder): boolean {
  const end = text.indexOf("\n");
  const header = tryParse(end < 0 ? text : text.slice(0, end));
  // A header that was cut: nothing was ever added after it.
  if (end < 0) return false;
  if (header?.["format"] !== JOURNAL_FORMAT) {
    throw broken(JOURNAL, "it is not the journal of a gateway");
  }
  if (header["generation"] !== generation) return false;
  return readLines(JOURNAL, text, end + 1, builder).tail === "";
}

/** Applies every whole line from `at` on. */
function readLines(
  file: string,
  text: string,
  at: number,
  builder: StateBuilder,
): { readonly count: number; readonly tail: string } {
  let count = 0;
  while (true) {
    const end = text.indexOf("\n", at);
    if (end < 0) return { count, tail: text.slice(at) };
    count++;
    if (!builder.apply(tryParse(text.slice(at, end)))) {
      throw broken(file, `line ${count + 1} is malformed`);
    }
    at = end + 1;
  }
}

/**
 * A line's object. V8's `JSON.parse` can misread a name with an escape after it has parsed a certain other text, so a line with a backslash is
 * read by the reader that refuses such names.
 */
function tryParse(line: string): Record<string, unknown> | undefined {
  let value: unknown;
  if (line.includes("\\")) {
    try {
      value = parseStrictJson(encodeUtf8(line), DEPTH, refuse);
    } catch {
      return undefined;
    }
  } else {
    try {
      value = JSON.parse(line);
    } catch {
      return undefined;
    }
  }
  return isRecord(value) ? value : undefined;
}

function refuse(found: string): never {
  throw new SyntaxError(found);
}

function readVersion1(text: string, builder: StateBuilder): string {
  const value = tryParse(text);
  if (value === undefined) throw broken(SNAPSHOT, "it is not whole JSON");
  if (value["format"] !== FORMAT) throw broken(SNAPSHOT, "it is not the state of a gateway");
  // A header without a line after it.
  if (value["version"] === VERSION) throw broken(SNAPSHOT, "it is not whole");
  if (value["version"] !== 1) throw broken(SNAPSHOT, "its version is unknown");
  const { keys, trunks, isBootstrapped } = value;
  if (!Array.isArray(keys) || !keys.every((key) => builder.apply({ key: upgrade(key) }))) {
    throw broken(SNAPSHOT, "its keys are malformed");
  }
  if (!Array.isArray(trunks) || !trunks.every((trunk) => builder.apply({ trunk }))) {
    throw broken(SNAPSHOT, "its trunks are malformed");
  }
  if (isBootstrapped === true) builder.apply({ isBootstrapped });
  return "";
}

function upgrade(key: unknown): unknown {
  if (!isRecord(key)) return key;
  const { publicKeyPem, ...rest } = key;
  return { ...rest, publicKey: publicKeyPem, thumbprint: "", revokedAtMs: 0 };
}

function isStoredTrunk(value: unknown): value is StoredTrunk {
  return isRecord(value) && typeof value["tenantId"] === "string" && isRecord(value["trunk"]) &&
    typeof value["trunk"]["trunkId"] === "string";
}

function isStoredUse(value: unknown): value is StoredUse {
  return isNamed(value, "id") && Number.isSafeInteger(value["untilMs"]);
}

/** Whether a value names something of a tenant. */
function isNamed(value: unknown, name: string): value is Record<string, unknown> {
  return isRecord(value) && typeof value["tenantId"] === "string" &&
    typeof value[name] === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(file: string, found: string): TeleQuickError {
  return new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot load ${file}: ${found}, expected the file that a gateway wrote (restore it, or remove ${SNAPSHOT} and ${JOURNAL} to start without keys and trunks)`,
  );
}
