import assert from "node:assert/strict";
import { it } from "node:test";
import { run } from "../../../../scripts/support/run.ts";

it("run() reports what a process wrote and that it ended well", async () => {
  const result = await run("bash", ["-c", 'echo "$GIVEN"; echo err >&2'], {
    env: { GIVEN: "out" },
  });
  assert.deepEqual(result, { ok: true, stdout: "out\n", output: "out\nerr" });
});

it("run() reports the exit code", async () => {
  const { ok, output } = await run("bash", ["-c", "echo out; exit 3"]);
  assert.equal(ok, false);
  assert.equal(output, "out\nexit code 3");
});

it("run() reports the signal that ended a process", async () => {
  const { ok, output } = await run("bash", ["-c", "kill -9 $$"]);
  assert.equal(ok, false);
  assert.equal(output, "SIGKILL");
});

it("run() kills what takes too long", async () => {
  const { ok, output } = await run("bash", ["-c", "exec sleep 600"], { timeoutMs: 50 });
  assert.equal(ok, false);
  assert.equal(output, "killed after 0.05 s");
});
