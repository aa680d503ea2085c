/**
 * Service accounts of test tenants. Making an RSA key is slow, so each is made once in a program.
 *
 * @module
 */

import { generateServiceAccount, type ServiceAccount } from "../credentials/mod.ts";

/** A service account, and its key's public half. */
export interface TestAccount {
  readonly account: ServiceAccount;
  /** SPKI PEM. */
  readonly publicKeyPem: string;
}

const made: Map<string, Promise<TestAccount>> = new Map();

/** The account of a tenant; the same names give the same key for as long as the program runs. */
export function testAccount(tenantId: string, privateKeyId: string): Promise<TestAccount> {
  const name = `${tenantId}/${privateKeyId}`;
  let account = made.get(name);
  if (account === undefined) {
    account = generateServiceAccount({ tenantId, privateKeyId });
    made.set(name, account);
  }
  return account;
}
