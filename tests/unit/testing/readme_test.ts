import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";

const folder = new URL("../../examples/runners/", import.meta.url);
const page = new URL("../../../src/testing/RUNNERS.md", import.meta.url);

describe("src/testing/RUNNERS.md", () => {
  it("shows every test of tests/examples/runners as it is", async () => {
    const text = await readFile(page, "utf8");
    const names = await readdir(folder);
    assert.equal(names.length, 5);
    for (const name of names) {
      const test = await readFile(new URL(name, folder), "utf8");
      assert.ok(text.includes(test), `${name} is not in the page as it is`);
    }
  });
});
