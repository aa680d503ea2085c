/**
 * The service-account file: found, mode, shape, the key's kind and size, the names in it.
 *
 * @module
 */

import { importSigner, loadServiceAccount } from "../../credentials/mod.ts";
import { KEY_ID, TENANT_ID } from "../../token/mod.ts";
import { inLine } from "../terminal/output.ts";
import { failed, type Finding, type Patient } from "./finding.ts";

/** Looks at the service account. */
export async function* checkCredentials(
  { credentials }: Patient,
): AsyncGenerator<Finding> {
  const warnings: string[] = [];
  try {
    const account = await loadServiceAccount(credentials, {
      onWarning: (message) => warnings.push(message),
    });
    const { key, keyId, tenantId } = await importSigner(account);
    const { modulusLength } = key.algorithm as RsaHashedKeyAlgorithm;
    for (const found of warnings) yield { check: "credentials", level: "warning", found };
    if (!TENANT_ID.test(tenantId) || !KEY_ID.test(keyId)) {
      yield {
        check: "credentials",
        level: "warning",
        found: `tenant_id or private_key_id of ${JSON.stringify(credentials)} has an unusual form`,
        fix: "Compare both with what the console shows: a gateway may refuse them",
      };
    }
    yield {
      check: "credentials",
      level: "ok",
      found: `${JSON.stringify(credentials)}: tenant ${inLine(tenantId)}, key ${
        inLine(keyId)
      }, RSA of ${modulusLength} bits`,
    };
  } catch (error) {
    yield failed("credentials", error);
  }
}
