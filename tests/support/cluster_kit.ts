import type { ClusterOptions, GatewayLogRecord, GatewayOptions } from "../../src/gateway/mod.ts";
import { FakeClock } from "../../src/testing/mod.ts";
import { signToken } from "../../src/token/mod.ts";
import { ErrorCode } from "../../src/wire/mod.ts";
import { type FaultyStore, faultyStores } from "./faulty_store.ts";
import type { RawClient } from "./raw_client.ts";
import { type TestAccount, TestGateway } from "./tenant_kit.ts";

/** Gateways on one store in memory, each with a view of its own that can fail, and one fake clock. */
export class TestCluster implements AsyncDisposable {
  readonly clock: FakeClock = new FakeClock();
  readonly views: FaultyStore[];
  readonly gateways: TestGateway[];
  readonly records: GatewayLogRecord[][];

  constructor(
    count: number,
    options: GatewayOptions & { readonly times?: Partial<ClusterOptions> } = {},
  ) {
    const { times, ...rest } = options;
    this.views = faultyStores(this.clock, count);
    this.records = this.views.map(() => []);
    this.gateways = this.views.map((store, i) =>
      new TestGateway({
        ...rest,
        clock: this.clock,
        cluster: { store, gatewayId: `gateway-${i}`, ...times },
        log: (record) => void this.records[i]!.push(record),
      })
    );
  }

  /** Resolves when all have read the store. */
  async ready(): Promise<this> {
    await Promise.all(this.gateways.map(({ gateway }) => gateway.ready));
    await this.clock.advance(0);
    return this;
  }

  /** What a gateway answers to a token, and the session. */
  async signIn(
    gateway: number,
    account: TestAccount,
    shown?: string,
  ): Promise<{ readonly outcome: string; readonly client: RawClient }> {
    const token = shown ?? await signToken(account.signer, { now: this.clock.now() });
    const client = this.gateways[gateway]!.dial();
    const reply = await client.authenticate(token);
    const outcome = reply?.status === "OK"
      ? "OK"
      : reply?.errorCode === ErrorCode.ERR_RATE_LIMITED
      ? "later"
      : `${reply?.errorMessage}`;
    return { outcome, client };
  }

  /** What a gateway answers to a token. */
  async outcome(gateway: number, account: TestAccount, shown?: string): Promise<string> {
    return (await this.signIn(gateway, account, shown)).outcome;
  }

  /** A key's token with a signature that is not the key's. */
  async forge(account: TestAccount): Promise<string> {
    const token = await signToken(account.signer, { now: this.clock.now() });
    return `${token.slice(0, token.lastIndexOf("."))}.${"A".repeat(342)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const view of this.views) {
      Object.assign(view, { state: "answers", before: () => {}, after: () => {} });
    }
    await this.clock.advance(3_000);
    for (const gateway of this.gateways) await gateway[Symbol.asyncDispose]();
  }
}
