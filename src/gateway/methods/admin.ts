/**
 * The admin API over the wire: keys, browser tokens, trunks. An admin token is good for its own tenant, on a session of that tenant.
 *
 * @module
 */

import { TeleQuickError } from "../../base/errors.ts";
import { verifyToken } from "../../token/mod.ts";
import { ErrorCode, methods, type TrunkRecord } from "../../wire/mod.ts";
import { cannotCheck, isUnavailable, verifyOptions } from "../auth/admit.ts";
import { isStorageFailure } from "../storage/archive.ts";
import { RpcRefusal } from "../refusal.ts";
import { unknownTrunk } from "./originate.ts";
import { isLive, type KeyEntry } from "../auth/key_entry.ts";
import { type Route, route, type RpcContext } from "./route.ts";
import { readTrunk } from "../tenant/trunk.ts";

/** The one answer for every admin token that is not good here. */
const notAdmin = new RpcRefusal(ErrorCode.ERR_UNAUTHORIZED, "admin_token is not accepted");

/** The answer while the store that gateways share does not answer: whether the change was made is not known, and repeating it is safe. */
const cannotChange = new RpcRefusal(ErrorCode.ERR_RATE_LIMITED, "Cannot change this now");

// A scope is for browsers; none of its words makes an administrator.
const scope = [] as const;

/** `PublishServiceAccount`, `RevokeServiceAccount`, `SessionAuth`, the trunk methods, and `ReloadCertificates`, which has nothing to load. */
export const adminRoutes: readonly Route<unknown, unknown>[] = [
  route({
    method: methods.PublishServiceAccount,
    scope,
    unchecked: ["publicKeyPem"],
    handle: (request, context) =>
      asAdmin(request, context, async () => {
        const { tenantId, privateKeyId, publicKeyPem, expiresAtMs } = request;
        const role = (request.role || "sdk") as "sdk";
        const options = { tenantId, privateKeyId, publicKeyPem, role, expiresAtMs };
        await context.gateway.registry.publish(options);
        context.gateway.log("key.published", { ...context.ids, keyId: privateKeyId });
        return {};
      }),
  }),
  route({
    method: methods.RevokeServiceAccount,
    scope,
    handle: (request, context) =>
      asAdmin(request, context, async () => {
        const { tenantId, privateKeyId } = request;
        await context.gateway.registry.revoke({ tenantId, privateKeyId });
        context.gateway.log("key.revoked", { ...context.ids, keyId: privateKeyId });
        return {};
      }),
  }),
  route({
    method: methods.SessionAuth,
    scope,
    handle: (request, context) =>
      asAdmin(request, context, (key) => context.gateway.issuers.issue(key, request)),
  }),
  route({ method: methods.AddTrunk, scope, handle: putTrunk }),
  route({
    method: methods.UpdateTrunk,
    scope,
    handle: (request, context) =>
      asAdmin(request, context, async () => {
        if (!context.tenant.trunks.has(request.trunkId)) return unknownTrunk;
        return await putTrunk(request, context);
      }),
  }),
  route({
    method: methods.RemoveTrunk,
    scope,
    handle: (request, context) =>
      asAdmin(request, context, async () => {
        const { tenant, gateway } = context;
        if (!tenant.trunks.has(request.trunkId)) return unknownTrunk;
        await tenant.trunks.change(request.trunkId, undefined, gateway.save);
        return {};
      }),
  }),
  route({
    method: methods.GetTrunk,
    scope,
    handle: (request, context) =>
      asAdmin(request, context, () => {
        const trunk = context.tenant.trunks.get(request.trunkId);
        // A password goes in and never out.
        return trunk === undefined ? unknownTrunk : { ...trunk, sipPassword: "" };
      }),
  }),
  route({
    method: methods.ReloadCertificates,
    scope,
    handle: () => ({
      status: "error",
      errorMessage: "This gateway reads no certificate files: it makes its certificates itself",
    }),
  }),
];

function putTrunk(
  request: TrunkRecord & { readonly adminToken: string },
  context: RpcContext,
): Promise<Record<string, never> | RpcRefusal> {
  return asAdmin(request, context, async () => {
    const { adminToken: _, ...trunk } = request;
    const { tenant, gateway } = context;
    const record = readTrunk({ ...trunk, tenantId: tenant.tenantId });
    await tenant.trunks.change(record.trunkId, record, gateway.save);
    return {};
  });
}

/** Runs `work` if the request's admin token is good for the session's tenant and the request names no other one. */
async function asAdmin<R>(
  request: { readonly adminToken: string; readonly tenantId?: string },
  context: RpcContext,
  work: (key: KeyEntry) => R | RpcRefusal | Promise<R | RpcRefusal>,
): Promise<R | RpcRefusal> {
  const { principal, session, gateway } = context;
  let key: KeyEntry | undefined;
  try {
    await verifyToken(request.adminToken, {
      ...verifyOptions(gateway, (found) => key = found),
      role: "admin",
    });
  } catch (error) {
    return isUnavailable(error) ? cannotCheck : notAdmin;
  }
  const { tenantId } = principal;
  const isOwn = key?.tenantId === tenantId && (request.tenantId ?? tenantId) === tenantId;
  if (isOwn && gateway.registry.doubt(key!) !== undefined) return cannotCheck;
  // Either can have been revoked while the signature was checked.
  if (!isOwn || !isLive(key!, gateway.clock.now()) || !session.isLive) return notAdmin;
  try {
    return await work(key!);
  } catch (error) {
    if (isUnavailable(error)) return cannotChange;
    if (!(error instanceof TeleQuickError) || isStorageFailure(error)) throw error;
    return new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, error.message);
  }
}
