/**
 * `BootstrapOrg`: the first admin key of a new tenant, against a secret that works once.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { TENANT_ID } from "../../token/mod.ts";
import { type BootstrapOrgResponse, ErrorCode, methods } from "../../wire/mod.ts";
import { isUnavailable } from "../auth/admit.ts";
import { isStorageFailure } from "../storage/archive.ts";
import { RpcRefusal } from "../refusal.ts";
import { type Route, route } from "./route.ts";

/** `BootstrapOrg`. The secret is what authorises it: any session of a service account can ask. */
export const bootstrapRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.BootstrapOrg,
    scope: [],
    unchecked: ["adminPublicKeyPem"],
    async handle(request, { gateway, ids, principal }) {
      const { bootstrap, cluster, phones, registry, tenants, clock, log } = gateway;
      const { tenantId, adminPublicKeyPem: publicKeyPem, adminPrivateKeyId: privateKeyId } =
        request;
      // A page must never hold this secret: its guess is not compared.
      if (principal.kind === "browser") return notForBrowsers;
      if (cluster !== undefined) {
        try {
          if (await cluster.keyring.isBootstrapped()) bootstrap.isUsed = true;
        } catch (error) {
          return cannotBootstrap(error);
        }
      }
      if (!bootstrap.matches(request.bootstrapSecret, principal.tenantId)) {
        return refused("bootstrap secret invalid");
      }
      if (!TENANT_ID.test(tenantId)) return refused("tenant_id is malformed");
      // On the phones' tenant the calls of all tenants ring, also before the first of them does.
      const isPhones = tenantId === phones.tenantId;
      if (isPhones || registry.hasTenant(tenantId) || tenants.has(tenantId)) {
        return refused("tenant_id already exists");
      }
      // Used up in the same write that makes the key: no crash leaves both.
      bootstrap.isUsed = true;
      try {
        const key = { tenantId, privateKeyId, publicKeyPem, role: "admin" } as const;
        await registry.publish(key, [{ isBootstrapped: true }]);
      } catch (error) {
        bootstrap.isUsed = false;
        if (isUnavailable(error)) return cannotBootstrap(error);
        if (!(error instanceof TeleQuickError) || isStorageFailure(error)) throw error;
        // Errors about ids and limits have messages of their own; the rest are about the key.
        const isKey = error.code !== "ERR_VALUE_INVALID" && error.code !== "ERR_LIMIT";
        return refused(isKey ? "public_key_pem invalid" : error.message);
      }
      log("key.published", { ...ids, keyId: privateKeyId });
      return { status: "ok", tenantId, createdAtMs: clock.now() };
    },
  }),
];

const notForBrowsers = new RpcRefusal(
  ErrorCode.ERR_UNAUTHORIZED,
  "A browser token does not allow this",
);

/** While the store that gateways share does not answer, it is not known whether the secret is used up. */
function cannotBootstrap(error: unknown): RpcRefusal {
  if (!isUnavailable(error)) throw error;
  return new RpcRefusal(ErrorCode.ERR_RATE_LIMITED, "Cannot do this now");
}

function refused(errorMessage: string): Partial<BootstrapOrgResponse> {
  return { status: "error", errorMessage };
}
