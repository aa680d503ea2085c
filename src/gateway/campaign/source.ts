/**
 * Where a campaign's rows come from: a `data:` URL always, `http:`, `https:` and `file:` only where the gateway's owner has named them.
 *
 * @module
 */

import { decodeBase64 } from "../../base/base64.ts";
import { TeleQuickError } from "../../base/errors.ts";
import { type FetchPolicy, readUrl } from "../fetch_policy.ts";
import { readChunks } from "../storage/directory.ts";

/** Opens a campaign's text; each call reads it from its beginning. */
export type TextSource = (signal: AbortSignal) => AsyncIterable<Uint8Array>;

/**
 * Finds what a URL stands for.
 *
 * @returns `undefined` for a URL that is malformed or not one that this gateway fetches, the answer is the same for both.
 */
export function findSource(text: string, policy: FetchPolicy): TextSource | undefined {
  if (text.startsWith("data:")) {
    const bytes = readDataUrl(text);
    return bytes === undefined ? undefined : () => once(bytes);
  }
  const url = readUrl(text);
  if (url === undefined || !policy.allows(url)) return undefined;
  if (url.protocol === "file:") {
    return () => readChunks(decodeURIComponent(url.pathname), policy.folders);
  }
  return (signal) => download(url, signal);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** The bytes of a `data:` URL (RFC 2397). */
function readDataUrl(text: string): Uint8Array | undefined {
  const comma = text.indexOf(",");
  if (comma < 0) return undefined;
  const body = text.slice(comma + 1);
  if (text.slice(0, comma).endsWith(";base64")) return decodeBase64(body);
  return percentDecode(new TextEncoder().encode(body));
}

const PERCENT = 0x25;

function percentDecode(bytes: Uint8Array): Uint8Array | undefined {
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    let byte = bytes[i]!;
    if (byte === PERCENT) {
      const digits = String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0);
      if (!/^[0-9a-f]{2}$/i.test(digits)) return undefined;
      byte = parseInt(digits, 16);
      i += 2;
    }
    decoded[length++] = byte;
  }
  return decoded.subarray(0, length);
}

async function* download(url: URL, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const response = await fetch(url, { redirect: "manual", signal });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new TeleQuickError(
      "ERR_VALUE_INVALID",
      `Cannot fetch CSV: the server answered ${response.status}, expected 200`,
    );
  }
  yield* response.body;
}
