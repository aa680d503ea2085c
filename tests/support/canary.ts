import assert from "node:assert/strict";
import { inspect } from "node:util";

declare const Deno: { inspect(value: unknown, options?: object): string } | undefined;
declare const Bun: { inspect(value: unknown, options?: object): string } | undefined;

/** Every way in which a program shows a value: printers of this runtime, serializers, templates, an error's own members. */
export function everythingShown(value: unknown): string[] {
  const shown = [
    inspect(value, { depth: 10, showHidden: true }),
    inspect(value, { depth: 10, showHidden: true, getters: true }),
    inspect(value, { depth: 10, customInspect: false, showHidden: true, showProxy: true }),
    `${JSON.stringify(value)}`,
    String(value),
    JSON.stringify(Object.entries(Object(value))),
    JSON.stringify({ ...Object(value) }),
  ];
  if (typeof Deno !== "undefined") {
    shown.push(Deno.inspect(value, { depth: 10, showHidden: true, getters: true }));
  }
  if (typeof Bun !== "undefined") shown.push(Bun.inspect(value, { depth: 10 }));
  try {
    shown.push(inspect(structuredClone(value), { depth: 10, showHidden: true }));
  } catch {
    // Not everything can be cloned.
  }
  if (value instanceof Error) {
    shown.push(value.message, `${value.stack}`, ...everythingShown(value.cause ?? null));
  }
  return shown;
}

/** Asserts that no way of showing `value` shows any of the secrets, or a piece of one. */
export function assertHidden(value: unknown, secrets: readonly string[], what: string): void {
  for (const text of everythingShown(value)) {
    for (const secret of secrets) {
      assert.ok(!text.includes(secret), `${what} shows a secret of ${secret.length} characters`);
    }
  }
}

/** Pieces of a PEM text that must appear nowhere: every line of its body. */
export function linesOf(pem: string): string[] {
  return pem.split("\n").filter((line) => line.length >= 24 && !line.startsWith("-----"));
}
