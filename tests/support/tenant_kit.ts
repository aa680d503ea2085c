import { testAccount as makeAccount } from "../../src/testing/accounts.ts";
import { importSigner, type ServiceAccount, type Signer } from "../../src/credentials/mod.ts";
import { createGateway, type Gateway, type GatewayOptions } from "../../src/gateway/mod.ts";
import type { Clock } from "../../src/base/signal.ts";
import { signToken, type SignTokenOptions } from "../../src/token/mod.ts";
import {
  createSessionPair,
  type SessionPair,
  type SessionPairOptions,
} from "../../src/transport/mod.ts";
import { methods } from "../../src/wire/mod.ts";
import { FakeClock, settle } from "../../src/testing/mod.ts";
import { RawClient } from "./raw_client.ts";

/** A service account with its halves. */
export interface TestAccount {
  readonly account: ServiceAccount;
  readonly publicKeyPem: string;
  readonly signer: Signer;
  readonly tenantId: string;
  readonly keyId: string;
}

const signers: Map<string, Promise<Signer>> = new Map();

/** A service account of a tenant, and its signer; the same `name` gives the same keys within a run. */
export async function testAccount(tenantId: string, name = "first"): Promise<TestAccount> {
  const keyId = `${tenantId}-${name}`;
  const { account, publicKeyPem } = await makeAccount(tenantId, keyId);
  const signer = signers.get(keyId) ?? importSigner(account);
  signers.set(keyId, signer);
  return { account, publicKeyPem, signer: await signer, tenantId, keyId };
}

/** A clock that moves only when a test says so. */
export interface TestClock extends Clock {
  /** How many timers are armed. */
  readonly pending: number;
  advance(ms: number): Promise<void>;
}

/** A gateway on a fake clock, with short cuts for tests. */
export class TestGateway<C extends TestClock = FakeClock> implements AsyncDisposable {
  readonly clock: C;
  readonly gateway: Gateway;
  /** How every served session ended up: resolves when it is over. */
  readonly served: Promise<void>[] = [];

  constructor(options: GatewayOptions & { readonly clock?: C } = {}) {
    this.clock = options.clock ?? new FakeClock() as Clock as C;
    this.gateway = createGateway({ seed: 1, ...options, clock: this.clock });
  }

  /** Registers a tenant's key and a trunk. */
  async addTenant(
    tenantId: string,
    options: {
      readonly name?: string;
      readonly role?: "sdk" | "admin";
      readonly trunkId?: string;
      readonly channelLimit?: number;
    } = {},
  ): Promise<TestAccount> {
    const account = await testAccount(tenantId, options.name);
    const { role = "sdk", trunkId = "main", channelLimit } = options;
    const { publicKeyPem, keyId: privateKeyId } = account;
    await this.gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem, role });
    await this.gateway.addTrunk({
      tenantId,
      trunkId,
      ...(channelLimit === undefined ? {} : { channelLimit }),
    });
    return account;
  }

  /** A token of an account, signed at the clock's time. */
  token(account: TestAccount, options: Omit<SignTokenOptions, "now"> = {}): Promise<string> {
    return signToken(account.signer, { now: this.clock.now(), ...options });
  }

  /** A session that has said nothing yet. */
  dial(options: SessionPairOptions & { readonly reads?: boolean } = {}): RawClient {
    return this.dialPair(options).client;
  }

  /** A session that has said nothing yet, and both its sides. */
  dialPair(
    options: SessionPairOptions & { readonly reads?: boolean } = {},
  ): { readonly client: RawClient; readonly pair: SessionPair } {
    const { reads = true, ...rest } = options;
    const pair = createSessionPair(rest);
    this.served.push(this.gateway.serve(pair.incoming));
    return { client: new RawClient(pair.client, { reads }), pair };
  }

  /** A session that is accepted, and subscribed when a client id is given. */
  async connect(
    account: TestAccount,
    options: SessionPairOptions & { readonly clientId?: string; readonly reads?: boolean } = {},
  ): Promise<RawClient> {
    const { clientId, ...rest } = options;
    const client = this.dial(rest);
    const reply = await client.authenticate(await this.token(account));
    if (reply?.status !== "OK") throw new Error(`not accepted: ${reply?.errorMessage}`);
    if (clientId !== undefined) await client.rpc(methods.StreamEvents, { clientId });
    return client;
  }

  /** Ends everything; the clock runs as long as the gateway needs it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.gateway.close();
    await settle();
    await this.clock.advance(1_000);
    await closing;
  }
}
