/**
 * The protocol's methods as they are, request and reply: one method of the client each.
 *
 * @module
 */

import {
  type AllocateWtResponse,
  type BucketInfo,
  type BulkResponse,
  DialplanAction,
  formatMute,
  formatSendDtmf,
  formatTransfer,
  type IncomingCallInfo,
  type Method,
  methods,
  type MuteOptions,
  parseCallSids,
  type SendDtmf,
} from "../../wire/mod.ts";
import {
  accepted,
  type BulkOptions,
  bulkRequest,
  checkObject,
  type InboundRoutingOptions,
  inboundRoutingRequest,
  required,
} from "./requests.ts";
import type { RequestOptions } from "./rpc.ts";

/** The key of the one function that the methods need: it sends a request and resolves with its reply. */
export const send: unique symbol = Symbol("send");

/** How a DTMF digit is sent. */
export type DtmfOptions = Omit<SendDtmf, "digit">;

/** What a direct media session is allocated for. */
export interface AllocateWtOptions {
  /** The call, after `dial` has resolved. */
  readonly callSid: string;
  /** Agent that will speak. Default: none. */
  readonly agentId?: string | undefined;
  /** Trunk of the call. Default: none. */
  readonly trunkId?: string | undefined;
  /** Realm of the media plane. Default: none. */
  readonly realm?: string | undefined;
}

/**
 * Every method of the protocol that asks once and is answered once. All take {@linkcode RequestOptions} last; all reject with
 * `TypeError` or `ERR_VALUE_INVALID` before a byte is sent, with `ERR_RPC_REJECTED` and the wire's `rpcCode` when the gateway
 * refuses, and with `ERR_TIMEOUT` or `ERR_SESSION_CLOSED` when no answer comes: the gateway may then still have carried it out.
 */
export abstract class ClientMethods {
  /** Sends a request on the open session. */
  abstract [send]<Q, R>(
    method: Method<Q, R>,
    request: Partial<Q>,
    options?: RequestOptions,
  ): Promise<R>;

  /** Hangs up a call of the tenant (Q.850 cause 16). A call of another tenant is refused as one that does not exist. */
  async terminate(callSid: string, options?: RequestOptions): Promise<void> {
    required("hang up", "callSid", callSid);
    accepted("hang up", await this[send](methods.Terminate, { callSid }, options));
  }

  /** Cuts what the gateway is playing to a call's far end now: barge-in by hand. */
  async barge(callSid: string, options?: RequestOptions): Promise<void> {
    required("barge in", "callSid", callSid);
    await this[send](methods.Barge, { callSid }, options);
  }

  /**
   * Subscribes this session to the events of another instance's calls. The client's own subscription is made with every session.
   *
   * @param clientId The other instance's `clientId`. Default: `""`, every call of the tenant.
   */
  async streamEvents(clientId = "", options?: RequestOptions): Promise<void> {
    if (clientId !== "") required("subscribe to events", "clientId", clientId);
    await this[send](methods.StreamEvents, { clientId }, options);
  }

  /**
   * Starts a campaign: the gateway fetches a CSV file of numbers and dials them, paced.
   *
   * @returns The gateway's status, and how many rows it accepted.
   */
  async originateBulk(bulk: BulkOptions, options?: RequestOptions): Promise<BulkResponse> {
    return await this[send](methods.OriginateBulk, bulkRequest(bulk), options);
  }

  /** Drops what a campaign has not dialled yet; its live calls finish. */
  async abortBulk(campaignId: string, options?: RequestOptions): Promise<BulkResponse> {
    required("abort campaign", "campaignId", campaignId);
    return await this[send](methods.AbortBulk, { campaignId }, options);
  }

  /** Says what becomes of calls that come in on a trunk. */
  async setInboundRouting(
    routing: InboundRoutingOptions,
    options?: RequestOptions,
  ): Promise<void> {
    await this[send](methods.SetInboundRouting, inboundRoutingRequest(routing), options);
  }

  /** Calls that wait on a trunk to be answered. A trunk that is not the tenant's is refused as one that does not exist. */
  async getIncomingCalls(
    trunkId: string,
    options?: RequestOptions,
  ): Promise<readonly IncomingCallInfo[]> {
    required("list incoming calls", "trunkId", trunkId);
    return (await this[send](methods.GetIncomingCalls, { trunkId }, options)).calls;
  }

