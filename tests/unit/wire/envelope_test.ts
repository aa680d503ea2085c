import assert from "node:assert/strict";
import { it } from "node:test";
import { checkEnvelope } from "../../../src/wire/envelope.ts";
import { Fault } from "../../../src/wire/fault.ts";

it("checkEnvelope() accepts exactly one envelope of a version that the reader can read", () => {
  const check = (...bytes: number[]) => checkEnvelope(Uint8Array.from(bytes), 1);
  check(0, 0, 0, 0, 0, 0);
  check(9, 1, 1, 0, 0, 0, 0xff);
  const bad = [
    [],
    [0, 0, 0, 0, 0],
    [0, 0, 0xff, 0xff, 0xff],
    [0, 0, 1, 0, 0, 0],
    [0, 0, 0, 0, 0, 0, 0],
    [0, 0, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0, 0, 0x80],
    [2, 2, 0, 0, 0, 0],
  ];
  for (const bytes of bad) assert.throws(() => check(...bytes), (fault) => fault instanceof Fault);
});
