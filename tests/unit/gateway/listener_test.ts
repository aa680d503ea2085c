import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createGateway, type GatewayLogRecord } from "../../../src/gateway/mod.ts";
import { settle } from "../../../src/testing/mod.ts";

/** Puts an endpoint in place of Deno's, whose port is lost when a test says so. */
function fakeEndpoint() {
  let lose!: (error: Error) => void;
  const lost = new Promise<never>((_, reject) => lose = reject);
  class Endpoint {
    readonly addr = { hostname: "127.0.0.1", port: 61_000 };
    listen = () => ({ incoming: () => lost });
    close(): void {
      lose(new Error("endpoint closed"));
    }
  }
  const native = Object.getOwnPropertyDescriptor(Deno, "QuicEndpoint")!;
  Object.defineProperty(Deno, "QuicEndpoint", { configurable: true, value: Endpoint });
  const restore = (): void => void Object.defineProperty(Deno, "QuicEndpoint", native);
  return { lose, [Symbol.dispose]: restore };
}

describe("GatewayListener", () => {
  it("has the loss of its port logged, and is closed as any other", async () => {
    using endpoint = fakeEndpoint();
    const records: GatewayLogRecord[] = [];
    await using gateway = createGateway({ log: (record) => records.push(record) });
    const listener = await gateway.listen();
    endpoint.lose(new Error("socket error"));
    await settle();
    assert.deepEqual(records.map(({ event, reason }) => [event, reason]), [
      ["gateway.listening", "https://127.0.0.1:61000"],
      ["gateway.port-lost", "https://127.0.0.1:61000: socket error"],
    ]);
    await listener.close();
  });

  it("does not take its own end for a loss", async () => {
    using _endpoint = fakeEndpoint();
    const events: string[] = [];
    await using gateway = createGateway({ log: ({ event }) => events.push(event) });
    const listener = await gateway.listen();
    await listener.close();
    await settle();
    assert.deepEqual(events, ["gateway.listening"]);
  });
});
