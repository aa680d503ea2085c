/**
 * Why a gateway refuses a request. See [the protocol](../PROTOCOL.md#7-constants).
 *
 * @module
 */

import type { NumberOf } from "../name_of.ts";

/** Why a request was refused: the values of `errorCode` fields. Unknown numbers are kept. */
export const ErrorCode = {
  /** It was not refused. */
  SUCCESS: 0,
  /** The trunk is unknown or belongs to another tenant. */
  ERR_INVALID_TRUNK: 1,
  /** `to` cannot be parsed or routed. */
  ERR_INVALID_DESTINATION: 2,
  /** The tenant's budget of calls per second is used up. */
  ERR_RATE_LIMITED: 3,
  /** The trunk is unhealthy and the gateway sheds load. */
  ERR_CIRCUIT_BREAKER: 4,
  /** The gateway failed. */
  ERR_INTERNAL_ERROR: 5,
  /** A field is not valid. */
  ERR_VALIDATION_FAILED: 6,
  /** The token is missing, expired or of another tenant. */
  ERR_UNAUTHORIZED: 7,
} as const;

/** One of the numbers of `ErrorCode`, or an unknown one. */
export type ErrorCode = NumberOf<typeof ErrorCode>;
