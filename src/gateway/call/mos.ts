/**
 * How well a call was heard: loss and jitter as counted, and the opinion score that follows from them.
 *
 * @module
 */

/** What a call's packets did. */
export interface Quality {
  readonly packetsSent: number;
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly bytesSent: number;
  readonly jitterMs: number;
}

// ITU-T G.107 with its default values (R = 93.2), and G.113 appendix I for G.711 with loss concealment (Ie = 0, Bpl = 25.1).
const BEST_R = 93.2;
const LOSS_ROBUSTNESS = 25.1;
const FRAME_MS = 20;

/** Mean opinion score (1 to 4.5) of a G.711 call by the E-model; 0 when no packet was heard. */
export function estimateMos(quality: Quality): number {
  const heard = quality.packetsReceived + quality.packetsSent;
  if (heard === 0) return 0;
  const lossPercent = (100 * quality.packetsLost) / (heard + quality.packetsLost);
  const lossImpairment = (95 * lossPercent) / (lossPercent + LOSS_ROBUSTNESS);
  // Packetization, and a playout buffer of twice the jitter.
  const delayMs = FRAME_MS + 2 * quality.jitterMs;
  const delayImpairment = 0.024 * delayMs + (delayMs > 177.3 ? 0.11 * (delayMs - 177.3) : 0);
  const r = Math.min(100, Math.max(0, BEST_R - lossImpairment - delayImpairment));
  // The cubic of G.107 annex B dips below 1 at the bottom of its range.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
