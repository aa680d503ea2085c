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
// The numbers of frames, unlike the timestamps of RTP, do not tell of a speaker's pauses: what is this late, or as early, comes after one.
const PAUSE_MS = 200;

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

/** Interarrival jitter of one packet stream (RFC 3550 section 6.4.1). */
export class JitterMeter {
  #transit: number | undefined;
  #jitterMs = 0;

  /** The estimate so far, in milliseconds. */
  get jitterMs(): number {
    return this.#jitterMs;
  }

  /** Takes one packet: when it arrived, and when it was due by its place in the stream. Both in milliseconds. */
  arrived(atMs: number, dueMs: number): void {
    const transit = atMs - dueMs;
    const difference = Math.abs(transit - (this.#transit ?? NaN));
    if (difference <= PAUSE_MS) this.#jitterMs += (difference - this.#jitterMs) / 16;
    this.#transit = transit;
  }
}
