/**
 * Credentials: a service-account file in, a key that can only sign out.
 *
 * @module
 */

export {
  type GeneratedServiceAccount,
  generateServiceAccount,
  type GenerateServiceAccountOptions,
  keyThumbprint,
  parseServiceAccount,
  type ServiceAccount,
} from "./service_account.ts";
export { KEY_ID, TENANT_ID } from "./ids.ts";
export { loadServiceAccount, type LoadServiceAccountOptions } from "./load.ts";
export {
  exportModulus,
  importModulus,
  importSigner,
  type ImportSignerOptions,
  importVerifyingKey,
  type Signer,
} from "./key.ts";
