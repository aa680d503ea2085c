/**
 * Rejections of the SDK that no program handled.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";

/** What was seen since the watch began. */
export interface RejectionWatch {
  /** The errors' messages. */
  readonly seen: readonly string[];
  /** Watches no longer. */
  stop(): void;
}

interface Scope {
  addEventListener?(type: string, listener: (event: { readonly reason?: unknown }) => void): void;
  removeEventListener?(
    type: string,
    listener: (event: { readonly reason?: unknown }) => void,
  ): void;
}

const TYPE = "unhandledrejection";

/** Notes rejections where the runtime reports them as events; elsewhere the test runner fails by itself. What becomes of them is not changed. */
export function watchRejections(): RejectionWatch {
  const { addEventListener, removeEventListener } = globalThis as Scope;
  const seen: string[] = [];
  const note = ({ reason }: { readonly reason?: unknown }): void => {
    if (reason instanceof TeleQuickError) seen.push(reason.message);
  };
  addEventListener?.call(undefined, TYPE, note);
  return { seen, stop: () => removeEventListener?.call(undefined, TYPE, note) };
}
