import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { describe, it } from "node:test";
import { TeleQuickClient } from "../../mod.ts";
import { denoWebTransport } from "../../src/transport/deno/deno.ts";
import type { WebTransportConstructor } from "../../src/transport/mod.ts";
import { GatewayHost } from "../support/gateway_host.ts";
import { Watch } from "../support/watch.ts";

describe("A session over Deno's QUIC that was replaced", () => {
  it("leaves none of its objects behind: connection, session, streams, also under calls", async () => {
    await using host = await GatewayHost.start();
    const watch = new Watch();
    const { WebTransport: native } = globalThis as unknown as {
      WebTransport: WebTransportConstructor;
    };
    const { connectQuic } = Deno;
    let connections = 0;
    Deno.connectQuic = (async (options: Deno.ConnectQuicOptions<false>) => {
      const connection = await connectQuic(options);
      watch.note(`connection ${++connections}`, connection);
      return connection;
    }) as typeof connectQuic;
    try {
      await using client = new TeleQuickClient(host.endpoint, host.account, {
        serverCertificateHash: host.certificatePem,
        webTransport: watch.transport(denoWebTransport(native)),
      });
      await client.connect();
      for (let i = 0; i < 3; i++) {
        const call = await client.dial({ to: "+15550100", trunkId: "main" });
        await call.answered();
        call.audio().play(new Uint8Array(160 * 50 * 60));
      }
      for (let i = 0; i < 3; i++) await client.renew();
      await watch.closed(3);
      const old = async (): Promise<string[]> =>
        (await watch.left()).filter((what) => !/^(session|connection) 4/.test(what));
      // The runtime lets go of a connection when the peer has had the time to repeat itself.
      let left = await old();
      for (let i = 0; i < 50 && left.length > 0; i++) {
        await setTimeout(200);
        left = await old();
      }
      assert.deepEqual(left, []);
      assert.ok((await watch.left()).includes("session 4"), "the session in use is there");
    } finally {
      Deno.connectQuic = connectQuic;
    }
  });
});
