import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { findPageFiles } from "../../../src/panel/files.ts";
import { startPanel } from "../../../src/panel/mod.ts";
import { temporaryFolder } from "../../support/folder.ts";
import { FakePanelGateway } from "../../support/panel_gateway.ts";

describe("the panel's files", () => {
  it("are those of the list, with their types", async () => {
    await using folder = await temporaryFolder();
    await writeFile(folder.at("a.css"), "a{}");
    const list = { "/panel/a.css": "a.css", "/panel/gone.js": "gone.js" };
    await writeFile(folder.at("files.json"), JSON.stringify(list));
    const files = await findPageFiles(pathToFileURL(`${folder.path}/`));
    assert.deepEqual([...files!.keys()], ["/panel/a.css", "/panel/gone.js"]);
    const style = files!.get("/panel/a.css")!;
    assert.equal(style.contentType, "text/css; charset=utf-8");
    assert.equal(new TextDecoder().decode(await style.read()), "a{}");
    await assert.rejects(files!.get("/panel/gone.js")!.read());
  });

  it("are missing in a clone before they are made: there is no panel, and nothing listens", async () => {
    await using folder = await temporaryFolder();
    const fake = new FakePanelGateway();
    const panel = await startPanel({
      ...{ gateway: fake.gateway, endpoint: "https://127.0.0.1:1", certificateHashes: [] },
      ...{ tenantId: "acme", trunkId: "trunk-1", program: "" },
      folder: pathToFileURL(`${folder.path}/`),
    });
    assert.equal(panel, undefined);
    assert.equal(fake.watching.all, 0);
  });
});
