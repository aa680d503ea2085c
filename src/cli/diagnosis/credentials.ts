/**
 * The service-account file: path, mode, form, type and size of the key, tenant and key id.
 *
 * @module
 */

import { importSigner, loadServiceAccount } from "../../credentials/mod.ts";
import { KEY_ID, TENANT_ID } from "../../token/mod.ts";
import { inLine } from "../terminal/output.ts";
import { type DiagnosisInput, failed, type Finding } from "./finding.ts";

/** Checks the service account. */
export async function* checkCredentials(
  { credentials }: DiagnosisInput,
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
        fix: "Compare both with the console: a gateway can refuse them",
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
