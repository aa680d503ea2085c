/**
 * Characters that can change what a reader of a log, a header or a terminal sees.
 *
 * @module
 */

// C0, DEL and C1 (Unicode general category Cc), the line and paragraph separators, and the embeddings, overrides and isolates that
// change the direction of the text around them (Unicode UAX #9, sections 2.1 to 2.4).
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;
const EVERY_CONTROL = /* @__PURE__ */ new RegExp(CONTROL, "g");
const CONTROL_RUNS = /* @__PURE__ */ new RegExp(`${CONTROL.source}+`, "g");

/** Whether text holds a control character, a line or paragraph separator, or a bidirectional control. */
export function hasControl(text: string): boolean {
  return CONTROL.test(text);
}

/** Text on one line: each control character as its `\uXXXX` escape. */
export function escapeControl(text: string): string {
  return text.replace(
    EVERY_CONTROL,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Text on one line: each run of control characters as one space, none at the ends. */
export function onOneLine(text: string): string {
  return text.replace(CONTROL_RUNS, " ").trim();
}
