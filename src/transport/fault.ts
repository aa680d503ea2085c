import { onOneLine } from "../base/control.ts";
import { TeleQuickError } from "../base/errors.ts";
import { endpointName } from "./endpoint.ts";

/** What streams fail with, with the fields of W3C's `WebTransportError` (section 9). */
export class TransportFault extends Error {
  /** The class name of W3C's error. */
  override readonly name = "WebTransportError";
  /** Whether one stream failed, or the session. */
  readonly source: "stream" | "session";
  /** The code that a stream was reset or stopped with. */
  readonly streamErrorCode: number | null;

  /** Makes a fault of a stream, with its code, or of the session, without. */
  constructor(message: string, streamErrorCode?: number) {
    super(message);
    this.source = streamErrorCode === undefined ? "session" : "stream";
    this.streamErrorCode = streamErrorCode ?? null;
  }
}

/** What is known when a foreign error is turned into ours. */
export interface FaultContext {
  /** What was being done, as in "Cannot ...": `"open a stream"`. */
  readonly action: string;
  /** Where to, while connecting. */
  readonly endpoint?: URL;
  /** Whether certificate hashes were given, while connecting. */
  readonly pinned?: boolean;
}

/**
 * Turns whatever an implementation throws into a {@linkcode TeleQuickError}: the one place where that happens.
 * Implementations share no error class, so the fields and texts that were measured on each are looked at (runtimes.md sections 4, 5 and 7).
 *
 * @param error What was thrown. An error of ours comes back as it is.
 * @param context What was being done, and where to.
 * @returns `ERR_CONNECT_FAILED` while connecting (that is, with an endpoint), `ERR_SESSION_CLOSED` otherwise.
 */
export function fromTransport(error: unknown, context: FaultContext): TeleQuickError {
  if (error instanceof TeleQuickError) return error;
  const { action, endpoint } = context;
  if (endpoint !== undefined) return connectFault(error, endpoint, context.pinned ?? false);
  const code = streamErrorCode(error);
  const found = isStreamFault(error)
    ? `the peer gave up the stream${
      code === undefined ? "" : ` (code ${code})`
    }, expected it to stay open`
    : "the session is over, expected it to be open";
  return new TeleQuickError("ERR_SESSION_CLOSED", `Cannot ${action}: ${found}`, {
    cause: error,
    retryable: true,
  });
}

/** Tells whether an error says that the peer's limit of concurrent streams is reached: Deno throws a `RangeError`, browsers a bare `NetworkError`. */
export function isStreamLimit(error: unknown): boolean {
  const { name, message } = parts(error);
  return /maximum number of concurrent|too many (?:open )?streams|streams? (?:limit|quota)/i.test(
    message,
  ) ||
    name === "QuotaExceededError" ||
    (name === "NetworkError" && /^failed to create \w+ stream/i.test(message));
}

/** The error of everything that is asked of a session that is over. */
export function sessionClosed(action: string, reason: string): TeleQuickError {
  const why = reason === "" ? "" : ` (${clip(reason)})`;
  return new TeleQuickError(
    "ERR_SESSION_CLOSED",
    `Cannot ${action}: the session is over${why}, expected it to be open`,
    { retryable: true },
  );
}

/** The error of a connect that took too long. */
export function connectTimeout(endpoint: URL, timeoutMs: number): TeleQuickError {
  return new TeleQuickError(
    "ERR_CONNECT_FAILED",
    `Cannot connect to ${endpointName(endpoint)}: nobody answered within ${timeoutMs} ms, ` +
      "expected a WebTransport gateway (is it running, and does UDP reach it?)",
    { retryable: true },
  );
}

const FIRST_HTTP3_CODE = 0x52e4a40fa8db;
const LAST_HTTP3_CODE = 0x52e5ac983162;

/** Takes a code back from the range that WebTransport maps application codes into (draft-ietf-webtrans-http3 section 4.4). */
export function applicationCode(code: number): number {
  if (code < FIRST_HTTP3_CODE || code > LAST_HTTP3_CODE) return code;
  const shifted = code - FIRST_HTTP3_CODE;
  return shifted - Math.floor(shifted / 0x1f);
}

