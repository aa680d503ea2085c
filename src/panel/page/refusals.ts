/**
 * What the gateway refused: its own reason, and what to do.
 *
 * @module
 */

import type { RefusalView } from "../messages.ts";
import { h, HTMLElement, keyedList, page, type PageElement } from "./dom.ts";
import { copyable, telequick, timeOf } from "./format.ts";
import { store } from "./store.ts";

const MOST_ROWS = 50;

function refusalItem(refusal: RefusalView): PageElement {
  const { timeMs, method, tenantId, keyId, reason, code, meaning, fix } = refusal;
  const what = method === "" ? "Session" : method;
  const where = [tenantId, keyId].filter((text) => text !== "").join(" \u00b7 ");
  const item = h(
    "div",
    { role: "listitem", class: "card refusal" },
    h(
      "p",
      { class: "head" },
      h("strong", {}, `${what} refused`),
      h("span", { class: "badge", "data-state": "failed" }, code),
      h("time", { class: "muted" }, timeOf(timeMs)),
    ),
    h("p", {}, reason || meaning),
  );
  if (where !== "") item.append(h("p", { class: "muted" }, where));
  if (fix === "") return item;
  item.append(
    h("p", { class: "fix" }, h("strong", {}, "Fix: "), `${fix}.`),
    copyable(
      telequick("explain", {}, method === "" ? code : `wire:${code}`),
      "the command that explains it",
    ),
  );
  return item;
}

/** The newest refusals. */
class RefusalsView extends HTMLElement {
  connectedCallback(): void {
    const empty = h(
      "section",
      { class: "empty" },
      h("h2", {}, "Nothing was refused"),
      h(
        "p",
        {},
        "When the gateway refuses a token or a request, its own reason is shown here, with what to do.",
      ),
    );
    const list = h("div", { role: "list" });
    this.append(empty, list);
    const show = keyedList<readonly [number, RefusalView], PageElement>(
      list,
      ([number, { timeMs }]) => `${timeMs} ${number}`,
      ([, refusal]) => refusalItem(refusal),
    );
    const numbers = new WeakMap<RefusalView, number>();
    let next = 0;
    store.listen(() => {
      const refusals = store.state?.refusals ?? [];
      empty.hidden = refusals.length > 0;
      show(
        refusals.slice(-MOST_ROWS).reverse().map((refusal) => {
          if (!numbers.has(refusal)) numbers.set(refusal, next++);
          return [numbers.get(refusal)!, refusal];
        }),
      );
    });
  }
}

page.customElements.define("tq-refusals", RefusalsView);
