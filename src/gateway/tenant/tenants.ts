/**
 * All tenants, each reached by a principal. There is no look-up across tenants.
 *
 * @module
 */

import type { StoredTrunk } from "../storage/state.ts";
import type { Call } from "../call/call.ts";
import type { Principal } from "../auth/principal.ts";
import { Tenant } from "./tenant.ts";
import type { GatewayServices } from "../services.ts";

/** All tenants of a gateway. */
export class Tenants {
  readonly #tools: GatewayServices;
  readonly #byId = new Map<string, Tenant>();

  constructor(tools: GatewayServices) {
    this.#tools = tools;
  }

  /** The tenant of a principal: the only way in for anything that comes over the wire. */
  of(principal: Principal): Tenant {
    return this.byOwner(principal.tenantId);
  }

  /** A tenant by its id: for the gateway's owner, never for a peer. */
  byOwner(tenantId: string): Tenant {
    let tenant = this.#byId.get(tenantId);
    if (tenant === undefined) {
      tenant = new Tenant(tenantId, this.#tools);
      this.#byId.set(tenantId, tenant);
    }
    return tenant;
  }

  /** Whether anything is known of a tenant. */
  has(tenantId: string): boolean {
    return this.#byId.has(tenantId);
  }

  /** All live calls. */
  get liveCalls(): number {
    let live = 0;
    for (const tenant of this.#byId.values()) live += tenant.liveCalls;
    return live;
  }

  /** All of them, for the gateway's owner. */
  all(): IterableIterator<Tenant> {
    return this.#byId.values();
  }

  /** The live calls of all tenants. */
  *calls(): IterableIterator<Call> {
    for (const tenant of this.#byId.values()) yield* tenant.calls();
  }

  /** The live calls of an id: of one tenant, or of any. */
  callsOf(callSid: string, tenantId?: string): Call[] {
    return [...this.#byId.values()].flatMap((tenant) =>
      tenantId === undefined || tenant.tenantId === tenantId ? tenant.call(callSid) ?? [] : []
    );
  }

  /** All trunks, as the archive keeps them. */
  stored(): StoredTrunk[] {
    return [...this.#byId.values()].flatMap(({ tenantId, trunks }) =>
      trunks.kept().map((trunk) => ({ tenantId, trunk }))
    );
  }

  /** Stops every call. */
  drop(): void {
    for (const tenant of this.#byId.values()) tenant.drop();
  }
}
