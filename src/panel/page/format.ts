/**
 * Times, names and command lines as the page writes them.
 *
 * @module
 */

import { systemClock, wallClock } from "../../base/signal.ts";
import type { CallView } from "../messages.ts";
import { button, h, page, type PageElement } from "./dom.ts";

const SAID_MS = 2_000;

/** A time of the day. */
export function timeOf(ms: number): string {
  return new Date(ms).toLocaleTimeString([], { hour12: false });
}

/** How long a call has lasted, or lasted. */
export function durationOf({ startMs, answerMs, endMs }: CallView): string {
  const seconds = Math.max(0, Math.floor(((endMs || wallClock()) - (answerMs || startMs)) / 1_000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The other side of a call, as the tenant's program sees it. */
export function farEndOf({ direction, to, from }: CallView): string {
  return (direction === "outbound" ? to : from) || "unknown";
}

/** The state of a call in a word. */
export function stateOf({ state, cause }: CallView): string {
  return state === "ended" ? cause.replace(/^\d+ /, "") || "ended" : state;
}

/** A word for a shell: quoted where it has to be. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * A command line of `telequick`.
 *
 * @param options By their names in the gateway's API: `trunkId` is `--trunk`, `lossPercent` is `--loss-percent`. A flag is `true`.
 */
export function telequick(
  command: string,
  options: object = {},
  ...operands: readonly string[]
): string {
  const words = Object.entries(options).flatMap(([name, value]) => {
    const option = `--${name.replace(/Id$/, "")}`.replace(/[A-Z]/g, "-$&").toLowerCase();
    if (value === true) return option;
    return /^-/.test(value) ? `${option}=${value}` : [option, `${value}`];
  });
  if (/^-/.test(operands[0] ?? "")) words.push("--");
  return [`telequick ${command}`, ...[...words, ...operands].map(quoted)].join(" ");
}

/** A command line or a program, with a button that copies it. */
export function copyable(text: string, label: string): PageElement {
  const copy = button("Copy", () => {
    setCopied(copy, page.navigator.clipboard?.writeText(text));
  }, { class: "quiet", "aria-label": `Copy ${label}` });
  return h(
    "div",
    { class: "command" },
    h("pre", { tabindex: "0", "aria-label": label }, h("code", {}, text)),
    copy,
  );
}

/** Shows a command line in place of the one that was there. */
export function showCommand(box: PageElement, text: string, label: string): void {
  if (box.querySelector("code")?.textContent === text) return;
  box.replaceChildren(copyable(text, label));
}

/** Says for a moment what became of it; where there is no clipboard, the text can be selected. */
function setCopied(copy: PageElement, done: Promise<void> = Promise.reject()): void {
  done.then(() => "Copied", () => "Select it").then((said) => {
    copy.textContent = said;
    systemClock.schedule(SAID_MS, () => copy.textContent = "Copy");
  });
}
