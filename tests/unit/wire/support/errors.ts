import assert from "node:assert/strict";
import { TeleQuickError, type TeleQuickErrorCode } from "../../../../src/base/errors.ts";

/** Asserts that `run` throws a `TeleQuickError` with this code, whose message matches. */
export function assertThrows(
  run: () => unknown,
  code: TeleQuickErrorCode,
  message: RegExp | string,
): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof TeleQuickError, String(error));
    assert.equal(error.code, code);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

/** What `run` does with bytes that can be anything: its value, or `undefined` when it refuses them; any other error goes on. */
export function valueOrRefusal<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof TeleQuickError && error.code === "ERR_WIRE_INVALID") return undefined;
    throw error;
  }
}
