import { type ClientOptions, TeleQuickClient } from "../../../../mod.ts";
import type { GatewayOptions } from "../../../../src/gateway/mod.ts";
import { DialplanAction, methods } from "../../../../src/wire/mod.ts";
import type { RawClient } from "../../../support/raw_client.ts";
import { type TestAccount, TestGateway } from "../../../support/tenant_kit.ts";

/** The number that rings for the person. */
export const PHONE = "+15550120";

/** A gateway with a phone, a tenant `acme`, and sessions of the program and of the person's pages. */
export class PhoneKit extends TestGateway {
  acme!: TestAccount;

  static async make(options: GatewayOptions = {}): Promise<PhoneKit> {
    const kit = new PhoneKit({ phones: [PHONE], ...options } as GatewayOptions & { clock?: never });
    kit.acme = await kit.addTenant("acme");
    return kit;
  }

  /** A session of the program that dials. */
  program(): Promise<RawClient> {
    return this.connect(this.acme, { clientId: "program" });
  }

  /** A page that is the phone, turned on: connected by the phone's own token, and subscribed. */
  async page(clientId = "page"): Promise<RawClient> {
    const client = this.dial();
    const { token } = await this.gateway.phones.token();
    const reply = await client.authenticate(token);
    if (reply?.status !== "OK") throw new Error(`not accepted: ${reply?.errorMessage}`);
    await client.rpc(methods.StreamEvents, { clientId });
    return client;
  }

  /** Dials, and returns what the refusal says; 0 for none. */
  async call(client: RawClient, callSid: string, to = PHONE): Promise<number> {
    const { reply } = await client.rpc(methods.Originate, {
      ...{ trunkId: "main", to, callSid, clientId: "program", callFrom: "+15550111" },
      defaultApp: DialplanAction.ANSWER,
    });
    return reply!.errorCode;
  }

  /** A client of the person's, connected as the phone. */
  async phoneClient(options: ClientOptions = {}): Promise<TeleQuickClient> {
    const token = async () => (await this.gateway.phones.token()).token;
    const client = new TeleQuickClient("https://gateway.test", token, true, {
      webTransport: this.gateway.webTransport,
      clock: this.clock,
      ...options,
    });
    await client.connect();
    return client;
  }
}

/** The id of the call that rings at a page. */
export function ringing(page: RawClient): string {
  const { callSid = "" } = page.events.find(({ status }) => status === "RINGING") ?? {};
  return callSid;
}

/** Answers the call that rings at a page. Returns its id. */
export async function answer(page: RawClient, clientId = "page"): Promise<string> {
  const callSid = ringing(page);
  const { reply } = await page.rpc(methods.AnswerIncomingCall, { callSid, clientId });
  if (reply?.status !== "ANSWERED") throw new Error(`not answered: ${reply?.errorMessage}`);
  return callSid;
}

/** What happened to a call: status and cause of each event. */
export function story(client: RawClient, callSid: string): string[] {
  return client.events.filter((event) => event.callSid === callSid)
    .map(({ status, q850Cause }) => q850Cause === 0 ? status : `${status} ${q850Cause}`);
}