/** The text of anything thrown, in one short line. */
export function faultText(error: unknown): string {
  const { message } = parts(error);
  return clip(message);
}

function connectFault(error: unknown, endpoint: URL, pinned: boolean): TeleQuickError {
  const { message } = parts(error);
  // A foreign text may quote the URL, and a query may hold a token.
  const isOpen = endpoint.search === "";
  const text = isOpen ? message : message.replace(/\?\S*/g, "");
  const [found, retryable] = connectCause(text, pinned);
  const options = isOpen ? { cause: error, retryable } : { retryable };
  return new TeleQuickError(
    "ERR_CONNECT_FAILED",
    `Cannot connect to ${endpointName(endpoint)}: ${found}`,
    options,
  );
}

function connectCause(message: string, pinned: boolean): [found: string, retryable: boolean] {
  const [, address] = /^Requires net access to "([\w.:[\]-]+)"/.exec(message) ?? [];
  if (address !== undefined) {
    return [`this program is not allowed to reach it (run with: --allow-net=${address})`, false];
  }
  if (/certificate[^]*expired|certificate[^]*not ?valid ?yet/i.test(message)) {
    return [
      "the gateway's certificate is out of date, expected a valid one (a self-signed one lives for 14 days at most: make a new one)",
      false,
    ];
  }
  if (
    /invalid peer certificate|UnknownIssuer|CaUsedAsEndEntity|certificate verify failed|error 4[2-68]:/i
      .test(message)
  ) {
    return pinned
      ? [
        "the gateway's certificate has another SHA-256 than serverCertificateHash, expected the pinned one " +
        "(a restarted or renewed gateway has a new certificate: take its hash again)",
        false,
      ]
      : [
        "the gateway's certificate is not trusted, expected one signed by a known authority " +
        "(for a self-signed one pass its SHA-256 as serverCertificateHash)",
        false,
      ];
  }
  const status = /expected 200, got: (?:Some\()?(\d{3})/i.exec(message)?.[1];
  if (status !== undefined) {
    return [
      `the gateway answered with HTTP status ${status}, expected 200`,
      status >= "500" || status === "429",
    ];
  }
  if (/timed? ?out/i.test(message)) {
    return [
      "nobody answered, expected a WebTransport gateway (is it running, and does UDP reach it?)",
      true,
    ];
  }
  if (/refused to accept/i.test(message)) {
    return ["the gateway refused the connection, expected it to be accepted", true];
  }
  if (/invalid server name|dns|lookup|resolve|name or service|no address/i.test(message)) {
    return [
      `its host has no usable address (${
        clip(message)
      }), expected a name or an address that this runtime can reach`,
      true,
    ];
  }
  if (/opening handshake failed/i.test(message)) {
    return [
      "the handshake failed, expected the gateway to accept it " +
      "(browsers do not say why: not reachable, certificate out of date or its hash not accepted, or refused)",
      true,
    ];
  }
  return ["the session ended before it was ready, expected it to open", true];
}

function isStreamFault(error: unknown): boolean {
  const { message, source } = parts(error);
  if (source !== undefined) return source === "stream";
  return /reset by peer|stopped by peer|STOP_SENDING|RESET_STREAM|ConnectionReset/i.test(message);
}

/** The code that a stream was or is to be given up with, by W3C's field or Deno's text; `undefined` where there is none. */
export function streamErrorCode(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  const { streamErrorCode: code } = error as { streamErrorCode?: unknown };
  if (typeof code === "number") return code;
  const raw = /(?:reset|stopped) by peer: error (\d+)/.exec(parts(error).message)?.[1];
  return raw === undefined ? undefined : applicationCode(Number(raw));
}

function parts(error: unknown): { name: string; message: string; source: unknown } {
  if (typeof error !== "object" || error === null) {
    return { name: "", message: String(error), source: undefined };
  }
  const { name, message, source } = error as {
    name?: unknown;
    message?: unknown;
    source?: unknown;
  };
  return { name: String(name ?? ""), message: String(message ?? ""), source };
}

function clip(text: string): string {
  const line = onOneLine(text);
  return line.length > 120 ? `${line.slice(0, 119)}~` : line;
}
