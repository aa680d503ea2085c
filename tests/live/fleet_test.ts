import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InboundRule, TeleQuickClient } from "../../mod.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { testAccount } from "../support/tenant_kit.ts";

const WORKERS = 8;
const CALLS = 200;

describe("A fleet of workers over QUIC", () => {
  it("answers 200 calls once each, spread over 8 sessions; one worker drains meanwhile", async (t) => {
    await using gateway = createGateway();
    const { account, publicKeyPem } = await testAccount("acme");
    const { privateKeyId } = account;
    const [tenantId, trunkId] = ["acme", "main"];
    await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
    await gateway.addTrunk({ tenantId, trunkId, channelLimit: CALLS });
    const { endpoint, certificateHash } = await gateway.listen();
    const answers: { readonly callSid: string; readonly worker: number }[] = [];
    let onAnswer: () => void = () => {};
    const clients = Array.from({ length: WORKERS }, () => {
      return new TeleQuickClient(endpoint, account, { serverCertificateHash: certificateHash });
    });
    try {
      await clients[0]!.setInboundRouting({
        trunkId,
        rule: InboundRule.NOTIFY_AND_HANGUP,
        webhookUrl: "https://hooks.example/calls",
      });
      const services = clients.map((client, worker) =>
        client.serveInbound(trunkId, ({ callSid }) => {
          answers.push({ callSid, worker });
          onAnswer();
        }, { capacity: 50 })
      );
      const until = (count: number): Promise<void> =>
        new Promise((resolve) => {
          onAnswer = () => answers.length >= count && resolve();
          onAnswer();
        });
      for (let i = 0; i < CALLS / 2; i++) await gateway.simulateInboundCall({ tenantId, trunkId });
      await until(CALLS / 2);
      const drained = clients[0]!.drain({ deadlineMs: 1 });
      for (let i = 0; i < CALLS / 2; i++) await gateway.simulateInboundCall({ tenantId, trunkId });
      await until(CALLS);
      assert.equal(new Set(answers.map(({ callSid }) => callSid)).size, CALLS, "none twice");
      const { left } = await drained;
      const perWorker = clients.map((_, i) => answers.filter(({ worker }) => worker === i).length);
      assert.equal(left.length, perWorker[0], "what the drained worker had goes on");
      const missed = services.reduce((sum, service) => sum + service.stats().missed, 0);
      t.diagnostic(`${perWorker}, ${missed} refused`);
      assert.ok(Math.min(...perWorker.slice(1)) >= 12, `${perWorker}`);
      assert.ok(missed < CALLS, `${missed} answers were refused`);
    } finally {
      await Promise.all(clients.map((client) => client.close()));
    }
  });
});
