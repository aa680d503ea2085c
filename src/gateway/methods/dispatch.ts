/**
 * From a request's frame to the bytes of its reply, by the method table.
 *
 * @module
 */

import {
  encodeRefusal,
  encodeReply,
  encodeReplyInSteps,
  ErrorCode,
  type Frame,
  type Method,
  methodById,
} from "../../wire/mod.ts";
import { adminRoutes } from "./admin.ts";
import { bootstrapRoutes } from "./bootstrap.ts";
import { bucketRoutes } from "./buckets.ts";
import { bulkRoutes } from "./bulk.ts";
import { controlRoutes } from "./call_control.ts";
import { dialplanRoutes } from "./dialplan.ts";
import { RpcRefusal } from "../refusal.ts";
import { inboundRoutes } from "./inbound.ts";
import { count } from "../log.ts";
import { isPlainLongText, isPlainText } from "../validate.ts";
import { mediaRoutes } from "./allocate_wt.ts";
import { originateRoutes } from "./originate.ts";
import type { Route, RpcContext, RpcStream } from "./route.ts";
import type { Tenant } from "../tenant/tenant.ts";
import { superviseRoutes } from "./supervise.ts";

const routes: ReadonlyMap<Method<unknown, unknown>, Route<unknown, unknown>> = new Map(
  [
    ...[...originateRoutes, ...bulkRoutes, ...controlRoutes, ...dialplanRoutes],
    ...[...inboundRoutes, ...bucketRoutes, ...mediaRoutes, ...superviseRoutes],
    ...[...adminRoutes, ...bootstrapRoutes],
  ].map((route) => [route.method, route]),
);

/**
 * Answers a request.
 *
 * @param frame The request.
 * @param context Who asks.
 * @param stream The request's stream, for replies that are not the end of it.
 * @param isLimited Whether the session has used up its rate: then nothing is carried out.
 * @returns The reply's bytes; `undefined` when the method is unknown or the session is over.
 */
export async function answer(
  frame: Frame,
  context: RpcContext,
  stream: RpcStream,
  isLimited: boolean,
): Promise<Uint8Array | undefined> {
  const { gateway, session, tenant, ids } = context;
  const { counters, log, clock, limits, rules } = gateway;
  const method = methodById(frame.methodId);
  const route = method && routes.get(method);
  if (method === undefined || route === undefined) {
    counters.unknownMethod++;
    log("rpc.unknown", { ...ids, reason: `method id ${frame.methodId}` });
    return undefined;
  }
  // The session can have ended while its request was on the way: then nothing of it is carried out.
  if (!session.isLive) return undefined;
  const startedAt = clock.monotonic();
  const request = decode(frame, method);
  const done = request === undefined
    ? malformed
    : isLimited
    ? limited
    : await carryOut(route, request, context, stream);
  const options = { framed: rules.framedReplies };
  const reply = done instanceof RpcRefusal
    ? undefined
    : route.isLong
    ? await encodeInSlices(encodeReplyInSteps(method, done, options), tenant)
    : encodeReply(method, done, options);
  const size = reply?.length ?? 0;
  if (size > SHORT_REPLY_BYTES) tenant.work.spendBytes(size);
  const hasRoom = size <= SHORT_REPLY_BYTES || tenant.unreadBytes + size <= limits.unreadReplyBytes;
  const outcome = hasRoom ? done : unread;
  const isRefused = outcome instanceof RpcRefusal;
  count(counters.rpcs, method.name);
  if (isRefused) count(counters.rpcErrors, String(outcome.code));
  log("rpc.done", {
    ...ids,
    method: method.name,
    code: isRefused ? outcome.code : ErrorCode.SUCCESS,
    durationMs: clock.monotonic() - startedAt,
    ...(isRefused ? { reason: outcome.message } : {}),
  });
  if (!isRefused) return reply;
  const callSid = textField(request, "callSid");
  const refusal = { errorCode: outcome.code, errorMessage: outcome.message };
  return encodeRefusal(method, refusal, { callSid, timestampMs: clock.now() }, options);
}

// What has been done is always reported: only lists are longer, and a client can ask for those again.
const SHORT_REPLY_BYTES = 8 * 1024;

const malformed = new RpcRefusal(ErrorCode.ERR_VALIDATION_FAILED, "The request is malformed");
const limited = new RpcRefusal(ErrorCode.ERR_RATE_LIMITED, "Too many requests: slow down");
const unread = new RpcRefusal(
  ErrorCode.ERR_RATE_LIMITED,
  "Too many replies wait to be read: read them first",
);
const busy = new RpcRefusal(
  ErrorCode.ERR_RATE_LIMITED,
  "The tenant's budget for lists and campaign files is used up: ask again later",
);
const unscoped = new RpcRefusal(
  ErrorCode.ERR_UNAUTHORIZED,
  "The token's scope does not allow this",
);
const failed = new RpcRefusal(ErrorCode.ERR_INTERNAL_ERROR, "The gateway failed");

/** A list takes as long to encode as to collect: that is the tenant's work, too. */
function encodeInSlices(
  steps: Generator<void, Uint8Array>,
  tenant: Tenant,
): Promise<Uint8Array> {
  return tenant.work.run(async (slices) => {
    while (true) {
      const { done, value } = steps.next();
      if (done) return value;
      if (slices.isOver) await slices.next();
    }
  });
}

function decode(
  { envelope }: Frame,
  method: Method<unknown, unknown>,
): Readonly<Record<string, unknown>> | undefined {
  try {
    return method.request.decode(envelope) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

async function carryOut(
  route: Route<unknown, unknown>,
  request: Readonly<Record<string, unknown>>,
  context: RpcContext,
  stream: RpcStream,
): Promise<Record<string, unknown> | RpcRefusal> {
  const { session, gateway, ids } = context;
  if (route.scope !== undefined && !session.access.allowsAny(route.scope)) return unscoped;
  if (route.isLong && !context.tenant.work.hasRoom) return busy;
  const unfit = findUnfit(route, request);
  if (unfit !== undefined) {
    return new RpcRefusal(
      ErrorCode.ERR_VALIDATION_FAILED,
      `${unfit} is malformed: expected shorter text without control characters`,
    );
  }
  noteForeignTenant(request, context);
  try {
    return await route.handle(request, context, stream) as Record<string, unknown> | RpcRefusal;
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    gateway.log("rpc.failed", { ...ids, method: route.method.name, reason });
    return failed;
  }
}

// Fields that hold more than an id or a number does.
const LONG = /(?:Url|Args|Token|Secret)$/;

/** The first field with text that no id, number, URL or token is. */
function findUnfit(
  { unchecked = [] }: Route<unknown, unknown>,
  request: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, value] of Object.entries(request)) {
    if (unchecked.includes(name)) continue;
    const isFit = LONG.test(name) ? isPlainLongText : isPlainText;
    const texts = Array.isArray(value) ? value : [value];
    if (!texts.every((text) => typeof text !== "string" || isFit(text))) return name;
  }
  return undefined;
}

/** `tenant_id` in a request carries no authority; one that differs is only counted and logged. */
function noteForeignTenant(
  request: Readonly<Record<string, unknown>>,
  { principal, gateway, ids }: RpcContext,
): void {
  const claimed = textField(request, "tenantId") || textField(request, "templateTenantId");
  if (claimed === "" || claimed === principal.tenantId) return;
  gateway.counters.tenantMismatches++;
  gateway.log("tenant.mismatch", ids);
}

function textField(request: Readonly<Record<string, unknown>> | undefined, name: string): string {
  const value = request?.[name];
  return typeof value === "string" ? value : "";
}
