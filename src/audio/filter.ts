/**
 * The low-pass filters of the resampler: windowed sinc, Kaiser window, cut into phases.
 *
 * @module
 */

// Half the filter's length, in samples of the lower rate: sets the width of the transition (a tenth of the lower rate). Even, so that
// the delay is a whole number of samples on both sides of every ratio, 3:2 included.
const HALF_LENGTH = 26;

// Kaiser's parameter for 82 dB: 0.1102 * (82 - 8.7).
const BETA = 8.08;

// Coefficients are multiples of 2^-22: with 16-bit samples every product and every sum is exact in a double, so the output depends
// neither on the order of summation nor on the last bit of an engine's sine.
const SCALE = 2 ** 22;

/** A low-pass filter between two rates, cut into one short filter per phase of the output. */
export interface PolyphaseFilter {
  /** Output samples for every `down` input samples. */
  readonly up: number;
  /** Input samples for every `up` output samples. */
  readonly down: number;
  /** How many input samples one output sample is made of. */
  readonly taps: number;
  /**
   * `taps` coefficients for each of the `up` phases, or of the table's, phase after phase, the oldest input sample's first; each phase
   * adds up to 1.
   */
  readonly coefficients: Float64Array;
  /** How many input samples an input sample is ahead of what it sounds like at the output: a whole number. */
  readonly inputDelay: number;
  /** The same delay in output samples: a whole number, rounded where `tablePhases` is set. */
  readonly outputDelay: number;
  /** Where coefficients are interpolated: how many rows an input sample has, the row that closes them not counted. */
  readonly tablePhases: number | undefined;
}

// Ratios with more phases than this share a table with this many, and coefficients between two rows are interpolated: more than 90 dB.
const TABLE_PHASES = 256;
// A larger one would need more memory for a table of its own than for the shared kind.
const LARGEST_EXACT = 6;

/** Designs the filter from a rate to `up / down` times that rate, the fraction in lowest terms. */
export function designFilter(up: number, down: number): PolyphaseFilter {
  const ratio = Math.max(up, down);
  // Among 8, 16, 24 and 48 kHz the delay is a whole number of samples on both sides.
  const isWhole = HALF_LENGTH * ratio % up === 0 && HALF_LENGTH * ratio % down === 0;
  return ratio <= LARGEST_EXACT && isWhole ? designExact(up, down) : designTable(up, down);
}

/**
 * The filter of any ratio: the same window and cut-off, at evenly spaced fractions of an input sample. Its last row is its first one,
 * a sample later, so that every fraction lies between two rows.
 */
function designTable(up: number, down: number): PolyphaseFilter {
  const cutOff = Math.min(1, up / down);
  const inputDelay = Math.ceil(HALF_LENGTH / cutOff);
  const taps = 2 * inputDelay;
  const coefficients = new Float64Array(taps * (TABLE_PHASES + 1));
  for (let phase = 0; phase <= TABLE_PHASES; phase++) {
    const row = coefficients.subarray(phase * taps, (phase + 1) * taps);
    for (let tap = 0; tap < taps; tap++) {
      const distance = phase / TABLE_PHASES + (taps - 1 - tap) - inputDelay;
      row[tap] = sinc(distance * cutOff) * kaiser(distance / inputDelay);
    }
    normalize(row);
  }
  const outputDelay = Math.round(inputDelay * up / down);
  return { up, down, taps, coefficients, inputDelay, outputDelay, tablePhases: TABLE_PHASES };
}

/**
 * Designs the filter of a ratio that is built of 1, 2, 3 and 6.
 *
 * It cuts off at half of the lower rate. As the sinc's zeros then fall on that rate's samples, going up by a whole number lets the
 * samples that came in stand among those that come out, unchanged.
 */
function designExact(up: number, down: number): PolyphaseFilter {
  const ratio = Math.max(up, down);
  const center = HALF_LENGTH * ratio;
  const taps = 2 * center / up;
  const coefficients = new Float64Array(taps * up);
  for (let phase = 0; phase < up; phase++) {
    const row = coefficients.subarray(phase * taps, (phase + 1) * taps);
    for (let tap = 0; tap < taps; tap++) {
      const distance = phase + (taps - 1 - tap) * up - center;
      row[tap] = sinc(distance / ratio) * kaiser(distance / center);
    }
    normalize(row);
  }
  const inputDelay = center / up;
  const outputDelay = center / down;
  return { up, down, taps, coefficients, inputDelay, outputDelay, tablePhases: undefined };
}

/** Scales a row to add up to exactly 1 in multiples of 1/SCALE: a constant comes out as the same constant, in every phase. */
function normalize(row: Float64Array): void {
  const sum = row.reduce((a, b) => a + b, 0);
  let left = SCALE;
  let peak = 0;
  for (let i = 0; i < row.length; i++) {
    const units = Math.round(row[i]! / sum * SCALE);
    row[i] = units / SCALE;
    left -= units;
    if (units > row[peak]! * SCALE) peak = i;
  }
  row[peak] = row[peak]! + left / SCALE;
}

function sinc(x: number): number {
  if (Number.isInteger(x)) return x === 0 ? 1 : 0;
  return Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x: number): number {
  return Math.abs(x) >= 1 ? 0 : besselI0(BETA * Math.sqrt(1 - x * x)) / besselI0(BETA);
}

/** The modified Bessel function of order zero, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  for (let term = 1, k = 1; term > sum * Number.EPSILON; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
