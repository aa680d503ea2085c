import { onOneLine } from "../base/text/control.ts";
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
  /** How many attempts in a row have failed at this endpoint, this one included. Default: 1. */
  readonly failures?: number;
}

/**
 * Turns what an implementation throws into a {@linkcode TeleQuickError}: the one place where that happens.
 * Implementations share no error class, so the fields and texts that were measured on each are looked at (src/transport/IMPLEMENTATIONS.md).
 *
 * @param error What was thrown. An error of ours comes back as it is.
 * @param context What was being done, and where to.
 * @returns `ERR_CONNECT_FAILED` while connecting (that is, with an endpoint), `ERR_SESSION_CLOSED` otherwise.
 */
export function fromTransport(error: unknown, context: FaultContext): TeleQuickError {
  if (error instanceof TeleQuickError) return error;
  const { action, endpoint } = context;
  if (endpoint !== undefined) {
    const { pinned = false, failures = 1 } = context;
    return connectFault(error, { endpoint, pinned, failures });
  }
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

/** Whether an error says that the peer's limit of concurrent streams is reached: Deno throws a `RangeError`, browsers a bare `NetworkError`. */
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
    `Cannot connect to ${
      endpointName(endpoint)
    }: nothing answered within ${timeoutMs} ms, ${ANSWER}`,
    { retryable: true },
  );
}

const FIRST_HTTP3_CODE = 0x52e4a40fa8db;
const LAST_HTTP3_CODE = 0x52e5ac983162;

/** Takes a code back from the range that WebTransport maps application codes into (draft-ietf-webtrans-http3-16 section 4.4). */
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

function connectFault(
  error: unknown,
  { endpoint, pinned, failures }: ConnectContext,
): TeleQuickError {
  const { message } = parts(error);
  // A foreign text may quote the URL, and a query may hold a token.
  const isOpen = endpoint.search === "";
  const text = isOpen ? message : message.replace(/\?\S*/g, "");
  const { text: pattern, found, retryable } = CAUSES.find((cause) => cause.text.test(text))!;
  const words = found(pattern.exec(text)!, { endpoint, pinned, failures });
  return new TeleQuickError(
    "ERR_CONNECT_FAILED",
    `Cannot connect to ${endpointName(endpoint)}: ${words}`,
    isOpen ? { cause: error, retryable } : { retryable },
  );
}

interface Cause {
  /** What the implementations' texts have in common. */
  readonly text: RegExp;
  /** What was found, and what to do. */
  readonly found: (match: RegExpExecArray, context: ConnectContext) => string;
  /** Whether trying again can help. */
  readonly retryable: boolean;
}

interface ConnectContext {
  readonly endpoint: URL;
  readonly pinned: boolean;
  readonly failures: number;
}

const ANSWER = "expected a WebTransport gateway (is it running, and does UDP reach it?)";
// A browser's refusals that come this often in a row with a pinned certificate have one cause nearly always.
const REPEATED = 3;

// The first whose text fits counts.
const CAUSES: readonly Cause[] = [
  {
    text: /^Requires net access to "([\w.:[\]-]+)"/,
    found: ([, address]) =>
      `this program is not allowed to reach it (run with: --allow-net=${address})`,
    retryable: false,
  },
  {
    text: /Content Security Policy/i,
    found: (_, { endpoint }) =>
      `the page's Content Security Policy forbids it, expected its directive connect-src to name ${endpoint.origin}`,
    retryable: false,
  },
  {
    text: /EMFILE|ENFILE|too many open files/i,
    found: () =>
      "this process has no file descriptor left, expected one for its socket (raise the limit with ulimit -n, or close what is open)",
    retryable: true,
  },
  {
    text: /certificate[^]*expired|certificate[^]*not ?valid ?yet/i,
    found: () =>
      "the gateway's certificate is out of date, expected a valid one (a self-signed one lives for 14 days at most: make a new one)",
    retryable: false,
  },
  {
    text:
      /invalid peer certificate|UnknownIssuer|CaUsedAsEndEntity|certificate verify failed|error 4[2-68]:/i,
    found: (_, { pinned }) =>
      pinned
        ? "the gateway's certificate has another SHA-256 than serverCertificateHash, expected the pinned one " +
          "(a restarted or renewed gateway has a new certificate: take its hash again)"
        : "the gateway's certificate is not trusted, expected one signed by a known authority " +
          "(for a self-signed one pass its SHA-256 as serverCertificateHash)",
    retryable: false,
  },
  {
    text: /expected 200, got: (?:Some\()?([5]\d\d|429)/i,
    found: ([, status]) => `the gateway answered with HTTP status ${status}, expected 200`,
    retryable: true,
  },
  {
    text: /expected 200, got: (?:Some\()?(\d{3})/i,
    found: ([, status]) => `the gateway answered with HTTP status ${status}, expected 200`,
    retryable: false,
  },
  {
    text: /offer no WebTransport/,
    found: () => "the server there has no WebTransport, expected a gateway",
    retryable: false,
  },
  { text: /ECONNREFUSED/, found: () => `nothing listens at its port, ${ANSWER}`, retryable: true },
  { text: /timed? ?out/i, found: () => `nothing answered, ${ANSWER}`, retryable: true },
  {
    text: /refused to accept/i,
    found: () => "the gateway refused the connection, expected it to be accepted",
    retryable: true,
  },
  {
    text:
      /invalid server name|dns|lookup|resolve|name or service|no address|ENETUNREACH|EHOSTUNREACH/i,
    found: ({ input }) =>
      `its host has no usable address (${
        clip(input)
      }), expected a name or an address that this runtime can reach`,
    retryable: true,
  },
  {
    // Chromium's words, and Firefox's.
    text: /opening handshake failed|WebTransport connection rejected/i,
    found: (_, { pinned, failures }) =>
      pinned && failures >= REPEATED
        ? `the handshake failed ${failures} times in a row, expected the gateway to accept it ` +
          "(browsers do not say why; with a pinned certificate it is most often the hash: a restarted or renewed gateway has a new one)"
        : "the handshake failed, expected the gateway to accept it " +
          "(browsers do not say why: not reachable, certificate out of date or its hash not accepted, or refused)",
    retryable: true,
  },
  {
    text: /(?:)/,
    found: () => "the session ended before it was ready, expected it to open",
    retryable: true,
  },
];

function isStreamFault(error: unknown): boolean {
  const { message, source } = parts(error);
  if (source !== undefined) return source === "stream";
  return /reset by peer|stopped by peer|STOP_SENDING|RESET_STREAM|ConnectionReset/i.test(message);
}

/** The code that a stream was or is to be given up with, by W3C's field or Deno's text; `undefined` where it is missing. */
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
