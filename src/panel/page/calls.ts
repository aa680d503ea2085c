/**
 * Calls: the live ones and the last that ended, each with its timeline, its sound and its quality.
 *
 * @module
 */

import type { CallView } from "../messages.ts";
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
import { copyable, durationOf, farEndOf, stateOf, telequick, timeOf } from "./format.ts";
import { keyOf, store, type Trace } from "./store.ts";
import { drawTrace, traceCanvas } from "./trace.ts";

const MOST_ROWS = 50;

/** One call in the list. */
class CallRow extends HTMLElement {
  readonly #title = h("span", { class: "who" });
  readonly #where = h("span", { class: "muted" });
  readonly #state = h("span", { class: "badge" });
  readonly #time = h("span", { class: "time" });
  readonly #trace = traceCanvas("Levels of late");
  readonly #details = h("div", { class: "details", hidden: true });
  readonly #row: PageElement;
  #fill: ((call: CallView, trace: Trace | undefined) => void) | undefined;
  #call: CallView | undefined;

  constructor() {
    super();
    this.#row = button("", () => this.#toggle(), { class: "row", "aria-expanded": "false" });
  }

  connectedCallback(): void {
    if (this.children.length > 0) return;
    this.#row.append(this.#title, this.#where, this.#trace, this.#state, this.#time);
    this.append(this.#row, this.#details);
    this.setAttribute("role", "listitem");
  }

  /** Shows a call as it is now. */
  show(call: CallView): void {
    const isChanged = call !== this.#call;
    this.#call = call;
    const trace = store.traces.get(keyOf(call));
    if (isChanged) {
      const arrow = call.direction === "outbound" ? "\u2192" : "\u2190";
      setText(this.#title, `${arrow} ${farEndOf(call)}`);
      setText(this.#where, `${call.tenantId} \u00b7 ${call.trunkId}`);
      setText(this.#state, stateOf(call));
      this.#state.setAttribute("data-state", call.fix === "" ? call.state : "failed");
    }
    setText(this.#time, durationOf(call));
    if (trace !== undefined && call.state === "answered") drawTrace(this.#trace, trace);
    if (this.#details.hidden) return;
    this.#fill!(call, trace);
  }

  #toggle(): void {
    const isOpen = this.#details.hidden;
    this.#details.hidden = !isOpen;
    this.#row.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen || this.#call === undefined) return;
    this.#fill ??= fillDetails(this.#details, this.#call);
    this.show(this.#call);
  }
}

/** Makes the details of a call. Returns what updates them. */
function fillDetails(
  details: PageElement,
  { callSid, tenantId }: CallView,
): (call: CallView, trace: Trace | undefined) => void {
  const wave = traceCanvas("The program above, the far end below");
  const numbers = ["Loss", "Jitter", "MOS", "Call id"].map((name) => [name, h("dd")] as const);
  const advice = h("p", { class: "advice" });
  const timeline = h("ol", { class: "timeline" });
  const problem = problemLine();
  const hangUp = button("Hang up", () => void act("hangup", { tenantId, callSid }, problem), {
    class: "danger",
  });
  const actions = h(
    "div",
    { class: "actions" },
    hangUp,
    copyable(telequick("gateway hangup", { tenantId }, callSid), "the command that hangs up"),
  );
  wave.setAttribute("class", "trace wave");
  const sound = h(
    "div",
    {},
    h(
      "p",
      { class: "legend" },
      h("span", { class: "say" }, "Program"),
      h("span", { class: "hear" }, "Far end"),
    ),
    wave,
  );
  details.append(
    sound,
    h(
      "dl",
      { class: "numbers" },
      ...numbers.map(([name, value]) => h("div", {}, h("dt", {}, name), value)),
    ),
    advice,
    h("h3", {}, "Timeline"),
    timeline,
    problem,
    actions,
  );
  const showMoments = keyedList<CallView["moments"][number], PageElement>(
    timeline,
    ({ timeMs, text }) => `${timeMs} ${text}`,
    ({ timeMs, text }) => h("li", {}, h("time", {}, timeOf(timeMs)), ` ${text}`),
  );
  return (call, trace) => {
    const texts = trace === undefined ? ["\u2013", "\u2013", "\u2013"] : qualityOf(trace);
    [...texts, callSid].forEach((text, i) => setText(numbers[i]![1], text));
    setText(advice, call.fix === "" ? call.cause : `${call.cause}. ${call.fix}.`);
    showMoments(call.moments);
    actions.hidden = call.state === "ended";
    sound.hidden = trace === undefined;
    if (trace !== undefined) drawTrace(wave, trace);
  };
}

function qualityOf({ last: { lossPercent, jitterMs, mos } }: Trace): string[] {
  return [
    `${lossPercent.toFixed(1)} %`,
    `${jitterMs.toFixed(1)} ms`,
    mos === 0 ? "\u2013" : mos.toFixed(2),
  ];
}

/** The list of calls; before the first one, the program to paste. */
class CallsView extends HTMLElement {
  connectedCallback(): void {
    const list = h("div", { role: "list", class: "calls" });
    const more = h("p", { class: "muted" });
    const program = h("div");
    const empty = h(
      "section",
      { class: "empty" },
      h("h2", {}, "No call yet"),
      h(
        "p",
        {},
        "Run this program, or dial from the terminal: the call is shown here as it happens.",
      ),
      program,
    );
    this.append(empty, list, more);
    const showRows = keyedList<CallView, CallRow>(
      list,
      keyOf,
      () => h("tq-call") as CallRow,
      (row, call) => row.show(call),
    );
    let hasProgram = false;
    store.listen(() => {
      const { state } = store;
      if (state === undefined) return;
      if (!hasProgram) {
        program.append(
          copyable(state.program, "the program"),
          copyable(
            telequick("dial", { trunkId: state.trunkId }, state.phone.number),
            "the command that dials",
          ),
        );
        hasProgram = true;
      }
      // The phone's own leg is the other half of a call that is shown already.
      const calls = [...store.calls.values()].reverse()
        .filter(({ tenantId }) => tenantId !== state.phone.tenantId);
      const live = calls.filter(({ state }) => state !== "ended");
      const rows = [...live, ...calls.filter(({ state }) => state === "ended")].slice(0, MOST_ROWS);
      empty.hidden = calls.length > 0;
      showRows(rows);
      more.hidden = calls.length <= MOST_ROWS;
      const unlisted = Math.max(0, state.liveCalls - live.length);
      setText(more, `and ${calls.length - rows.length + unlisted} more`);
    });
  }
}

page.customElements.define("tq-call", CallRow);
page.customElements.define("tq-calls", CallsView);
