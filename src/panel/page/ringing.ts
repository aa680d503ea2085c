/**
 * The tone of a phone that rings.
 *
 * @module
 */

/** The part of an AudioContext that makes a tone (W3C Web Audio sections 1.1, 1.20 and 1.26). */
interface ToneContext {
  readonly currentTime: number;
  readonly destination: unknown;
  createGain(): {
    readonly gain: { setValueAtTime(value: number, at: number): void };
    connect(node: unknown): void;
  };
  createOscillator(): {
    readonly frequency: { value: number };
    connect(node: unknown): void;
    start(): void;
    stop(): void;
  };
}

// 440 and 480 Hz, two seconds of six (ANSI T1.401).
const TONES_HZ = [440, 480];
const ON_S = 2;
const PERIOD_S = 6;
// The gateway gives up after half a minute.
const PERIODS = 6;
const VOLUME = 0.08;

/** Rings. Returns what stops it. */
export function playRinging(context: unknown): () => void {
  const tones = context as ToneContext;
  const volume = tones.createGain();
  const { currentTime } = tones;
  for (let i = 0; i < PERIODS; i++) {
    volume.gain.setValueAtTime(VOLUME, currentTime + i * PERIOD_S);
    volume.gain.setValueAtTime(0, currentTime + i * PERIOD_S + ON_S);
  }
  volume.connect(tones.destination);
  const oscillators = TONES_HZ.map((hertz) => {
    const oscillator = tones.createOscillator();
    oscillator.frequency.value = hertz;
    oscillator.connect(volume);
    oscillator.start();
    return oscillator;
  });
  return () => {
    for (const oscillator of oscillators.splice(0)) oscillator.stop();
  };
}
