/**
 * What the fake microphone hears.
 *
 * @module
 */

const RATE = 48_000;

/** Noise in syllables, which correlates with itself at one place alone: at 48 kHz, the same each time. */
export function speechSamples(seconds = 4): Int16Array {
  const samples = new Int16Array(RATE * seconds);
  let state = 12_345;
  let low = 0;
  for (let i = 0; i < samples.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // Below 3 kHz, as a telephone carries it.
    low += (state / 2 ** 31 - 1 - low) * 0.25;
    const syllable = 0.5 + 0.5 * Math.sin(2 * Math.PI * 4.3 * i / RATE);
    samples[i] = Math.round(12_000 * low * (0.2 + 0.8 * syllable));
  }
  return samples;
}

/** A tone of 1 kHz at a quarter of full scale, at 48 kHz: longer than a test, so that the file does not begin again in it. */
export function beepSamples(seconds = 60): Int16Array {
  return Int16Array.from(
    { length: seconds * RATE },
    (_, i) => Math.round(8_192 * Math.sin(2 * Math.PI * i / 48)),
  );
}

/** Writes samples as a WAV file, mono and 16 bits. Chromium plays it over and over, with some milliseconds of silence in between. */
export async function writeSound(path: string, samples: Int16Array): Promise<void> {
  const bytes = new Uint8Array(44 + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const text = (at: number, value: string): void => bytes.set(new TextEncoder().encode(value), at);
  text(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (let i = 0; i < samples.length; i++) view.setInt16(44 + i * 2, samples[i]!, true);
  await Deno.writeFile(path, bytes);
}
