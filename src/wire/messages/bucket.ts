/**
 * Buckets: parked and queued calls (protocol.md section 5.6).
 *
 * @module
 */

import { i32, nested, optional, text, vector } from "../field.ts";
import { type Message, message } from "../message.ts";

/** A bucket. */
export interface BucketInfo {
  /** Its id. Default: `""`. */
  readonly bucketId: string;
  /** How many calls wait in it (int32). Default: 0. */
  readonly pendingCount: number;
}

/** A bucket. */
export const BucketInfo: Message<BucketInfo> = /* @__PURE__ */ message<BucketInfo>(
  "BucketInfo",
  () => ({
    bucketId: text,
    pendingCount: i32,
  }),
);

/** The tenant's buckets. */
export interface ListBucketsResponse {
  /** The buckets. Default: none. */
  readonly buckets: readonly BucketInfo[];
}

/** The tenant's buckets. Without buckets no field is written. */
export const ListBucketsResponse: Message<ListBucketsResponse> = /* @__PURE__ */ message<
  ListBucketsResponse
>("ListBucketsResponse", () => ({
  buckets: optional(vector(nested(BucketInfo))),
}));

/** Asks for the calls of a bucket. */
export interface BucketRequest {
  /** The bucket. Default: `""`. */
  readonly bucketId: string;
}

/** Asks for the calls of a bucket. */
export const BucketRequest: Message<BucketRequest> = /* @__PURE__ */ message<BucketRequest>(
  "BucketRequest",
  () => ({ bucketId: text }),
);

/** The calls of a bucket. */
export interface BucketCallList {
  /** The calls' ids in one text, which `parseCallSids` splits. Default: `""`. */
  readonly callSids: string;
}

/** The calls of a bucket. */
export const BucketCallList: Message<BucketCallList> = /* @__PURE__ */ message<BucketCallList>(
  "BucketCallList",
  () => ({ callSids: text }),
);

/** Splits the ids of a {@linkcode BucketCallList}. The separator is not published: commas and white space both separate. */
export function parseCallSids(callSids: string): readonly string[] {
  return callSids.split(/[,\s]+/).filter((sid) => sid !== "");
}

/** Acts on a bucket. */
export interface BucketActionRequest {
  /** The bucket. Default: `""`. */
  readonly bucketId: string;
  /** What to do (int32). The protocol publishes no numbers. Default: 0. */
  readonly action: number;
}

/** Acts on a bucket. */
export const BucketActionRequest: Message<BucketActionRequest> = /* @__PURE__ */ message<
  BucketActionRequest
>("BucketActionRequest", () => ({
  bucketId: text,
  action: i32,
}));

/** What the action came to. */
export interface BucketActionResponse {
  /** How many calls it reached (int32). Default: 0. */
  readonly processedCount: number;
}

/** What the action came to. */
export const BucketActionResponse: Message<BucketActionResponse> = /* @__PURE__ */ message<
  BucketActionResponse
>("BucketActionResponse", () => ({ processedCount: i32 }));
