/**
 * The options of a gateway, checked and completed.
 *
 * @module
 */

import { TeleQuickError } from "../base/errors.ts";
import type { GatewayOptions } from "./options.ts";
import type { GatewayRules } from "./services.ts";

/** An empty secret is one that everyone knows, such as a variable of the environment that is not set. */
export function refuseEmpty({ webhookSecret, bootstrapSecret }: GatewayOptions): void {
  for (const [name, secret] of Object.entries({ webhookSecret, bootstrapSecret })) {
    if (secret !== "") continue;
    throw new TeleQuickError("ERR_VALUE_INVALID", `Cannot create gateway: ${name} is empty`);
  }
}

/** Keys are in one place. */
export function refuseTwoStores({ cluster, directory, storage }: GatewayOptions): void {
  if (cluster === undefined || (directory ?? storage) === undefined) return;
  const name = directory === undefined ? "storage" : "directory";
  throw new TeleQuickError(
    "ERR_VALUE_INVALID",
    `Cannot create gateway: cluster and ${name} are set, expected one of them`,
  );
}

/** How the gateway behaves where there is a choice. */
export function readRules(options: GatewayOptions): GatewayRules {
  return {
    sessionExpiry: options.sessionExpiry ?? "token",
    framedReplies: options.framedReplies ?? false,
    audience: options.audience,
    requireAudience: options.requireAudience ?? false,
    requireOrigin: options.requireOrigin ?? false,
    acceptQueryToken: options.acceptQueryToken ?? false,
  };
}
