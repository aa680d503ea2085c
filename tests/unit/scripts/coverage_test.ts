import assert from "node:assert/strict";
import { it } from "node:test";
import { linesByRoom } from "../../../scripts/coverage.ts";

it("linesByRoom() sums lines by folder, and leaves out what is not in src", () => {
  const lcov = [
    ...["SF:/repo/src/wire/frame.ts", "DA:1,5", "DA:2,0", "end_of_record"],
    ...["SF:/repo/src/wire/reader.ts", "DA:1,1", "end_of_record"],
    ...["SF:/repo/src/client/rpc/rpc.ts", "DA:7,0", "end_of_record"],
    ...["SF:/repo/tests/a.ts", "DA:1,1", "end_of_record"],
    ...["SF:/elsewhere/src/b.ts", "DA:1,1", "end_of_record"],
  ].join("\n");
  assert.deepEqual([...linesByRoom(lcov, "/repo/")], [
    ["src/client/rpc", { found: 1, hit: 0 }],
    ["src/wire", { found: 3, hit: 2 }],
  ]);
});
