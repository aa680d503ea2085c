/**
 * Faults: what is lost, late or twice, and which dials are refused.
 *
 * @module
 */

import type { FaultsView, PlaceView } from "../messages.ts";
import { act } from "./api.ts";
import { button, h, HTMLElement, keyedList, page, type PageElement, problemLine } from "./dom.ts";
import { copyable, farEndOf, showCommand, telequick } from "./format.ts";
import { store } from "./store.ts";

interface Fault {
  /** `undefined` lifts those that are set. */
  readonly faults?: FaultsView | undefined;
  readonly at: PlaceView;
}

/** A place as JSON, and its label. */
type Place = readonly [at: string, label: string];

const numbers = [
  ["lossPercent", "Loss", "%", 100],
  ["jitterMs", "Jitter", "ms", 2_000],
  ["delayMs", "Delay", "ms", 5_000],
  ["duplicatePercent", "Duplicates", "%", 100],
] as const;

// The wire's error codes (../../wire/PROTOCOL.md).
const refusals = [
  ["", "are accepted"],
  ["1", "fail: the trunk does not exist (1)"],
  ["2", "fail: the number cannot be called (2)"],
  ["3", "fail: a limit is reached (3)"],
  ["4", "fail: the trunk is unhealthy (4)"],
  ["5", "fail: the gateway failed (5)"],
  ["6", "fail: a field is not valid (6)"],
  ["7", "fail: no permission (7)"],
] as const;

function optionsOf(options: readonly (readonly [string, string])[]): PageElement[] {
  return options.map(([value, label]) => h("option", { value }, label));
}

function select(id: string, options: readonly (readonly [string, string])[]): PageElement {
  return h("select", { id }, ...optionsOf(options));
}

function field(label: string, input: PageElement, id: string, unit = ""): PageElement {
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, unit === "" ? label : `${label} (${unit})`),
    input,
  );
}

/** The command line that does the same. */
function commandOf({ faults, at }: Fault): string {
  return telequick("gateway faults", { ...(faults ?? { clear: true }), ...at });
}

/** The form, and the faults that are set. */
class FaultsForm extends HTMLElement {
  readonly #place = select("place", [["{}", "Everywhere"]]);
  readonly #refuse = select("refuseWith", refusals);
  readonly #drop = h("input", { type: "checkbox", id: "dropSessions" });
  readonly #inputs = numbers.map(([id, , , max]) =>
    h("input", { id, type: "number", min: "0", max: String(max), step: "any", value: "0" })
  );
  readonly #problem = problemLine();
  readonly #command = h("div");
  #places: readonly Place[] = [];

  connectedCallback(): void {
    const form = h(
      "form",
      {
        class: "card",
        oninput: () => this.#showCommand(),
        onsubmit: (event) => {
          event.preventDefault();
          this.#set(this.#fault());
        },
      },
      h("h2", {}, "Inject faults"),
      h("p", { class: "muted" }, "They act on both directions of a call until you remove them."),
      h(
        "div",
        { class: "fields" },
        field("Where", this.#place, "place"),
        ...numbers.map(([id, label, unit], i) => field(label, this.#inputs[i]!, id, unit)),
        field("Dials", this.#refuse, "refuseWith"),
        h(
          "div",
          { class: "field check" },
          this.#drop,
          h("label", { for: "dropSessions" }, "Lose every session, as an outage does"),
        ),
      ),
      this.#command,
      this.#problem,
      h("button", { type: "submit", class: "primary" }, "Set faults"),
    );
    const list = h("div", { role: "list" });
    this.append(form, list);
    const show = keyedList<Fault, PageElement>(list, commandOf, (fault) => this.#item(fault));
    this.#showCommand();
    store.listen(() => {
      show(store.state?.faults ?? []);
      this.#offerPlaces();
    });
  }

  /** The tenants, trunks and live calls that there are. */
  #offerPlaces(): void {
    const { state, calls } = store;
    if (state === undefined) return;
    const places: Place[] = [];
    const offer = (at: PlaceView, label: string): unknown =>
      places.push([JSON.stringify(at), label]);
    offer({}, "Everywhere");
    for (const { tenantId, trunks } of state.tenants) {
      offer({ tenantId }, `Tenant ${tenantId}`);
      for (const { trunkId } of trunks) {
        offer({ tenantId, trunkId }, `Trunk ${trunkId} of ${tenantId}`);
      }
    }
    for (const call of calls.values()) {
      const { callSid, tenantId } = call;
      if (call.state === "ended" || places.length >= 100) continue;
      offer({ tenantId, callSid }, `Call with ${farEndOf(call)} of ${tenantId}`);
    }
    // What is chosen stays so when it is gone: the server refuses it, where another place would take it.
    const chosen = this.#place.value;
    const isChosen = ([at]: Place): boolean => at === chosen;
    const before = this.#places.find(isChosen);
    if (before !== undefined && !places.some(isChosen)) {
      places.push([chosen, before[1].replace(/( \(has ended\))?$/, " (has ended)")]);
    }
    if (JSON.stringify(places) === JSON.stringify(this.#places)) return;
    this.#places = places;
    this.#place.replaceChildren(...optionsOf(places));
    this.#place.value = chosen;
    this.#showCommand();
  }

  #showCommand(): void {
    showCommand(this.#command, commandOf(this.#fault()), "the command that sets these faults");
  }

  #fault(): Fault {
    const entries: [string, unknown][] = numbers.map((
      [id],
      i,
    ) => [id, Number(this.#inputs[i]!.value)]);
    entries.push(["refuseWith", Number(this.#refuse.value)]);
    const { checked } = this.#drop as PageElement & { readonly checked: boolean };
    entries.push(["dropSessions", checked]);
    const set = entries.filter(([, value]) => Boolean(value));
    return {
      faults: set.length === 0 ? undefined : Object.fromEntries(set),
      at: JSON.parse(this.#place.value),
    };
  }

  #set(fault: Fault): void {
    void act("faults", fault, this.#problem);
  }

  #item(fault: Fault): PageElement {
    const { at } = fault;
    return h(
      "div",
      { role: "listitem", class: "card item" },
      h(
        "pre",
        { tabindex: "0", "aria-label": "Faults that are set" },
        h("code", {}, commandOf(fault)),
      ),
      copyable(commandOf({ at }), "the command that removes them"),
      button("Remove", () => this.#set({ at }), { class: "quiet" }),
    );
  }
}

page.customElements.define("tq-faults", FaultsForm);
