/**
 * Names of the causes of ITU-T Q.850.
 *
 * @module
 */

/** The meaning of each Q.850 cause that telephony gateways use (ITU-T Q.850 section 2.2.7). */
export const q850Causes: Readonly<Record<number, string>> = {
  1: "unallocated number",
  2: "no route to specified transit network",
  3: "no route to destination",
  6: "channel unacceptable",
  16: "normal call clearing",
  17: "user busy",
  18: "no user responding",
  19: "no answer from user",
  20: "subscriber absent",
  21: "call rejected",
  22: "number changed",
  26: "non-selected user clearing",
  27: "destination out of order",
  28: "invalid number format",
  29: "facility rejected",
  31: "normal, unspecified",
  34: "no circuit or channel available",
  38: "network out of order",
  41: "temporary failure",
  42: "switching equipment congestion",
  43: "access information discarded",
  44: "requested circuit or channel not available",
  47: "resource unavailable, unspecified",
  50: "requested facility not subscribed",
  55: "incoming calls barred",
  57: "bearer capability not authorized",
  58: "bearer capability not presently available",
  63: "service or option not available, unspecified",
  65: "bearer capability not implemented",
  69: "requested facility not implemented",
  79: "service or option not implemented, unspecified",
  81: "invalid call reference value",
  88: "incompatible destination",
  95: "invalid message, unspecified",
  96: "mandatory information element is missing",
  97: "message type non-existent or not implemented",
  98: "message not compatible with call state",
  99: "information element non-existent or not implemented",
  100: "invalid information element contents",
  101: "message not compatible with call state",
  102: "recovery on timer expiry",
  111: "protocol error, unspecified",
  127: "interworking, unspecified",
};

/** A Q.850 cause in words, such as `"user busy"` for 17; `"no cause given"` for 0, `"unknown cause"` for others. */
export function describeQ850Cause(cause: number): string {
  if (cause === 0) return "no cause given";
  return q850Causes[cause] ?? "unknown cause";
}
