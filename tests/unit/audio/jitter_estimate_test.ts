import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { JitterEstimate } from "../../../src/audio/jitter_estimate.ts";

describe("JitterEstimate", () => {
  it("is 0 for packets that come when they are due, however late they all are", () => {
    const estimate = new JitterEstimate();
    for (let i = 0; i < 100; i++) estimate.arrived(5_000 + i * 20, i * 20);
    assert.equal(estimate.jitterMs, 0);
  });

  it("follows RFC 3550: a sixteenth of each difference", () => {
    const estimate = new JitterEstimate();
    estimate.arrived(0, 0);
    estimate.arrived(36, 20);
    assert.equal(estimate.jitterMs, 1);
    estimate.arrived(56, 40);
    assert.equal(estimate.jitterMs, 1 - 1 / 16);
  });

  it("does not take a speaker's pause for jitter, and counts a stall of up to 200 ms", () => {
    const estimate = new JitterEstimate();
    estimate.arrived(0, 0);
    estimate.arrived(10_020, 20);
    estimate.arrived(10_040, 40);
    assert.equal(estimate.jitterMs, 0);
    estimate.arrived(10_260, 60);
    assert.equal(estimate.jitterMs, 200 / 16);
  });

  it("leaves times out that are not finite", () => {
    const estimate = new JitterEstimate();
    estimate.arrived(NaN, 0);
    estimate.arrived(150, 0);
    estimate.arrived(170, -Infinity);
    assert.equal(estimate.jitterMs, 0);
    estimate.arrived(186, 20);
    assert.equal(estimate.jitterMs, 1);
  });
});
