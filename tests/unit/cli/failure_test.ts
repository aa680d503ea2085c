import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorCatalogue } from "../../../src/catalogue/errors.ts";
import { Interrupted } from "../../../src/cli/command.ts";
import { reportFailure } from "../../../src/cli/failure.ts";
import { createOutput } from "../../../src/cli/terminal/output.ts";
import { BrokenPipe } from "../../../src/cli/platform.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { TeleQuickError, type TeleQuickErrorCode } from "../../../src/base/errors.ts";
import { fakePlatform } from "../../support/fake_platform.ts";

function report(error: unknown, json = false): { code: number; stdout: string; stderr: string } {
  const { platform, stdout, stderr } = fakePlatform();
  const code = reportFailure(error, createOutput(platform, { json }));
  return { code, stdout: stdout(), stderr: stderr() };
}

describe("reportFailure()", () => {
  it("reports every code of ours in a sentence, exits with 1 or 2, and never shows a stack", () => {
    for (const code of Object.keys(errorCatalogue) as TeleQuickErrorCode[]) {
      const { code: exitCode, stdout, stderr } = report(new TeleQuickError(code, "Cannot do it"));
      assert.ok(exitCode === 1 || exitCode === 2, code);
      assert.equal(stdout, "");
      assert.ok(stderr.startsWith("error: Cannot do it\n  fix: "), stderr);
      assert.ok(stderr.includes(`telequick explain ${code}`));
      assert.ok(!/^\s+at /m.test(stderr), stderr);
    }
  });

  it("exits with 2 for what the user has to change before anything can be done", () => {
    const two = (Object.keys(errorCatalogue) as TeleQuickErrorCode[])
      .filter((code) => report(new TeleQuickError(code, "Cannot do it")).code === 2);
    assert.deepEqual(two, [
      "ERR_CREDENTIALS_NOT_FOUND",
      "ERR_CREDENTIALS_INVALID",
      "ERR_KEY_UNSUPPORTED",
      "ERR_TOKEN_INVALID",
      "ERR_TOKEN_LIFETIME",
      "ERR_ENDPOINT_INVALID",
      "ERR_TRANSPORT_UNAVAILABLE",
      "ERR_VALUE_INVALID",
    ]);
  });

  it("adds the registry's advice only where the message has no advice of its own", () => {
    const withAdvice = new TeleQuickError("ERR_CONNECT_FAILED", "Cannot connect (is it running?)");
    assert.ok(!report(withAdvice).stderr.includes("fix:"));
    const withExpected = new TeleQuickError(
      "ERR_VALUE_INVALID",
      "Cannot dial: it is 1, expected 2",
    );
    assert.ok(!report(withExpected).stderr.includes("fix:"));
  });

  it("leads from a refused RPC to the wire's own code", () => {
    const { stderr } = report(
      new TeleQuickError("ERR_RPC_REJECTED", "Cannot dial", { rpcCode: 3 }),
    );
    assert.match(stderr, /fix: Dial more slowly/);
    assert.match(stderr, /telequick explain wire:3/);
    const unknown = report(new TeleQuickError("ERR_RPC_REJECTED", "Cannot dial", { rpcCode: 99 }));
    assert.match(unknown.stderr, /telequick explain wire:99/);
  });

  it("reports to programs code, message, exit code and what else the error has", () => {
    const error = new TeleQuickError("ERR_UNAUTHORIZED", "Cannot sign in", {
      refusal: "expired",
      rpcCode: 7,
      retryable: true,
    });
    const { stderr } = report(error, true);
    assert.deepEqual(JSON.parse(stderr), {
      type: "error",
      code: "ERR_UNAUTHORIZED",
      message: "Cannot sign in",
      exitCode: 1,
      retryable: true,
      rpcCode: 7,
      refusal: "expired",
      fix: errorCatalogue.ERR_UNAUTHORIZED.fix,
    });
  });

  it("passes on a usage error's own exit code, and the command whose help has details", () => {
    const { code, stderr } = report(
      new UsageError("Option is wrong", { command: "dial", exitCode: 127 }),
    );
    assert.equal(code, 127);
    assert.equal(stderr, "error: Option is wrong\n  more: telequick dial --help\n");
  });

  it("exits as a shell counts signals, without a word", () => {
    assert.deepEqual(report(new Interrupted("SIGINT")), { code: 130, stdout: "", stderr: "" });
    assert.deepEqual(report(new Interrupted("SIGTERM")), { code: 143, stdout: "", stderr: "" });
    assert.deepEqual(report(new BrokenPipe()), { code: 141, stdout: "", stderr: "" });
  });

  it("reports a bug of its own without a stack, a key or a token", () => {
    const token = "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.c2ln";
    for (const secret of [token, "-----BEGIN PRIVATE KEY-----\nMIIcanary"]) {
      const { code, stderr } = report(new RangeError(`bad thing: ${secret}`));
      assert.equal(code, 1);
      assert.match(stderr, /^error: Unexpected RangeError: bad thing: \[redacted\]$/m);
      assert.ok(!stderr.includes("canary") && !stderr.includes("c2ln"));
      assert.ok(!/^\s+at /m.test(stderr));
    }
    assert.match(report("just text").stderr, /Unexpected value: just text/);
  });

  it("takes a permission that the runtime denies for the user's to give", () => {
    const denied = Object.assign(new Error('Requires net access to "x"'), { name: "NotCapable" });
    const { code, stderr } = report(denied);
    assert.equal(code, 2);
    assert.match(stderr, /a permission is missing \(Requires net access/);
  });

  it("keeps a gateway's words to one line", () => {
    const { stderr } = report(
      new TeleQuickError("ERR_RPC_REJECTED", "Cannot dial: no\nerror: fake"),
    );
    assert.match(stderr, /^error: Cannot dial: no\\u000aerror: fake\n/);
  });
});
