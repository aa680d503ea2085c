/**
 * Where a check asks for what its runtime cannot do, a page least of all: starting and ending gateways, signing tokens.
 *
 * @module
 */

import type { GatewayOrder } from "./gateway.ts";

/** A gateway that runs. */
export interface GatewayProcess {
  /** The desk's name for it. */
  readonly name: string;
  readonly endpoint: string;
  readonly certificateHash: string;
}

/** Which token is wanted. */
export interface TokenWish {
  /** Whose key signs: one that is registered, another that is, or one that is not. Default: `"first"`. */
  readonly key?: "first" | "second" | "forged";
  /** How long ago it was signed, in seconds. Default: 0. */
  readonly ageSeconds?: number;
}

/** Everything that can be asked of a desk, with what it answers. */
export interface DeskQuestions {
  /** Starts a gateway for the tenants acme and globex. */
  open: { ask: Record<string, never>; answer: GatewayProcess };
  /** Sends a gateway a command; answers with what it said. */
  tell: { ask: { readonly name: string } & GatewayOrder; answer: unknown };
  /** Kills a gateway without a word. */
  kill: { ask: { readonly name: string }; answer: string };
  /** Starts a killed gateway again, on the same port and with the same certificate. */
  restart: { ask: { readonly name: string }; answer: GatewayProcess };
  /** Signs a token of acme. */
  token: { ask: TokenWish; answer: string };
  /** The text of acme's service-account file. */
  account: { ask: Record<string, never>; answer: string };
  /** The endpoint of a UDP port where nothing listens. */
  closedPort: { ask: Record<string, never>; answer: string };
}

/** Asks a desk. */
export interface Desk {
  ask<Q extends keyof DeskQuestions>(
    question: Q,
    details: DeskQuestions[Q]["ask"],
  ): Promise<DeskQuestions[Q]["answer"]>;
}

/** The desk at an HTTP origin. */
export function deskAt(origin: string): Desk {
  return {
    async ask(question, details) {
      const response = await fetch(`${origin}/${question}`, {
        method: "POST",
        body: JSON.stringify(details),
      });
      if (!response.ok) throw new Error(`The desk cannot ${question}: ${await response.text()}`);
      return await response.json();
    },
  };
}
