import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { describe, it } from "node:test";

const folder = new URL("../../../src/panel/page/", import.meta.url);

describe("the panel's page", () => {
  it("makes no HTML of text, and no code", async () => {
    const forbidden =
      /innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|document\.write|DOMParser|createContextualFragment|srcdoc|\beval\b|new Function|javascript:/;
    const names = (await readdir(folder)).filter((name) => name.endsWith(".ts"));
    assert.ok(names.length > 5);
    for (const name of names) {
      assert.doesNotMatch(await readFile(new URL(name, folder), "utf8"), forbidden, name);
    }
  });

  it("has no inline script, no inline style and no other host in its document", async () => {
    const html = await readFile(new URL("index.html", folder), "utf8");
    assert.doesNotMatch(html, /<script(?![^>]*src=)|<style|style=|\son\w+=|https?:/);
    const css = await readFile(new URL("style.css", folder), "utf8");
    assert.doesNotMatch(css, /url\(|@import/);
  });
});
