/**
 * The browser's errors, turned into the SDK's: what happened, and the one thing to do.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";

/** The name of a DOMException, or of another thrown value. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}

/** Audio cannot be played or captured in this page at all. */
export function audioUnavailable(reason: string, cause?: unknown): TeleQuickError {
  return new TeleQuickError("ERR_AUDIO_UNAVAILABLE", `Cannot open audio: ${reason}`, { cause });
}

/**
 * Why `getUserMedia` rejected (W3C Media Capture and Streams section 10.3).
 *
 * @param error What it rejected with. Its message can be empty.
 * @param deviceId The microphone that was asked for, if a certain one was.
 */
export function microphoneFault(error: unknown, deviceId?: string): TeleQuickError {
  switch (nameOf(error)) {
    case "NotAllowedError":
    case "SecurityError":
      return denied(error);
    case "NotFoundError":
      return unavailable(
        "no microphone was found: connect one, or pass microphone: false to listen only",
        error,
      );
    case "OverconstrainedError":
      return unavailable(
        `no microphone has the id ${JSON.stringify(deviceId)}: choose one that devices() lists`,
        error,
      );
    case "NotReadableError":
    case "AbortError":
      return unavailable(
        "the device could not be started: close the program that uses it, then try again",
        error,
        true,
      );
  }
  return unavailable(`${String(error)}: choose another microphone`, error);
}

function denied(cause: unknown): TeleQuickError {
  const text = cause instanceof Error ? cause.message : "";
  const what = /dismiss/i.test(text)
    ? "the question for permission was dismissed: ask again in a click"
    : /system/i.test(text)
    ? "the operating system denied it: allow the browser to use the microphone in the system's privacy settings"
    : 'permission was denied: allow the microphone in the browser\'s settings of this site (in a frame, add allow="microphone")';
  return new TeleQuickError("ERR_MICROPHONE_DENIED", `Cannot open the microphone: ${what}`, {
    cause,
  });
}

function unavailable(reason: string, cause: unknown, retryable = false): TeleQuickError {
  return new TeleQuickError(
    "ERR_MICROPHONE_UNAVAILABLE",
    `Cannot open the microphone: ${reason}`,
    { cause, retryable },
  );
}
