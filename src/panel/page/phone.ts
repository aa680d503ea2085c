/**
 * The phone: off, on, ringing, on a call.
 *
 * @module
 */

import { button, h, HTMLElement, page, type PageElement, setText } from "./dom.ts";
import { durationOf, showCommand, telequick } from "./format.ts";
import { CALL_REJECTED, Line, type LineState } from "./line.ts";
import { store } from "./store.ts";

const TITLE = page.document.title;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

const words: Readonly<Record<LineState, string>> = {
  off: "Off",
  starting: "Starting",
  on: "On",
  ringing: "Ringing",
  answering: "Answering",
  talking: "On a call",
};

/** What each state shows. */
class PhoneView extends HTMLElement {
  readonly #line = new Line(() => this.#show());
  readonly #state = h("span", { class: "badge" });
  readonly #who = h("p", { class: "caller" });
  readonly #status = h("p", { role: "status", "aria-live": "assertive" });
  readonly #meters = ["You", "Program"].map((name) =>
    [name, h("progress", { max: "1", value: "0", "aria-label": `Level: ${name}` })] as const
  );
  readonly #mute = button("Mute", () => void this.#line.toggleMute(), { "aria-pressed": "false" });
  readonly #time = h("span", { class: "time" });
  readonly #listenOnly = button("Listen only", () => void this.#line.turnOn(false));
  readonly #commands = [h("div"), h("div"), h("div", { class: "stack" })] as const;
  readonly #parts: Readonly<Record<string, PageElement>> = {
    off: h(
      "div",
      { class: "stack" },
      button("Turn the phone on", () => void this.#line.turnOn(), { class: "primary" }),
      this.#listenOnly,
    ),
    on: h(
      "div",
      { class: "stack" },
      button("Call my agent", () => this.#callAgent(), { class: "primary" }),
      this.#commands[0],
      this.#commands[1],
      button("Turn the phone off", () => void this.#line.turnOff(), { class: "quiet" }),
    ),
    ringing: h(
      "div",
      { class: "pair" },
      button("Answer", () => void this.#line.answer(), { class: "answer" }),
      button("Decline", () => void this.#line.decline(), { class: "danger" }),
    ),
    talking: h(
      "div",
      { class: "stack" },
      h(
        "div",
        { class: "meters" },
        ...this.#meters.map(([name, meter]) => h("div", {}, h("span", {}, name), meter)),
      ),
      h(
        "div",
        { class: "pair" },
        this.#mute,
        button("Hang up", () => void this.#line.hangUp(), { class: "danger" }),
      ),
      h(
        "div",
        { class: "keypad", role: "group", "aria-label": "Keypad" },
        ...KEYS.map((key) => button(key, () => this.#line.press(key))),
      ),
    ),
  };

  connectedCallback(): void {
    this.append(
      h("h2", {}, "Phone ", this.#state, this.#time),
      this.#who,
      this.#status,
      ...Object.values(this.#parts),
      this.#commands[2],
    );
    store.listen(() => this.#show());
  }

  #show(): void {
    const { state, note, callSid, level, isMuted, isMicrophoneMissing } = this.#line;
    const call = store.phoneCall(callSid);
    const isOnCall = state === "talking" || state === "answering";
    setText(this.#state, words[state]);
    this.#state.setAttribute("data-state", state);
    this.setAttribute("data-state", state);
    this.#showPart(isOnCall ? "talking" : state);
    this.#listenOnly.hidden = !isMicrophoneMissing;
    const from = call?.from || "your program";
    setText(this.#who, state === "ringing" || isOnCall ? from : "");
    setText(this.#time, isOnCall && call !== undefined ? durationOf(call) : "");
    setText(this.#status, note || this.#advice(state, from));
    page.document.title = state === "ringing"
      ? `Ringing: ${from}`
      : isOnCall
      ? `On a call: ${from}`
      : TITLE;
    setText(this.#mute, isMuted ? "Unmute" : "Mute");
    this.#mute.setAttribute("aria-pressed", String(isMuted));
    this.#meters.forEach(([, meter], i) => {
      const shown = Math.min(1, Math.sqrt(i === 0 ? level.input : level.output));
      meter.setAttribute("value", shown.toFixed(2));
    });
    this.#showCommands(isOnCall || state === "ringing");
  }

  /** Shows one part. Where the focus was in another, it goes to this one's first button. */
  #showPart(shown: string): void {
    const hadFocus = this.matches(":focus-within");
    for (const [name, part] of Object.entries(this.#parts)) part.hidden = name !== shown;
    const part = this.#parts[shown];
    if (hadFocus && part?.matches(":focus-within") === false) part.querySelector("button")?.focus();
  }

  #advice(state: LineState, from: string): string {
    const number = store.state?.phone.number ?? "";
    switch (state) {
      case "off":
        return `Your program dials ${number}, this page rings, and you talk to your agent.`;
      case "starting":
        return "Your browser asks for the microphone.";
      case "on":
        return `Waiting for a call to ${number}.`;
      case "ringing":
        return `Incoming call from ${from}`;
      default:
        return "";
    }
  }

  #showCommands(hasCall: boolean): void {
    if (store.state === undefined) return;
    const { trunkId, phone: { number, tenantId } } = store.state;
    const [callIn, dial, hangUp] = this.#commands;
    showCommand(
      callIn,
      telequick("call-in", { fromPhone: true, trunkId }),
      "the command that calls your agent",
    );
    showCommand(dial, telequick("dial", { trunkId }, number), "the command that rings this phone");
    const { callSid, state } = this.#line;
    hangUp.hidden = !hasCall || callSid === "";
    const cause = state === "ringing" ? { cause: CALL_REJECTED } : {};
    showCommand(
      hangUp,
      telequick("gateway hangup", { tenantId, ...cause }, callSid),
      "the command that ends the call",
    );
  }

  #callAgent(): void {
    const { tenantId, trunkId } = store.state ?? {};
    if (tenantId !== undefined && trunkId !== undefined) void this.#line.callIn(tenantId, trunkId);
  }
}

page.customElements.define("tq-phone", PhoneView);
