/**
 * What a page and the client in its Worker say to each other. Types alone; everything can be cloned (HTML section 2.7).
 *
 * @module
 */

import type { AudioCodec, CallEnd, CallEvent, CallState, ClientStatus } from "../../client/mod.ts";
import type { WireError } from "./wire_error.ts";
import type { Port } from "../worklet/messages.ts";

/** What the page says to the Worker itself, once for each client. */
export interface Hello {
  /** Distinguishes it from messages of the page's own. */
  readonly telequick: "client";
  /** Everything else goes over this port. */
  readonly port: Port;
  readonly endpoint: string;
  /** A plain token; `undefined`: the page is asked for one. */
  readonly token: string | undefined;
  readonly hasLog: boolean;
  readonly options: unknown;
}

/** A request of the page: the method of a client, of a call (`sid`) or of a call's audio (`audio`), and its arguments. */
export interface Ask {
  readonly type: "ask";
  readonly id: number;
  readonly method: string;
  readonly sid?: string | undefined;
  readonly audio?: number | undefined;
  readonly arguments: readonly unknown[];
}

/** What the page says. */
export type ToWorker =
  | Ask
  /** No one waits for a request any more. */
  | { readonly type: "abort"; readonly id: number }
  /** The token that was asked for. */
  | { readonly type: "token"; readonly id: number; readonly token: Settled }
  /** Carry the audio of a call over a port. */
  | {
    readonly type: "audio";
    readonly id: number;
    readonly sid: string;
    readonly port: Port;
    readonly codec: AudioCodec;
    readonly sampleRate: number;
  }
  /** Another port takes the place of that audio's. */
  | { readonly type: "audio-port"; readonly id: number; readonly port: Port };

/** How something came out. */
export type Settled = { readonly value: unknown } | { readonly error: WireError };

/** What the Worker says. */
export type ToPage =
  /** The client is made, or cannot be. */
  | { readonly type: "hello"; readonly clientId: string; readonly error?: WireError | undefined }
  | { readonly type: "reply"; readonly id: number; readonly reply: Settled }
  | { readonly type: "status"; readonly status: ClientStatus }
  | { readonly type: "log"; readonly record: Readonly<Record<string, unknown>> }
  | { readonly type: "token"; readonly id: number; readonly reason: string }
  /** The token is not needed any more. */
  | { readonly type: "token-abort"; readonly id: number }
  | {
    readonly type: "event";
    readonly sid: string;
    readonly event: CallEvent;
    readonly state: CallState;
  }
  | { readonly type: "answered"; readonly sid: string; readonly reply: Settled }
  | {
    readonly type: "ended";
    readonly sid: string;
    readonly state: CallState;
    readonly reply: { readonly value: CallEnd } | { readonly error: WireError };
  }
  /** The audio of a call has ended. */
  | { readonly type: "audio-ended"; readonly id: number; readonly reply: Settled };
