import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { openUrl } from "../../../src/cli/opener.ts";
import { UsageError } from "../../../src/cli/usage.ts";
import { temporaryFolder } from "../../support/folder.ts";

const url = "http://127.0.0.1:4000/#key";

/** Opens the URL with an opener of this text; without one, where there is no opener. */
async function open(script?: string): Promise<string> {
  await using folder = await temporaryFolder();
  if (script !== undefined) {
    const text = `#!/bin/sh\n${script.replace("FILE", folder.at("opened"))}\n`;
    await writeFile(folder.at("opener"), text, { mode: 0o755 });
  }
  await openUrl(url, [folder.at("opener"), "--first"]);
  return await readFile(folder.at("opened"), "utf8");
}

describe("openUrl", { skip: process.platform === "win32" }, () => {
  it("passes the URL to the system's opener", async () => {
    assert.equal(await open('printf "%s %s" "$1" "$2" > FILE'), `--first ${url}`);
  });

  it("says that there is no opener, or that it found no browser", async () => {
    const isUsage = (error: unknown, message: RegExp): boolean =>
      error instanceof UsageError && error.exitCode === 2 && message.test(error.message);
    await assert.rejects(
      open(undefined),
      (error) =>
        isUsage(error, /Cannot open a browser: \S*opener cannot be started \(open the panel's URL/),
    );
    await assert.rejects(
      open("exit 3"),
      (error) => isUsage(error, /Cannot open a browser: \S*opener found none/),
    );
  });
});
