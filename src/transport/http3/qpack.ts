import { concatBytes } from "../../base/bytes.ts";

/** The parts of a request's header that a listener looks at; absent ones are `undefined`. */
export interface RequestHeader {
  readonly method: string | undefined;
  readonly protocol: string | undefined;
  readonly authority: string | undefined;
  readonly path: string | undefined;
  readonly origin: string | undefined;
  /** Sent by browsers that speak draft 02 and want to hear it back. */
  readonly draft02: string | undefined;
}

// The entries of the static table (RFC 9204 appendix A) that say something about a CONNECT request or its answer. All others are skipped.
const STATIC_TABLE: Readonly<Record<number, readonly [name: string, value: string]>> = {
  0: [":authority", ""],
  1: [":path", "/"],
  15: [":method", "CONNECT"],
  16: [":method", "DELETE"],
  17: [":method", "GET"],
  18: [":method", "HEAD"],
  19: [":method", "OPTIONS"],
  20: [":method", "POST"],
  21: [":method", "PUT"],
  24: [":status", "103"],
  25: [":status", "200"],
  26: [":status", "304"],
  27: [":status", "404"],
  28: [":status", "503"],
  63: [":status", "100"],
  64: [":status", "204"],
  65: [":status", "206"],
  66: [":status", "302"],
  67: [":status", "400"],
  68: [":status", "403"],
  69: [":status", "421"],
  70: [":status", "425"],
  71: [":status", "500"],
  90: ["origin", ""],
};
const AUTHORITY_INDEX = 0;
const PATH_INDEX = 1;
const METHOD_CONNECT_INDEX = 15;
const SCHEME_HTTPS_INDEX = 23;
const STATUS_INDEX = 24;
const MOST_FIELDS = 128;

// The Huffman code of RFC 7541 appendix B is canonical: the symbols of each length, in order, determine it.
// The symbols beyond 19 bits, and the others of 19, are not printable ASCII: a value that holds one is skipped.
const HUFFMAN: readonly (readonly [bits: number, symbols: string])[] = [
  [5, "012aceiost"],
  [6, " %-./3456789=A_bdfghlmnpru"],
  [7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, "&*,;XZ"],
  [10, '!"()?'],
  [11, "'+|"],
  [12, "#>"],
  [13, "\0$@[]~"],
  [14, "^}"],
  [15, "<`{"],
  [19, "\\"],
];
const LONGEST_CODE = 19;

interface Parsed<T> {
  readonly value: T;
  readonly end: number;
}

/**
 * Decodes the header of a request from a peer that was granted no dynamic table (RFC 9204 section 4.5).
 *
 * @returns `undefined` when it is malformed, refers to a dynamic table, repeats a field that is looked at, or has a pseudo-header that cannot be decoded.
 */
export function decodeRequestHeader(bytes: Uint8Array): RequestHeader | undefined {
  const found = decodeFields(bytes);
  return found && {
    method: found.get(":method"),
    protocol: found.get(":protocol"),
    authority: found.get(":authority"),
    path: found.get(":path"),
    origin: found.get("origin"),
    draft02: found.get("sec-webtransport-http3-draft02"),
  };
}

/** Decodes the status of a response; `undefined` when its header is malformed, as in {@linkcode decodeRequestHeader}, or lacks one. */
export function decodeStatus(bytes: Uint8Array): number | undefined {
  const status = decodeFields(bytes)?.get(":status");
  return status !== undefined && /^[1-5]\d\d$/.test(status) ? Number(status) : undefined;
}

function decodeFields(bytes: Uint8Array): ReadonlyMap<string, string | undefined> | undefined {
  const insertCount = readInteger(bytes, 0, 8);
  const base = insertCount && readInteger(bytes, insertCount.end, 7);
  if (insertCount?.value !== 0 || base === undefined) return undefined;
  const found = new Map<string, string | undefined>();
  let offset = base.end;
  for (let count = 0; offset < bytes.length; count++) {
    const field = count < MOST_FIELDS ? readField(bytes, offset) : undefined;
    if (field === undefined) return undefined;
    offset = field.end;
    const [name, value] = field.value;
    if (name === "") continue;
    const isPseudo = name.startsWith(":");
    // A path that cannot be read is not "/".
    if (isPseudo && value === undefined) return undefined;
    if (found.has(name) && (isPseudo || name === "origin")) return undefined;
    found.set(name, value);
  }
  return found;
}

/** What a CONNECT request says. */
export interface ConnectRequest {
  readonly protocol: string;
  readonly authority: string;
  readonly path: string;
}

