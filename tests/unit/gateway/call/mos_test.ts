import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { estimateMos } from "../../../../src/gateway/call/mos.ts";

const clean = {
  packetsSent: 1_000,
  packetsReceived: 1_000,
  packetsLost: 0,
  bytesSent: 0,
  jitterMs: 0,
};

describe("estimateMos()", () => {
  it("gives a clean G.711 call the E-model's best score", () => {
    // R = 93.2 less 0.48 for the packet's 20 ms: MOS 4.40 by G.107 annex B.
    assert.equal(estimateMos(clean).toFixed(2), "4.40");
  });

  it("falls with loss and with jitter, and stays in its range", () => {
    const lossy = [0, 10, 50, 200, 1_000, 4_000].map((packetsLost) =>
      estimateMos({ ...clean, packetsLost })
    );
    const jittery = [0, 20, 100, 200, 300].map((jitterMs) => estimateMos({ ...clean, jitterMs }));
    for (const scores of [lossy, jittery]) {
      for (let i = 1; i < scores.length; i++) {
        assert.ok(scores[i]! < scores[i - 1]!, String(scores));
      }
      for (const score of scores) assert.ok(score >= 1 && score <= 4.5, String(scores));
    }
    // One packet in a hundred of both directions lost: Ppl = 1, Ie,eff = 95 / 26.1.
    const onePercent = estimateMos({ ...clean, packetsLost: 2_000 / 99 });
    assert.equal(onePercent.toFixed(2), "4.32");
  });

  it("is 0 when nothing was heard", () => {
    assert.equal(
      estimateMos({
        packetsSent: 0,
        packetsReceived: 0,
        packetsLost: 0,
        bytesSent: 0,
        jitterMs: 0,
      }),
      0,
    );
  });
});
