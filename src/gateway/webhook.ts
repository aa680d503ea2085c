/**
 * Informs a server of a call that waits, where the gateway's owner allows it.
 *
 * The request is a POST of a JSON object (`event`, `call_sid`, `call_from`, `trunk_id`, `tenant_id`, `timestamp_ms`). With a secret it carries
 * `X-TeleQuick-Signature: t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under the secret. A 2xx answer ends it; anything else is tried
 * again twice, after 1 and 2 seconds. Redirects are not followed.
 *
 * @module
 */

import { messageOf } from "../base/text/message.ts";
import { counted } from "../base/operations.ts";
import { encodeHex, encodeUtf8 } from "../base/bytes.ts";
import { sleep, within } from "../base/signal.ts";
import type { FetchPolicy } from "./fetch_policy.ts";
import type { GatewayServices } from "./services.ts";

/** Options of {@linkcode postWebhook}. */
export interface PostWebhookOptions {
  readonly tools: GatewayServices;
  readonly policy: FetchPolicy;
  /** Signs the body. No signature without one. */
  readonly secret: string | undefined;
  /** Ends it: the gateway closes. */
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 5_000;
const DELAYS_MS = [1_000, 2_000];

/** Posts a webhook. Never rejects: what came of it is in the log. */
export async function postWebhook(
  url: URL,
  body: Readonly<Record<string, string | number>>,
  options: PostWebhookOptions,
): Promise<void> {
  const { policy, tools, signal } = options;
  const { clock, log } = tools;
  const ids = { callSid: String(body["call_sid"]), tenantId: String(body["tenant_id"]) };
  if (!policy.allows(url)) {
    return log("webhook.failed", { ...ids, reason: "Its host is not in allowFetch" });
  }
  const text = JSON.stringify(body);
  const seconds = Math.floor(clock.now() / 1_000);
  try {
    const headers = new Headers({ "content-type": "application/json" });
    if (options.secret !== undefined) {
      const signature = await sign(`${seconds}.${text}`, options.secret);
      headers.set("x-telequick-signature", `t=${seconds},v1=${signature}`);
    }
    for (const delay of [...DELAYS_MS, undefined]) {
      const status = await attempt(url, { method: "POST", headers, body: text }, options);
      if (status >= 200 && status < 300) return log("webhook.sent", { ...ids, code: status });
      if (delay === undefined) return log("webhook.failed", { ...ids, code: status });
      await sleep(delay, { clock, signal });
    }
  } catch (error) {
    log("webhook.failed", { ...ids, reason: messageOf(error) });
  }
}

/** One request. Resolves with its status, 0 when there was no answer. Rejects when the gateway closes. */
async function attempt(url: URL, init: RequestInit, options: PostWebhookOptions): Promise<number> {
  const { signal, tools } = options;
  try {
    return await within(async (inner) => {
      const response = await fetch(url, { ...init, redirect: "manual", signal: inner });
      await response.body?.cancel();
      return response.status;
    }, {
      timeoutMs: TIMEOUT_MS,
      clock: tools.clock,
      signal,
      onTimeout: () => new Error("No answer"),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return 0;
  }
}

async function sign(text: string, secret: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await counted(
    crypto.subtle.importKey("raw", encodeUtf8(secret), algorithm, false, ["sign"]),
  );
  return encodeHex(
    new Uint8Array(await counted(crypto.subtle.sign("HMAC", key, encodeUtf8(text)))),
  );
}
