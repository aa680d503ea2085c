/**
 * The ids in a service account, as a gateway accepts them.
 *
 * @module
 */

/** Tenant ids that a gateway accepts: lower-case ASCII letters, digits and inner hyphens, 1 to 63, so that no two look alike. */
export const TENANT_ID: RegExp = /^(?!-)[a-z0-9-]{0,62}[a-z0-9]$/;
/** Key ids that a gateway accepts: ASCII letters, digits, `.`, `_` and `-`, 1 to 128. */
export const KEY_ID: RegExp = /^[A-Za-z0-9._-]{1,128}$/;