/** Encodes the header of an extended CONNECT request to an `https` resource (RFC 9220 section 3, RFC 9204 section 4.5). */
export function encodeRequestHeader({ protocol, authority, path }: ConnectRequest): Uint8Array {
  const indexed = (index: number): Uint8Array => encodeInteger(index, 6, 0xc0);
  const named = (index: number, value: string): Uint8Array =>
    concatBytes([encodeInteger(index, 4, 0x50), encodeText(value, 7, 0)]);
  return concatBytes([
    Uint8Array.of(0, 0),
    indexed(METHOD_CONNECT_INDEX),
    indexed(SCHEME_HTTPS_INDEX),
    named(AUTHORITY_INDEX, authority),
    named(PATH_INDEX, path),
    encodeText(":protocol", 3, 0x20),
    encodeText(protocol, 7, 0),
  ]);
}

/** Encodes the header of a response: its status, and other fields as literals (RFC 9204 section 4.5). */
export function encodeResponseHeader(
  status: number,
  fields: Readonly<Record<string, string>> = {},
): Uint8Array {
  return concatBytes([
    Uint8Array.of(0, 0),
    encodeInteger(STATUS_INDEX, 4, 0x50),
    encodeText(String(status), 7, 0),
    ...Object.entries(fields).flatMap((
      [name, value],
    ) => [encodeText(name, 3, 0x20), encodeText(value, 7, 0)]),
  ]);
}

function encodeText(value: string, prefixBits: number, flags: number): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return concatBytes([encodeInteger(bytes.length, prefixBits, flags), bytes]);
}

function readField(
  bytes: Uint8Array,
  offset: number,
): Parsed<readonly [name: string, value: string | undefined]> | undefined {
  const first = bytes[offset]!;
  if ((first & 0xc0) === 0xc0) {
    const index = readInteger(bytes, offset, 6);
    return index && { value: STATIC_TABLE[index.value] ?? ["", ""], end: index.end };
  }
  if ((first & 0xd0) === 0x50) {
    const index = readInteger(bytes, offset, 4);
    const value = index && readText(bytes, index.end, 7);
    if (index === undefined || value === undefined) return undefined;
    return { value: [STATIC_TABLE[index.value]?.[0] ?? "", value.value], end: value.end };
  }
  if ((first & 0xe0) === 0x20) {
    const name = readText(bytes, offset, 3);
    const value = name && readText(bytes, name.end, 7);
    return value && { value: [name?.value ?? "", value.value], end: value.end };
  }
  return undefined;
}

/** A string literal: a Huffman flag before a length of `prefixBits` bits, then the bytes. */
function readText(
  bytes: Uint8Array,
  offset: number,
  prefixBits: number,
): Parsed<string | undefined> | undefined {
  const length = readInteger(bytes, offset, prefixBits);
  if (length === undefined) return undefined;
  const end = length.end + length.value;
  if (end > bytes.length) return undefined;
  const contents = bytes.subarray(length.end, end);
  const isHuffman = (bytes[offset]! & (1 << prefixBits)) !== 0;
  return { value: isHuffman ? decodeHuffman(contents) : latin1(contents), end };
}

/** An integer with a prefix (RFC 7541 section 5.1), below 2^28. */
function readInteger(
  bytes: Uint8Array,
  offset: number,
  prefixBits: number,
): Parsed<number> | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  const most = (1 << prefixBits) - 1;
  let value = first & most;
  let end = offset + 1;
  if (value < most) return { value, end };
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[end++];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end };
  }
  return undefined;
}

function encodeInteger(value: number, prefixBits: number, flags: number): Uint8Array {
  const most = (1 << prefixBits) - 1;
  if (value < most) return Uint8Array.of(flags | value);
  const bytes = [flags | most];
  let left = value - most;
  for (; left >= 0x80; left >>>= 7) bytes.push(0x80 | (left & 0x7f));
  return Uint8Array.from([...bytes, left]);
}

/** Decodes a Huffman-coded string; `undefined` when it is malformed or holds a rare symbol. */
export function decodeHuffman(bytes: Uint8Array): string | undefined {
  let text = "";
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = (code << 1) | ((byte >> bit) & 1);
      length++;
      const symbol = symbolOf(code, length);
      if (symbol !== undefined) {
        text += symbol;
        code = 0;
        length = 0;
      } else if (length > LONGEST_CODE) return undefined;
    }
  }
  // The rest is padding: fewer than eight bits, all ones (RFC 7541 section 5.2).
  return length < 8 && code === (1 << length) - 1 ? text : undefined;
}

function symbolOf(code: number, length: number): string | undefined {
  let first = 0;
  let before = 0;
  for (const [bits, symbols] of HUFFMAN) {
    if (bits > length) return undefined;
    first <<= bits - before;
    before = bits;
    if (bits === length) return symbols[code - first];
    first += symbols.length;
  }
  return undefined;
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
