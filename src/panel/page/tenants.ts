/**
 * Tenants with their keys and trunks.
 *
 * @module
 */

import type { KeyView, TenantView, TrunkView } from "../messages.ts";
import { act } from "./api.ts";
import {
  button,
  h,
  HTMLElement,
  keyedList,
  page,
  type PageElement,
  problemLine,
  setText,
} from "./dom.ts";
import { copyable, telequick } from "./format.ts";
import { store } from "./store.ts";

/** What became of a revocation. */
interface Revoked {
  /** Gateways of the cluster that have not confirmed it. */
  readonly unconfirmed: readonly string[];
}

/** One tenant. */
class TenantCard extends HTMLElement {
  readonly #name = h("h2");
  readonly #sessions = h("p", { class: "muted" });
  readonly #keys = h("div", { role: "list" });
  readonly #trunks = h("div", { role: "list" });
  readonly #problem = problemLine();
  #showKeys: ((keys: readonly KeyView[]) => void) | undefined;
  readonly #showTrunks = keyedList<TrunkView, PageElement>(
    this.#trunks,
    ({ trunkId }) => trunkId,
    ({ trunkId }) =>
      h(
        "div",
        { role: "listitem", class: "item" },
        h("code", {}, trunkId),
        h("span", { class: "muted" }),
      ),
    (item, { liveCalls, channelLimit }) =>
      setText(item.children[1]!, `${liveCalls} of ${channelLimit} channels in use`),
  );

  connectedCallback(): void {
    if (this.children.length > 0) return;
    this.append(
      this.#name,
      this.#sessions,
      h("h3", {}, "Keys"),
      this.#keys,
      this.#problem,
      h("h3", {}, "Trunks"),
      this.#trunks,
    );
  }

  /** Shows a tenant as it is now. */
  show({ tenantId, keys, trunks, sessions }: TenantView): void {
    setText(this.#name, tenantId);
    setText(this.#sessions, sessions === 1 ? "1 session" : `${sessions} sessions`);
    this.#showKeys ??= keyedList<KeyView, PageElement>(
      this.#keys,
      ({ keyId, isRevoked }) => `${keyId} ${isRevoked}`,
      (key) => this.#keyItem(tenantId, key),
    );
    this.#showKeys(keys);
    this.#showTrunks(trunks);
  }

  #keyItem(tenantId: string, { keyId, role, expiresAtMs, isRevoked }: KeyView): PageElement {
    const end = expiresAtMs === 0
      ? "does not expire"
      : `until ${new Date(expiresAtMs).toLocaleString()}`;
    const item = h(
      "div",
      { role: "listitem", class: "item" },
      h("code", {}, keyId),
      h("span", { class: "muted" }, `${role}, ${isRevoked ? "revoked" : end}`),
    );
    if (isRevoked) return item;
    const ask = h("div", { class: "confirm", hidden: true });
    const revoke = button("Revoke", () => {
      revoke.hidden = true;
      ask.hidden = false;
      yes.focus();
    }, { class: "quiet danger", "aria-label": `Revoke ${keyId}` });
    const yes = button("Revoke for good", () => void this.#revoke(tenantId, keyId), {
      class: "danger",
    });
    const no = button("Keep", () => {
      revoke.hidden = false;
      ask.hidden = true;
      revoke.focus();
    }, { class: "quiet" });
    ask.append(
      h("p", {}, "Its sessions end at once, and its tokens are refused for ever."),
      copyable(telequick("gateway revoke", { tenantId }, keyId), "the command that revokes"),
      yes,
      no,
    );
    item.append(revoke, ask);
    return item;
  }

  async #revoke(tenantId: string, keyId: string): Promise<void> {
    const done = await act<Revoked>("revoke", { tenantId, keyId }, this.#problem);
    const names = done?.unconfirmed.join(", ");
    if (!names) return;
    const found = `Not confirmed by ${names}: the sessions of ${keyId} there can still be open`;
    setText(this.#problem, found);
  }
}

/** All tenants. */
class TenantsView extends HTMLElement {
  connectedCallback(): void {
    const empty = h("p", { class: "empty" }, "No tenant yet: publish a key, and it is shown here.");
    const cards = h("div", { class: "cards" });
    this.append(empty, cards);
    const show = keyedList<TenantView, TenantCard>(
      cards,
      ({ tenantId }) => tenantId,
      () => h("tq-tenant", { class: "card" }) as TenantCard,
      (card, tenant) => card.show(tenant),
    );
    store.listen(() => {
      if (store.state === undefined) return;
      const { tenants } = store.state;
      empty.hidden = tenants.length > 0;
      show(tenants);
    });
  }
}

page.customElements.define("tq-tenant", TenantCard);
page.customElements.define("tq-tenants", TenantsView);
