/**
 * One key of the registry, and whether it is good at a time.
 *
 * @module
 */

import { type RegisteredKey, registeredKey } from "../../token/shared.ts";

/** Something that lives on a key: it is called when the key's state changes. */
export interface KeyHolder {
  keyChanged(): unknown;
}

/** A registered key, in memory. */
export interface KeyEntry extends RegisteredKey {
  /** The admin key for which the gateway signs browser tokens with this one: it ends with it. Not on disk. */
  readonly parent?: KeyEntry | undefined;
  /** The keys of which it is the parent. */
  readonly children: Set<KeyEntry> | undefined;
  /** What lives on it: the sessions that were admitted by it, the campaigns that they began. */
  readonly holders: Set<KeyHolder> | undefined;
  /** The revision of a shared key; 0 for others. */
  readonly revision: number;
}

/** An entry, as the registry changes it. */
export type MutableEntry = { -readonly [name in keyof KeyEntry]: KeyEntry[name] };

/** A new entry. One shape for all, and nothing in it that few keys need: there can be hundreds of thousands. */
export function entryOf(key: RegisteredKey): MutableEntry {
  return {
    ...registeredKey(key),
    parent: undefined,
    children: undefined,
    holders: undefined,
    revision: 0,
  };
}

/** Whether tokens of a key are accepted at a time: it is neither revoked nor expired. */
export function isLive(entry: KeyEntry, nowMs: number): boolean {
  return !isRevoked(entry) && nowMs < endOf(entry);
}

/** When a key ends by itself, in Unix milliseconds; `Infinity` for never. */
export function endOf({ expiresAtMs, parent }: KeyEntry): number {
  return Math.min(expiresAtMs || Infinity, parent === undefined ? Infinity : endOf(parent));
}

/** A key, and those that the gateway made for it. */
export function family(entry: KeyEntry): readonly KeyEntry[] {
  return [entry, ...entry.children ?? []];
}

function isRevoked({ isRevoked: revoked, parent }: KeyEntry): boolean {
  return revoked || (parent !== undefined && isRevoked(parent));
}
