/**
 * Buckets: parked and queued calls.
 *
 * @module
 */

import { type FieldCodec, i32, nested, text, vector } from "../field.ts";
import { type Message, message, type ValueOf } from "../message.ts";
import { Empty } from "./call.ts";

/** Fields of {@linkcode BucketInfo}. */
export const bucketInfo = {
  /** Its id. Default: `""`. */
  bucketId: text,
  /** How many calls wait in it (int32). Default: 0. */
  pendingCount: i32,
} as const;

/** A bucket. */
export interface BucketInfo extends ValueOf<typeof bucketInfo> {}

/** A bucket. */
export const BucketInfo: Message<BucketInfo> = /* @__PURE__ */ message("BucketInfo", bucketInfo);

const bucketInfos: FieldCodec<readonly BucketInfo[]> = /* @__PURE__ */ vector(
  /* @__PURE__ */ nested(BucketInfo),
);

/** Fields of {@linkcode ListBucketsResponse}. */
export const listBucketsResponse = {
  /** The buckets. Default: none. */
  buckets: bucketInfos,
} as const;

/** The tenant's buckets. */
export interface ListBucketsResponse extends ValueOf<typeof listBucketsResponse> {}

/** The buckets of the tenant. The field is written only if there are any. */
export const ListBucketsResponse: Message<ListBucketsResponse> = /* @__PURE__ */ message(
  "ListBucketsResponse",
  listBucketsResponse,
  { optionalFrom: "buckets" },
);

/** Fields of {@linkcode BucketRequest}. */
export const bucketRequest = {
  /** The bucket. Default: `""`. */
  bucketId: text,
} as const;

/** Lists the calls of a bucket. */
export interface BucketRequest extends ValueOf<typeof bucketRequest> {}

/** Lists the calls of a bucket. */
export const BucketRequest: Message<BucketRequest> = /* @__PURE__ */ message(
  "BucketRequest",
  bucketRequest,
);

/** Fields of {@linkcode BucketCallList}. */
export const bucketCallList = {
  /** The calls' ids in one text, which `parseCallSids` splits. Default: `""`. */
  callSids: text,
} as const;

/** The calls of a bucket. */
export interface BucketCallList extends ValueOf<typeof bucketCallList> {}

/** The calls of a bucket. */
export const BucketCallList: Message<BucketCallList> = /* @__PURE__ */ message(
  "BucketCallList",
  bucketCallList,
);

/** Splits the ids of a {@linkcode BucketCallList}. The separator is not published: commas and white space both separate. */
export function parseCallSids(callSids: string): readonly string[] {
  return callSids.split(/[,\s]+/).filter((sid) => sid !== "");
}

/** Fields of {@linkcode BucketActionRequest}. */
export const bucketActionRequest = {
  /** The bucket. Default: `""`. */
  bucketId: text,
  /** The action (int32). Its numbers are not published. Default: 0. */
  action: i32,
} as const;

/** Acts on a bucket. */
export interface BucketActionRequest extends ValueOf<typeof bucketActionRequest> {}

/** Acts on a bucket. */
export const BucketActionRequest: Message<BucketActionRequest> = /* @__PURE__ */ message(
  "BucketActionRequest",
  bucketActionRequest,
);

/** Fields of {@linkcode BucketActionResponse}. */
export const bucketActionResponse = {
  /** How many calls it reached (int32). Default: 0. */
  processedCount: i32,
} as const;

/** The result of the action. */
export interface BucketActionResponse extends ValueOf<typeof bucketActionResponse> {}

/** The result of the action. */
export const BucketActionResponse: Message<BucketActionResponse> = /* @__PURE__ */ message(
  "BucketActionResponse",
  bucketActionResponse,
);

/** Lists the buckets. */
export const GetActiveBuckets = {
  name: "GetActiveBuckets",
  id: 2624504207,
  request: Empty,
  reply: ListBucketsResponse,
} as const;

/** Lists the calls of a bucket. */
export const GetBucketCalls = {
  name: "GetBucketCalls",
  id: 1217351135,
  request: BucketRequest,
  reply: BucketCallList,
} as const;

/** Acts on a bucket. */
export const ExecuteBucketAction = {
  name: "ExecuteBucketAction",
  id: 4030863293,
  request: BucketActionRequest,
  reply: BucketActionResponse,
} as const;
