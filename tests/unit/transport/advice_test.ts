import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { advise, fittingPackage, machineName } from "../../../src/transport/advice.ts";
import { isAtLeast, type Machine } from "../../../src/transport/packages.ts";

const linux = (glibc: string | undefined, arch = "x64"): Machine => ({
  platform: "linux",
  arch,
  glibc,
});

describe("fittingPackage()", () => {
  const cases: readonly (readonly [machine: Machine, fitting: string | undefined])[] = [
    [linux("2.41"), "@moq/web-transport"],
    [linux("2.38"), "@moq/web-transport"],
    [linux("2.38", "arm64"), "@moq/web-transport"],
    [linux("2.37"), "@matrixai/quic"],
    [linux("2.36"), "@matrixai/quic"],
    [linux("2.34"), "@matrixai/quic"],
    [linux("2.31"), undefined],
    [linux("2.36", "arm64"), undefined],
    [linux("2.41", "riscv64"), undefined],
    [linux(undefined), undefined],
    [linux(undefined, "arm64"), undefined],
    [{ platform: "darwin", arch: "arm64", glibc: undefined }, "@moq/web-transport"],
    [{ platform: "darwin", arch: "x64", glibc: undefined }, "@moq/web-transport"],
    [{ platform: "win32", arch: "x64", glibc: undefined }, "@moq/web-transport"],
    [{ platform: "win32", arch: "arm64", glibc: undefined }, undefined],
    [{ platform: "freebsd", arch: "x64", glibc: undefined }, undefined],
  ];
  for (const [machine, fitting] of cases) {
    it(`is ${fitting ?? "nothing"} on ${machineName(machine)}`, () => {
      assert.equal(fittingPackage(machine), fitting);
      // What does not fit is never advised: the way that works is.
      const words = advise(machine);
      if (fitting === undefined) assert.match(words, /npx deno run -A --unstable-net/);
      else assert.ok(words.endsWith(` ${fitting}`), words);
    });
  }
});

describe("isAtLeast()", () => {
  it("compares numbers, not texts", () => {
    assert.equal(isAtLeast("2.4", "2.34"), false);
    assert.equal(isAtLeast("2.100", "2.38"), true);
    assert.equal(isAtLeast("3.0", "2.38"), true);
    assert.equal(isAtLeast("1.99", "2.0"), false);
    assert.equal(isAtLeast("2.38", "2.38"), true);
  });
});
