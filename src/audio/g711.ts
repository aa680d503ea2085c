/**
 * G.711: the 8-bit codes of PCMU (mu-law) and PCMA (A-law) to and from 16-bit linear samples.
 * Codes are as they travel, samples span the full 16-bit range (ITU-T G.711, RFC 3551 section 4.5.14).
 *
 * @module
 */

import { checkArray, fitTarget } from "./check.ts";

const MU_BIAS = 132;
const MU_CLIP = 32767 - MU_BIAS;

// Both laws are eight segments of sixteen steps, each segment with steps twice as wide as the one before.
function expandMuLaw(code: number): number {
  const bits = ~code;
  const magnitude = ((((bits & 15) << 3) + MU_BIAS) << ((bits >> 4) & 7)) - MU_BIAS;
  return (bits & 128) === 0 ? magnitude : -magnitude;
}

function expandALaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 15) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
  return (bits & 128) === 0 ? -magnitude : magnitude;
}

function compressMuLaw(sample: number): number {
  const sign = sample < 0 ? 128 : 0;
  const biased = Math.min(Math.abs(sample), MU_CLIP) + MU_BIAS;
  const segment = 24 - Math.clz32(biased);
  return ~(sign | (segment << 4) | ((biased >> (segment + 3)) & 15)) & 255;
}

// A-law has no zero: its decision values are symmetric about -0.5, so a negative sample is complemented, not negated.
function compressALaw(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4;
  const segment = Math.max(0, 28 - Math.clz32(magnitude));
  const step = (magnitude >> Math.max(0, segment - 1)) & 15;
  return ((sample < 0 ? 0 : 128) | (segment << 4) | step) ^ 0x55;
}

function expansion(expand: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => expand(code));
}

const muLawSamples = /* @__PURE__ */ expansion(expandMuLaw);
const aLawSamples = /* @__PURE__ */ expansion(expandALaw);

// One code per 16-bit sample, indexed by the sample's own bits: 64 KiB, filled when a law is first encoded.
let muLawCodes: Uint8Array | undefined;
let aLawCodes: Uint8Array | undefined;

function compression(compress: (sample: number) => number): Uint8Array {
  const codes = new Uint8Array(65536);
  for (let sample = -32768; sample < 32768; sample++) codes[sample & 0xffff] = compress(sample);
  return codes;
}

function decode<B extends ArrayBufferLike>(
  bytes: Uint8Array,
  into: Int16Array<B> | undefined,
  table: Int16Array,
  action: string,
): Int16Array<B> {
  checkArray(bytes, Uint8Array, action);
  const target = makeTarget(into, Int16Array, bytes.length, action) as Int16Array<B>;
  for (let i = 0; i < bytes.length; i++) target[i] = table[bytes[i]!]!;
  return target;
}

function encode<B extends ArrayBufferLike>(
  samples: Int16Array,
  into: Uint8Array<B> | undefined,
  table: Uint8Array,
  action: string,
): Uint8Array<B> {
  checkArray(samples, Int16Array, action);
  const target = makeTarget(into, Uint8Array, samples.length, action) as Uint8Array<B>;
  for (let i = 0; i < samples.length; i++) target[i] = table[samples[i]! & 0xffff]!;
  return target;
}

function makeTarget(
  into: Uint8Array | Int16Array | undefined,
  type: Uint8ArrayConstructor | Int16ArrayConstructor,
  length: number,
  action: string,
): Uint8Array | Int16Array {
  if (into === undefined) return new type(length);
  checkArray(into, type, action);
  return fitTarget(into, length, action);
}

/**
 * Decodes PCMU: one 16-bit sample per byte, exact to ITU-T G.711 (0x00 is -32124, 0x80 is 32124, 0x7f and 0xff are 0).
 *
 * @param bytes The codes as received, any number of them.
 * @param into Where the samples go; it must not share memory with `bytes`. Default: a fresh array.
 * @returns The samples: `into` itself, or the part of it that was written.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when `into` is too short.
 */
export function decodePcmu<B extends ArrayBufferLike = ArrayBuffer>(
  bytes: Uint8Array,
  into?: Int16Array<B>,
): Int16Array<B> {
  return decode(bytes, into, muLawSamples, "decode PCMU");
}

/**
 * Encodes PCMU: one byte per 16-bit sample, by the decision values of ITU-T G.711; samples beyond 32635 either way are clipped.
 * Every code but 0x7f (the second zero, which becomes 0xff) comes back from {@linkcode decodePcmu} unchanged.
 *
 * @param samples Linear samples at 8 kHz.
 * @param into Where the codes go; it must not share memory with `samples`. Default: a fresh array.
 * @returns The codes: `into` itself, or the part of it that was written.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when `into` is too short.
 */
export function encodePcmu<B extends ArrayBufferLike = ArrayBuffer>(
  samples: Int16Array,
  into?: Uint8Array<B>,
): Uint8Array<B> {
  return encode(samples, into, muLawCodes ??= compression(compressMuLaw), "encode PCMU");
}

/**
 * Decodes PCMA: one 16-bit sample per byte, exact to ITU-T G.711 (0x00 is -5504, 0x55 is -8, 0xd5 is 8).
 *
 * @param bytes The codes as received, any number of them.
 * @param into Where the samples go; it must not share memory with `bytes`. Default: a fresh array.
 * @returns The samples: `into` itself, or the part of it that was written.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when `into` is too short.
 */
export function decodePcma<B extends ArrayBufferLike = ArrayBuffer>(
  bytes: Uint8Array,
  into?: Int16Array<B>,
): Int16Array<B> {
  return decode(bytes, into, aLawSamples, "decode PCMA");
}

/**
 * Encodes PCMA: one byte per 16-bit sample, by the decision values of ITU-T G.711.
 * Every code comes back from {@linkcode decodePcma} unchanged.
 *
 * @param samples Linear samples at 8 kHz.
 * @param into Where the codes go; it must not share memory with `samples`. Default: a fresh array.
 * @returns The codes: `into` itself, or the part of it that was written.
 * @throws {TypeError} when an argument is not of its type.
 * @throws {TeleQuickError} `ERR_VALUE_INVALID` when `into` is too short.
 */
export function encodePcma<B extends ArrayBufferLike = ArrayBuffer>(
  samples: Int16Array,
  into?: Uint8Array<B>,
): Uint8Array<B> {
  return encode(samples, into, aLawCodes ??= compression(compressALaw), "encode PCMA");
}
