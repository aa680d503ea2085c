import { deepStrictEqual as same, ok, strictEqual as equal } from "node:assert/strict";
import { TeleQuickError } from "../../../../src/base/errors.ts";
import { fromWire, toWire } from "../../../../src/browser/worker/wire_error.ts";

/** Over a port and back. */
function sent(error: unknown): Error {
  return fromWire(structuredClone(toWire(error)));
}

Deno.test("an error of the SDK keeps its class, code and details between threads", () => {
  const error = new TeleQuickError("ERR_RPC_REJECTED", "No such trunk", {
    rpcCode: 1,
    retryable: true,
    cause: new Error("inner"),
  });
  const found = sent(error) as TeleQuickError;
  ok(found instanceof TeleQuickError);
  const { code, message, rpcCode, retryable, refusal, cause } = found;
  same({ code, message, rpcCode, retryable, refusal, cause }, {
    ...{ code: "ERR_RPC_REJECTED", message: "No such trunk", rpcCode: 1, retryable: true },
    ...{ refusal: undefined, cause: "Error: inner" },
  });
  equal(
    (sent(new TeleQuickError("ERR_UNAUTHORIZED", "No", { refusal: "expired" })) as TeleQuickError)
      .refusal,
    "expired",
  );
});

Deno.test("other errors keep their kind", () => {
  ok(sent(new TypeError("wrong")) instanceof TypeError);
  const aborted = sent(new DOMException("given up", "AbortError"));
  ok(aborted instanceof DOMException && aborted.name === "AbortError");
  const odd = sent(Object.assign(new Error("odd"), { name: "OddError" }));
  same([odd.name, odd.message], ["OddError", "odd"]);
  equal(sent("thrown text").message, "thrown text");
});
