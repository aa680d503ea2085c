/**
 * Errors as people and programs see them: a sentence, the fix, an exit code. Never a stack.
 *
 * @module
 */

import { TeleQuickError, type TeleQuickErrorCode } from "../base/errors.ts";
import { redactSecrets } from "../base/text/redact.ts";
import { ErrorCode, nameOf } from "../wire/mod.ts";
import { errorCatalogue } from "../catalogue/mod.ts";
import { wireCatalogue } from "../catalogue/mod.ts";
import { Interrupted } from "./command.ts";
import { inLine, type Output } from "./terminal/output.ts";
import { wrap } from "./terminal/wrap.ts";
import { BrokenPipe } from "./platform.ts";
import { UsageError } from "./usage.ts";

/** Codes for errors of usage: exit code 2. */
const USAGE_CODES: readonly TeleQuickErrorCode[] = [
  "ERR_CREDENTIALS_NOT_FOUND",
  "ERR_CREDENTIALS_INVALID",
  "ERR_KEY_UNSUPPORTED",
  "ERR_ENDPOINT_INVALID",
  "ERR_TRANSPORT_UNAVAILABLE",
  "ERR_VALUE_INVALID",
  "ERR_TOKEN_INVALID",
  "ERR_TOKEN_LIFETIME",
];

// The exit code in shells for a program that SIGPIPE ended.
const BROKEN_PIPE = 141;

/** Reports an error. Returns the exit code. */
export function reportFailure(error: unknown, output: Output): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof BrokenPipe) return BROKEN_PIPE;
  const failure = describeFailure(error);
  const { bad, dim } = output.noteStyle;
  const lines = [`${bad("error:")} ${failure.message}`];
  if (failure.fix !== undefined) lines.push(`  fix: ${failure.fix}`);
  if (failure.more !== undefined) lines.push(`  ${dim(`more: ${failure.more}`)}`);
  const { more: _, ...record } = failure;
  const text = lines.map((line) => wrap(line, { columns: output.noteColumns, indent: 4 }));
  output.fail({ type: "error", ...record }, text.join("\n"));
  return failure.exitCode;
}

interface Failure {
  /** A code of ours, `USAGE`, or `UNEXPECTED`. */
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
  readonly retryable: boolean;
  readonly rpcCode?: number;
  readonly refusal?: string;
  readonly fix?: string;
  /** A command line with details. */
  readonly more?: string;
}

function describeFailure(error: unknown): Failure {
  if (error instanceof UsageError) {
    const { message, exitCode, command } = error;
    const more = command === undefined ? {} : { more: `telequick ${command} --help` };
    return { code: "USAGE", message: inLine(message), exitCode, retryable: false, ...more };
  }
  if (error instanceof TeleQuickError) return describeOurs(error);
  const { name, message } = error instanceof Error
    ? error
    : { name: "value", message: String(error) };
  if (name === "NotCapable") {
    return {
      code: "USAGE",
      message: `Cannot continue: a permission is missing (${inLine(message)})`,
      exitCode: 2,
      retryable: false,
    };
  }
  // Errors of ours hold no secret; an unexpected one could.
  return {
    code: "UNEXPECTED",
    message: `Unexpected ${name}: ${redactSecrets(inLine(message))}`,
    fix: "This is a bug in telequick: please report it with the command line",
    exitCode: 1,
    retryable: false,
  };
}

function describeOurs(error: TeleQuickError): Failure {
  const { code, retryable, rpcCode, refusal } = error;
  const message = inLine(error.message);
  return {
    code,
    message,
    exitCode: USAGE_CODES.includes(code) ? 2 : 1,
    retryable,
    ...(rpcCode !== undefined && { rpcCode }),
    ...(refusal !== undefined && { refusal }),
    ...fixOf(error, message),
    more: `telequick explain ${isRejected(code, rpcCode) ? `wire:${rpcCode}` : code}`,
  };
}

/** The catalogue's advice, unless the message has its own advice or says what was expected, which is more specific. */
function fixOf(
  { code, rpcCode, cause }: TeleQuickError,
  message: string,
): { readonly fix?: string } {
  if (cause instanceof Error && cause.name === "NotCapable") return { fix: "Start deno with -A" };
  if (isRejected(code, rpcCode)) {
    const name = nameOf(ErrorCode, rpcCode);
    return name === undefined ? {} : { fix: wireCatalogue[name].fix };
  }
  return /\)$|, expected /.test(message) ? {} : { fix: errorCatalogue[code].fix };
}

function isRejected(code: TeleQuickErrorCode, rpcCode: number | undefined): rpcCode is number {
  return code === "ERR_RPC_REJECTED" && rpcCode !== undefined;
}
