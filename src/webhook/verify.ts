/**
 * The signature of a webhook: `t=<unix seconds>,v1=<hex>`, where the hex is the HMAC-SHA256 of `<t>.<body>` under the webhook's secret.
 *
 * @module
 */

import { concatBytes, decodeUtf8, encodeUtf8, isBytes } from "../base/bytes.ts";
import { TeleQuickError } from "../base/errors.ts";
import { counted } from "../base/operations.ts";
import { systemClock } from "../base/signal.ts";
import type { Webhook } from "./payload.ts";

/** The headers of a request: a `Headers` object, or a plain object with names in any case, as in Node. */
export type WebhookHeaders =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** Options of {@linkcode verifyWebhook}. */
export interface VerifyWebhookOptions {
  /** How far the signature's time can be from now, in seconds, in both directions. Default: 300. */
  readonly toleranceSeconds?: number;
  /** The present, in Unix milliseconds. Default: this machine's clock. */
  readonly now?: number | (() => number);
  /** The largest body that is read from a `Request`, in bytes. Default: 1,048,576. */
  readonly maxBodyBytes?: number;
}

// The platform's name, and that of its later brand.
const HEADERS = ["x-telequick-signature", "x-clutchcall-signature"] as const;
const MAX_HEADER_LENGTH = 4_096;
// While a secret is replaced there are two.
const MAX_SIGNATURES = 8;

/**
 * Verifies a webhook and returns its payload.
 *
 * @param request The request; its body must not have been read.
 * @param secret The webhook's secret, or several while it is being replaced.
 * @param options Tolerance, time, size limit.
 * @returns The payload.
 * @throws {TeleQuickError} `ERR_WEBHOOK_INVALID`: signature, time or body is not valid. Answer with status 400 and do nothing else.
 */
export function verifyWebhook(
  request: Request,
  secret: string | readonly string[],
  options?: VerifyWebhookOptions,
): Promise<Webhook>;
/**
 * Verifies a webhook whose body has been read already.
 *
 * @param body The raw body, exactly as received: text or bytes, not a parsed object.
 * @param headers The request's headers.
 * @param secret The webhook's secret, or several while it is being replaced.
 * @param options Tolerance and time.
 * @returns The payload.
 * @throws {TeleQuickError} `ERR_WEBHOOK_INVALID`: signature, time or body is not valid. Answer with status 400 and do nothing else.
 */
export function verifyWebhook(
  body: string | Uint8Array,
  headers: WebhookHeaders,
  secret: string | readonly string[],
  options?: VerifyWebhookOptions,
): Promise<Webhook>;
export async function verifyWebhook(
  input: Request | string | Uint8Array,
  second: WebhookHeaders | string | readonly string[],
  third?: string | readonly string[] | VerifyWebhookOptions,
  fourth?: VerifyWebhookOptions,
): Promise<Webhook> {
  const isRaw = typeof input === "string" || isBytes(input);
  if (!isRaw && !isRequest(input)) {
    throw new TypeError(
      `Cannot verify webhook: body is ${
        input === null ? "null" : typeof input === "object" ? "a parsed object" : typeof input
      }, expected the raw text or bytes, or a Request (in Express: express.raw({ type: "application/json" }))`,
    );
  }
  const headers = isRaw ? second as WebhookHeaders : input.headers;
  const secrets = secretsOf(isRaw ? third : second);
  const options = ((isRaw ? fourth : third) ?? {}) as VerifyWebhookOptions;
  const { toleranceSeconds = 300, now = systemClock.now, maxBodyBytes = 2 ** 20 } = options;
  checkNumber("toleranceSeconds", toleranceSeconds);
  checkNumber("maxBodyBytes", maxBodyBytes);

  const { seconds, signatures } = parseSignature(headerOf(headers));
  const present = (typeof now === "function" ? now() : now) / 1_000;
  checkNumber("now", present);
  const ageSeconds = Math.round(present - seconds);
  if (Math.abs(ageSeconds) > toleranceSeconds) {
    throw invalid(
      `its signature is from ${
        ageSeconds < 0 ? `${-ageSeconds} s in the future` : `${ageSeconds} s ago`
      }, expected at most ${toleranceSeconds} s (check this machine's clock; an old request can be a replay)`,
    );
  }
  const body = isRaw
    ? typeof input === "string" ? encodeUtf8(input) : input
    : await readBody(input, maxBodyBytes);
  const signed = concatBytes([encodeUtf8(`${seconds}.`), body]);
  if (!await matches(signed, signatures, secrets)) {
    throw invalid(
      "no v1 signature matches the body (compare the secret with the console's, and pass the body exactly as received)",
    );
  }
  return parsePayload(body);
}

