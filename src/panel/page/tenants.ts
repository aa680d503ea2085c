/**
 * Tenants with their keys and trunks.
 *
 * @module
 */

import type { KeyView, TenantView, TrunkView } from "../messages.ts";
import { post } from "./api.ts";
import { button, h, HTMLElement, keyedList, type PageElement, setText } from "./dom.ts";
import { copyable, telequick } from "./format.ts";
import { store } from "./store.ts";

/** One tenant. */
class TenantCard extends HTMLElement {
  readonly #name = h("h2");
  readonly #sessions = h("p", { class: "muted" });
  readonly #keys = h("div", { role: "list" });
  readonly #trunks = h("div", { role: "list" });
  readonly #problem = h("p", { class: "problem", role: "alert" });
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
      () => {},
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
    // The command revokes keys of the gateway's own tenant.
    const line = tenantId === store.state?.tenantId
      ? telequick("gateway", "revoke", keyId)
      : `await gateway.revokeServiceAccount(${JSON.stringify({ tenantId, privateKeyId: keyId })});`;
    const ask = h("div", { class: "confirm", hidden: true });
    const revoke = button("Revoke", () => {
      revoke.hidden = true;
      ask.hidden = false;
      yes.focus();
    }, { class: "quiet danger", "aria-label": `Revoke ${keyId}` });
    const yes = button("Revoke for good", () => {
      post("revoke", { tenantId, keyId })
        .catch((error) => setText(this.#problem, error.message));
    }, { class: "danger" });
    const no = button("Keep", () => {
      revoke.hidden = false;
      ask.hidden = true;
      revoke.focus();
    }, { class: "quiet" });
    ask.append(
      h("p", {}, "Its sessions end at once, and its tokens are refused for ever."),
      copyable(line, "the line that revokes"),
      yes,
      no,
    );
    item.append(revoke, ask);
    return item;
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

/** Defines the elements. */
export const elements: Readonly<Record<string, new () => PageElement>> = {
  "tq-tenant": TenantCard,
  "tq-tenants": TenantsView,
};