  /** The tenant's buckets of parked and queued calls. */
  async getActiveBuckets(options?: RequestOptions): Promise<readonly BucketInfo[]> {
    return (await this[send](methods.GetActiveBuckets, {}, options)).buckets;
  }

  /** The ids of the calls in a bucket. */
  async getBucketCalls(bucketId: string, options?: RequestOptions): Promise<readonly string[]> {
    required("list bucket", "bucketId", bucketId);
    return parseCallSids(
      (await this[send](methods.GetBucketCalls, { bucketId }, options)).callSids,
    );
  }

  /**
   * Acts on a bucket.
   *
   * @param action What to do, an int32. The protocol publishes no numbers: ask the gateway's operator.
   * @returns How many calls were acted on.
   */
  async executeBucketAction(
    bucketId: string,
    action: number,
    options?: RequestOptions,
  ): Promise<number> {
    required("act on bucket", "bucketId", bucketId);
    const reply = await this[send](methods.ExecuteBucketAction, { bucketId, action }, options);
    return reply.processedCount;
  }

  /**
   * Runs a dialplan action on a live call.
   *
   * @param action A `DialplanAction`; `transfer`, `mute`, `hold` and `sendDtmf` are the usual ones with their grammar checked.
   * @param appArgs The action's arguments, in the grammar of the action (see `formatTransfer`, `formatMute`, `formatSendDtmf` of `@telequick/sdk/wire`). Default: none.
   */
  async executeDialplan(
    callSid: string,
    action: number,
    appArgs = "",
    options?: RequestOptions,
  ): Promise<void> {
    required("run dialplan action", "callSid", callSid);
    accepted(
      "run dialplan action",
      await this[send](methods.ExecuteDialplan, { callSid, action, appArgs }, options),
    );
  }

  /** Transfers a call to an E.164 number or a SIP URI (blind REFER, RFC 3515). */
  async transfer(callSid: string, target: string, options?: RequestOptions): Promise<void> {
    await this.executeDialplan(callSid, DialplanAction.TRANSFER, formatTransfer(target), options);
  }

  /** Silences what the far end hears. With `wire: true` the far end gets a re-INVITE too. */
  async mute(
    callSid: string,
    mute?: MuteOptions,
    options?: RequestOptions,
  ): Promise<void> {
    await this.executeDialplan(callSid, DialplanAction.MUTE, formatMute(mute), options);
  }

  /** Undoes `mute`; give the same `wire`. */
  async unmute(
    callSid: string,
    mute?: MuteOptions,
    options?: RequestOptions,
  ): Promise<void> {
    await this.executeDialplan(callSid, DialplanAction.UNMUTE, formatMute(mute), options);
  }

  /** Puts a call on hold. */
  async hold(callSid: string, options?: RequestOptions): Promise<void> {
    await this.executeDialplan(callSid, DialplanAction.HOLD, "", options);
  }

  /** Takes a call off hold. */
  async unhold(callSid: string, options?: RequestOptions): Promise<void> {
    await this.executeDialplan(callSid, DialplanAction.UNHOLD, "", options);
  }

  /**
   * Sends one DTMF digit.
   *
   * @param digit One of `0` to `9`, `*`, `#`.
   * @param dtmf `mode` `"rfc2833"` (default) or `"info"`, and `durationMs` of 40 to 4000 (default 200).
   */
  async sendDtmf(
    callSid: string,
    digit: string,
    dtmf?: DtmfOptions,
    options?: RequestOptions,
  ): Promise<void> {
    const appArgs = formatSendDtmf({ ...dtmf, digit });
    await this.executeDialplan(callSid, DialplanAction.SEND_DTMF, appArgs, options);
  }

  /** Allocates a direct WebTransport media session for a call. `mediaToken` is a secret. */
  async allocateWt(
    allocation: AllocateWtOptions,
    options?: RequestOptions,
  ): Promise<AllocateWtResponse> {
    checkObject("allocate media session", allocation, "`callSid`");
    const { callSid, agentId = "", trunkId = "", realm = "" } = allocation;
    required("allocate media session", "callSid", callSid);
    const request = { callSid, agentId, trunkId, realm };
    return accepted(
      "allocate media session",
      await this[send](methods.AllocateWt, request, options),
    );
  }
}
