/**
 * The page: its head, its views, its phone.
 *
 * @module
 */

import { takeKey } from "./api.ts";
import "./calls.ts";
import { h, HTMLElement, page, setText } from "./dom.ts";
import "./faults.ts";
import "./phone.ts";
import "./refusals.ts";
import { store } from "./store.ts";
import "./tenants.ts";

const views = [
  ["Calls", "tq-calls"],
  ["Refusals", "tq-refusals"],
  ["Tenants", "tq-tenants"],
  ["Faults", "tq-faults"],
] as const;

/** The whole page. */
class PanelView extends HTMLElement {
  readonly #endpoint = h("code", { class: "endpoint" });
  readonly #connection = h("span", { class: "badge" });
  readonly #problem = h("p", { class: "banner", role: "alert", hidden: true });
  readonly #counts = views.map(() => h("span", { class: "count" }));
  readonly #tabs = views.map(([name, id], i) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${id}`,
        "aria-controls": id,
        onclick: () => this.#choose(i),
        onkeydown: (event) => this.#move(event.key, i),
      },
      name,
      this.#counts[i]!,
    )
  );
  readonly #panels = views.map(([, id]) =>
    h("section", { role: "tabpanel", id, "aria-labelledby": `tab-${id}` }, h(id))
  );

  connectedCallback(): void {
    this.append(
      h(
        "header",
        {},
        h("h1", {}, "TeleQuick ", h("span", {}, "local gateway")),
        this.#endpoint,
        this.#connection,
      ),
      this.#problem,
      h(
        "div",
        { class: "columns" },
        h("aside", { "aria-label": "Phone" }, h("tq-phone", { class: "card" })),
        h(
          "main",
          {},
          h("div", { role: "tablist", "aria-label": "Views" }, ...this.#tabs),
          ...this.#panels,
        ),
      ),
    );
    this.#choose(0);
    store.listen(() => this.#show());
    void store.run();
  }

  #show(): void {
    const { state, problem, calls } = store;
    setText(this.#endpoint, state?.endpoint ?? "");
    setText(
      this.#connection,
      problem !== "" ? "Not connected" : state === undefined ? "Connecting" : "Live",
    );
    this.#connection.setAttribute("data-state", problem === "" ? "answered" : "failed");
    this.#problem.hidden = problem === "";
    setText(this.#problem, problem);
    if (state === undefined) return;
    const live = [...calls.values()].filter((call) =>
      call.state !== "ended" && call.tenantId !== state.phone.tenantId
    );
    [live.length, state.refusals.length, state.tenants.length, state.faults.length].forEach(
      (count, i) => setText(this.#counts[i]!, count === 0 ? "" : String(count)),
    );
  }

  #choose(chosen: number): void {
    this.#tabs.forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === chosen));
      tab.setAttribute("tabindex", i === chosen ? "0" : "-1");
      this.#panels[i]!.hidden = i !== chosen;
    });
  }

  /** The keys of a tab list (WAI-ARIA Authoring Practices). */
  #move(key: string | undefined, from: number): void {
    const last = views.length - 1;
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: from === last ? 0 : from + 1,
      ArrowLeft: from === 0 ? last : from - 1,
      Home: 0,
      End: last,
    };
    const target = targets[key ?? ""];
    if (target === undefined) return;
    this.#choose(target);
    this.#tabs[target]!.focus();
  }
}

takeKey();
page.customElements.define("tq-panel", PanelView);
