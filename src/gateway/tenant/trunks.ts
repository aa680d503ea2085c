/**
 * The trunks of a tenant: what is changed counts at once, and is taken back when it cannot be saved.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import type { TrunkRecord } from "../../wire/mod.ts";
import type { StateChange } from "../storage/state.ts";
import type { InboundRouting } from "./records.ts";

/** A trunk that is being changed, as it was last saved. */
interface SavedTrunk {
  trunk: TrunkRecord | undefined;
  /** What its routing was, where it is being removed. */
  routing: InboundRouting | undefined;
  /** Changes that are not saved yet. */
  changes: number;
}

/** The trunks of one tenant. */
export class Trunks {
  /** What `SetInboundRouting` said, by trunk. */
  readonly routing: Map<string, InboundRouting> = new Map();
  readonly #tenantId: string;
  readonly #limit: number;
  readonly #records = new Map<string, TrunkRecord>();
  /** Ids of trunks that live in memory only. */
  readonly #unkept = new Set<string>();
  /** Trunks with changes that are not saved yet, by id, as they were last saved. */
  readonly #unsaved = new Map<string, SavedTrunk>();

  constructor(tenantId: string, limit: number) {
    this.#tenantId = tenantId;
    this.#limit = limit;
  }

  /** A trunk's record. */
  get(trunkId: string): TrunkRecord | undefined {
    return this.#records.get(trunkId);
  }

  /** Whether the tenant has a trunk. */
  has(trunkId: string): boolean {
    return this.#records.has(trunkId);
  }

  /** All of them. */
  all(): readonly TrunkRecord[] {
    return [...this.#records.values()];
  }

  /** Those that survive a restart. */
  kept(): readonly TrunkRecord[] {
    return this.all().filter(({ trunkId }) => !this.#unkept.has(trunkId));
  }

  /** Adds a trunk or replaces its record; calls on it go on. */
  put(record: TrunkRecord): void {
    if (!this.has(record.trunkId) && this.#records.size >= this.#limit) {
      throw new TeleQuickError(
        "ERR_LIMIT",
        `Cannot add trunk: the tenant has ${this.#limit}, expected fewer (remove one first)`,
      );
    }
    this.#records.set(record.trunkId, record);
  }

  /** Adds a trunk that lives in memory only. */
  putUnkept(record: TrunkRecord): void {
    this.put(record);
    this.#unkept.add(record.trunkId);
  }

  /** Puts a trunk's record, or takes the trunk away. Resolves when that is saved; when it cannot be, the trunk is as it was last saved. */
  async change(
    trunkId: string,
    record: TrunkRecord | undefined,
    save: (changes: readonly StateChange[]) => Promise<void>,
  ): Promise<void> {
    const saved: SavedTrunk = this.#unsaved.get(trunkId) ??
      { trunk: this.get(trunkId), routing: undefined, changes: 0 };
    if (record !== undefined) this.put(record);
    else {
      saved.routing = this.routing.get(trunkId) ?? saved.routing;
      this.#drop(trunkId);
    }
    saved.changes++;
    this.#unkept.delete(trunkId);
    this.#unsaved.set(trunkId, saved);
    try {
      const tenantId = this.#tenantId;
      await save([
        record === undefined
          ? { removedTrunk: { tenantId, trunkId } }
          : { trunk: { tenantId, trunk: record } },
      ]);
      saved.trunk = record;
      if (record === undefined) saved.routing = undefined;
    } catch (error) {
      // Unless it was changed again since.
      if (this.get(trunkId) === record) {
        if (saved.trunk === undefined) this.#drop(trunkId);
        else this.#records.set(trunkId, saved.trunk);
        if (saved.routing !== undefined && !this.routing.has(trunkId)) {
          this.routing.set(trunkId, saved.routing);
        }
      }
      throw error;
    } finally {
      if (--saved.changes === 0) this.#unsaved.delete(trunkId);
    }
  }

  /** Takes a trunk as it is in a store that gateways share; `undefined` for one that was removed. */
  take(trunkId: string, record: TrunkRecord | undefined): void {
    const saving = this.#unsaved.get(trunkId);
    if (saving !== undefined) saving.trunk = record;
    if (record === undefined) this.#drop(trunkId);
    else this.#records.set(trunkId, record);
  }

  #drop(trunkId: string): void {
    this.#records.delete(trunkId);
    this.routing.delete(trunkId);
  }
}
