import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allExplanations } from "../../../../src/catalogue/lookup.ts";
import { runCli } from "../../../support/fake_platform.ts";

describe("telequick explain", () => {
  it("says of a code what it means, where it comes from and what to do", async () => {
    const { code, stdout } = await runCli(["explain", "q850:17"]);
    assert.equal(code, 0);
    assert.equal(
      stdout,
      "17 (ITU-T Q.850 cause of a call's end)\n" +
        "  The call ended: user busy\n" +
        "  cause: The far end is on another call\n" +
        "  fix: Try again later\n" +
        "  retryable: sometimes\n",
    );
  });

  it("says all that a number can mean", async () => {
    const { stdout } = await runCli(["explain", "3"]);
    assert.equal(stdout.match(/^\S.*\(.*\)$/gm)?.length, 3);
  });

  it("lists everything, and gives machines every entry whole", async () => {
    const { code, stdout } = await runCli(["explain"]);
    assert.equal(code, 0);
    for (const { code: name, meaning } of allExplanations()) {
      assert.ok(stdout.includes(name) && stdout.includes(meaning), name);
    }
    const { records } = await runCli(["explain", "--json"]);
    const explained = records().filter(({ type }) => type === "explanation");
    assert.deepEqual(explained, allExplanations().map((one) => ({ type: "explanation", ...one })));
  });

  it("exits with 2 for an unknown code, and names the nearest", async () => {
    const { code, stderr } = await runCli(["explain", "ERR_UNAUTORIZED"]);
    assert.equal(code, 2);
    assert.equal(
      stderr,
      'error: Cannot explain "ERR_UNAUTORIZED": unknown code (did you mean ERR_UNAUTHORIZED?)\n',
    );
  });
});
