/**
 * Webhooks: verifies the signature of a request that the platform sent to your server, and types its payload.
 *
 * @example In any server with the Fetch API
 * ```ts
 * import { verifyWebhook } from "@telequick/sdk/webhook";
 *
 * export async function handle(request: Request): Promise<Response> {
 *   const webhook = await verifyWebhook(request, "the webhook's secret");
 *   console.log(webhook.event);
 *   return new Response(undefined, { status: 204 });
 * }
 * ```
 *
 * @module
 */

export { verifyWebhook } from "./verify.ts";
export type { VerifyWebhookOptions, WebhookHeaders } from "./verify.ts";
export type { IncomingCallWebhook, OtherWebhook, VoiceWebhook, Webhook } from "./payload.ts";
