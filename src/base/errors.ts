/**
 * The one error class of the SDK and the codes it carries.
 *
 * @module
 */

/**
 * Every code a {@linkcode TeleQuickError} can carry. Codes are stable: switch on them, never on messages.
 */
export type TeleQuickErrorCode =
  | "ERR_CREDENTIALS_NOT_FOUND"
  | "ERR_CREDENTIALS_INVALID"
  | "ERR_KEY_UNSUPPORTED"
  | "ERR_TOKEN_INVALID"
  | "ERR_TOKEN_EXPIRED"
  | "ERR_TOKEN_LIFETIME"
  | "ERR_ENDPOINT_INVALID"
  | "ERR_TRANSPORT_UNAVAILABLE"
  | "ERR_CONNECT_FAILED"
  | "ERR_UNAUTHORIZED"
  | "ERR_SESSION_CLOSED"
  | "ERR_CALL_ENDED"
  | "ERR_TIMEOUT"
  | "ERR_RPC_REJECTED"
  | "ERR_WIRE_INVALID"
  | "ERR_VALUE_INVALID"
  | "ERR_RUNTIME_UNSUPPORTED"
  | "ERR_UNAVAILABLE"
  | "ERR_LIMIT"
  | "ERR_MICROPHONE_DENIED"
  | "ERR_MICROPHONE_UNAVAILABLE"
  | "ERR_AUDIO_UNAVAILABLE"
  | "ERR_WEBHOOK_INVALID";

/**
 * Why a gateway refused a token, with `ERR_UNAUTHORIZED`. Everything that is not one of the first four is `"rejected"`, so that a refusal
 * does not reveal whether a tenant or a key exists.
 */
export type RefusalReason = "expired" | "not yet valid" | "lifetime" | "revoked" | "rejected";

/** Options of the {@linkcode TeleQuickError} constructor. */
export interface TeleQuickErrorOptions {
  /** The error that led to this one. It never holds a key or a token. */
  readonly cause?: unknown;
  /** Whether the same action can succeed when it is tried again later. Default: `false`. */
  readonly retryable?: boolean;
  /** The gateway's own error code (a value of `ErrorCode`), with `ERR_RPC_REJECTED`. */
  readonly rpcCode?: number;
  /** Why the token was refused, with `ERR_UNAUTHORIZED`. */
  readonly refusal?: RefusalReason;
}

/** Marks the errors of every copy of the package: the registry of `Symbol.for` is one for all. */
const BRAND = Symbol.for("@telequick/sdk/TeleQuickError");

/**
 * What the SDK throws and rejects with when something is wrong with a value, a file, a token, a connection or a reply.
 * An argument of the wrong type is a `TypeError` instead, and an aborted wait rejects with the signal's reason.
 *
 * @example Tell errors apart by their code
 * ```ts
 * import { TeleQuickClient, TeleQuickError } from "@telequick/sdk";
 *
 * const client = new TeleQuickClient("https://127.0.0.1:9090", "service-account.json");
 * try {
 *   await client.connect();
 * } catch (error) {
 *   if (!(error instanceof TeleQuickError)) throw error;
 *   if (error.code === "ERR_CREDENTIALS_NOT_FOUND") console.error(error.message);
 * }
 * ```
 */
export class TeleQuickError extends Error {
  /**
   * Whether a value is a `TeleQuickError` of any copy of this package: a program can have loaded two, such as the npm package beside the
   * JSR package, or one copy in a worker's bundle.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== TeleQuickError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === "object" && value !== null && BRAND in value;
  }

  /** The class name, `"TeleQuickError"`. */
  override readonly name = "TeleQuickError";
  /** What went wrong, as a stable string. */
  declare readonly code: TeleQuickErrorCode;
  /** Whether the same action can succeed when it is tried again later. */
  declare readonly retryable: boolean;
  /** The gateway's own error code (a value of `ErrorCode`), with `ERR_RPC_REJECTED`. */
  declare readonly rpcCode: number | undefined;
  /** Why the token was refused, with `ERR_UNAUTHORIZED`. */
  declare readonly refusal: RefusalReason | undefined;

  /**
   * Makes an error.
   *
   * @param code What went wrong.
   * @param message The action, what was expected and what was found; sentence case, no full stop, no key and no token.
   * @param options The cause and the details that go with some codes.
   */
  constructor(code: TeleQuickErrorCode, message: string, options: TeleQuickErrorOptions = {}) {
    super(message, options);
    Object.defineProperty(this, BRAND, { value: true });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.rpcCode = options.rpcCode;
    this.refusal = options.refusal;
  }
}