function isRequest(value: unknown): value is Request {
  return typeof value === "object" && value !== null && "headers" in value &&
    typeof (value as Request).arrayBuffer === "function";
}

function secretsOf(given: unknown): readonly string[] {
  const secrets = Array.isArray(given) ? given : [given];
  if (secrets.length > 0 && secrets.every((one) => typeof one === "string" && one !== "")) {
    return secrets;
  }
  throw new TypeError(
    "Cannot verify webhook: secret is empty or not a string, expected the webhook's secret (is the environment variable set?)",
  );
}

function checkNumber(name: string, value: number): void {
  if (typeof value === "number" && value >= 0) return;
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot verify webhook: ${name} is ${String(value)}, expected a number of at least 0`,
  );
}

function headerOf(headers: WebhookHeaders): string {
  if (typeof headers !== "object" || headers === null) {
    throw new TypeError(
      "Cannot verify webhook: headers is missing, expected the request's headers",
    );
  }
  const values = typeof headers.get === "function"
    ? HEADERS.map((name) => (headers as Headers).get(name))
    : Object.entries(headers as Readonly<Record<string, unknown>>)
      .filter(([name]) => (HEADERS as readonly string[]).includes(name.toLowerCase()))
      .map(([, value]) => value);
  const found = values.filter((value) => value !== null && value !== undefined);
  const [value] = found;
  if (value === undefined) {
    throw invalid("it has no signature, expected the header X-TeleQuick-Signature");
  }
  if (found.length > 1 || typeof value !== "string" || value.length > MAX_HEADER_LENGTH) {
    throw invalid("its signature header is repeated or too long, expected it once");
  }
  return value;
}

interface Signature {
  readonly seconds: number;
  readonly signatures: readonly Uint8Array<ArrayBuffer>[];
}

function parseSignature(header: string): Signature {
  const times: number[] = [];
  const signatures: Uint8Array<ArrayBuffer>[] = [];
  for (const part of header.split(",")) {
    const [, name, value = ""] = /^\s*([a-z0-9]+)=(.*?)\s*$/.exec(part) ?? [];
    if (name === "t" && /^[0-9]{1,11}$/.test(value)) times.push(Number(value));
    else if (name === "v1" && /^[0-9a-fA-F]{64}$/.test(value)) signatures.push(decodeHex(value));
  }
  const [seconds] = times;
  if (seconds === undefined || times.length > 1) {
    throw invalid("its signature has no time, expected t=<unix seconds>,v1=<hex>");
  }
  if (signatures.length === 0 || signatures.length > MAX_SIGNATURES) {
    throw invalid(
      `its signature has ${signatures.length} v1 parts of 64 hex digits, expected 1 to ${MAX_SIGNATURES}`,
    );
  }
  return { seconds, signatures };
}

function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    { length: text.length / 2 },
    (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  if (request.bodyUsed) {
    throw new TypeError(
      "Cannot verify webhook: the request's body was read already, expected an unread request (or pass body, headers and secret)",
    );
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel().catch(() => {});
      throw invalid(`its body is larger than ${limit} bytes`);
    }
    chunks.push(value);
  }
  return concatBytes(chunks);
}

/** Checks every pair of signature and secret. WebCrypto compares in constant time (W3C WebCrypto section 31.4.2: HMAC verify). */
async function matches(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly Uint8Array<ArrayBuffer>[],
  secrets: readonly string[],
): Promise<boolean> {
  let isValid = false;
  for (const secret of secrets) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await counted(
      crypto.subtle.importKey("raw", encodeUtf8(secret), algorithm, false, ["verify"]),
    );
    for (const signature of signatures) {
      const isMatch = await counted(crypto.subtle.verify("HMAC", key, signature, signed));
      isValid ||= isMatch;
    }
  }
  return isValid;
}

function parsePayload(body: Uint8Array): Webhook {
  let payload: unknown;
  try {
    payload = JSON.parse(decodeUtf8(body));
  } catch {
    throw invalid("its body is not JSON in UTF-8");
  }
  const { event } = (payload ?? {}) as { readonly event?: unknown };
  if (typeof event !== "string") {
    throw invalid('its body has no event, expected a JSON object with a string "event"');
  }
  return payload as Webhook;
}

function invalid(found: string): TeleQuickError {
  return new TeleQuickError("ERR_WEBHOOK_INVALID", `Cannot verify webhook: ${found}`);
}
