import assert from "node:assert/strict";
import { it } from "node:test";
import { isSupportedNode, nodeVersions } from "../../../../scripts/matrix/runtimes.ts";

it("isSupportedNode() takes versions that can look for what is built in", () => {
  for (const version of ["v20.16.0", "v22.3.0", "v23.0.0", ...nodeVersions]) {
    assert.ok(isSupportedNode(version), version);
  }
  for (const version of ["v18.20.4", "v20.15.1", "v21.7.3", "v22.2.0"]) {
    assert.ok(!isSupportedNode(version), version);
  }
});
