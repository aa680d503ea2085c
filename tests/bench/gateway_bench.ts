import { generateServiceAccount, importSigner, signToken } from "../../mod.ts";
import { concatBytes } from "../../src/base/bytes.ts";
import { createGateway } from "../../src/gateway/mod.ts";
import { createSessionPair } from "../../src/transport/mod.ts";
import { AudioFrameEncoder, DialplanAction, methods } from "../../src/wire/mod.ts";
import { RawClient } from "../support/raw_client.ts";
import { readAll } from "./support/bare_echo.ts";
import { manyCalls } from "./support/echo_calls.ts";
import { startGatewayRig } from "./support/gateway_rig.ts";
import { LoopLag } from "./support/loop_lag.ts";
import {
  cpuMicroseconds,
  type Figure,
  pause,
  percentile,
  repeat,
  scenario,
} from "./support/scenario.ts";
import { FRAMES_PER_SECOND, PAYLOAD_BYTES } from "./support/talker.ts";
import type { TalkReport } from "./support/talk_process.ts";

const CALLS = 200;

for (const streams of ["call", "shared"] as const) {
  scenario({
    name: `gateway alone, ${CALLS} echo calls, streams: ${streams}`,
    async run({ full }) {
      await using rig = await startGatewayRig(CALLS, streams);
      const costs = { gateway: [] as number[], bytes: [] as number[] };
      const lag = new LoopLag();
      let report: TalkReport | undefined;
      for (let round = -1; round < (full ? 15 : 5); round++) {
        for (const to of ["gateway", "bytes"] as const) {
          const cpu = cpuMicroseconds();
          report = await rig.talk(to, 1);
          // What comes before the first round is for the compiler to learn from.
          if (round < 0) continue;
          costs[to].push((cpuMicroseconds() - cpu) / (CALLS * FRAMES_PER_SECOND));
        }
      }
      const lagMs = lag.stop();
      const gateway = percentile(costs.gateway, 0.5);
      const bytes = percentile(costs.bytes, 0.5);
      return [
        { what: "frames lost", value: report!.lost, unit: "", atMost: 0 },
        { what: "frame round trip, p99", value: report!.p99Ms, unit: "ms" },
        { what: "gateway's loop late by, p99", value: lagMs, unit: "ms", atMost: 20 },
        { what: "CPU per frame, the bytes alone", value: bytes, unit: "us" },
        { what: "CPU per frame, gateway", value: gateway, unit: "us" },
        { what: "gateway / the bytes alone", value: gateway / bytes, unit: "x" },
        {
          what: "calls that a core's time is enough for",
          value: Math.floor(1e6 / (gateway * FRAMES_PER_SECOND)),
          unit: "",
        },
      ];
    },
  });
}

scenario({
  name: "gateway alone, calls until the first frame is lost",
  fullOnly: true,
  async run() {
    const figures: Figure[] = [];
    for (let count = 800; count <= 2_000; count += 200) {
      await using rig = await startGatewayRig(count, "shared");
      await rig.talk("gateway", 1);
      const { lost, p99Ms } = await rig.talk("gateway", 5);
      figures.push({ what: `${count} calls, frame round trip, p99`, value: p99Ms, unit: "ms" });
      if (lost === 0) continue;
      figures.push({ what: `frames lost first at ${count} calls`, value: lost, unit: "" });
      break;
    }
    return figures;
  },
});

/** The gateway without a network: what the frames of a tick cost between the bytes that come and those that go. */
async function tickInMemory(ticks: number): Promise<number> {
  const gateway = createGateway({
    limits: { ...manyCalls, audioFramesPerSecond: 1e6, rpcsPerSecond: 1e6 },
  });
  const { account, publicKeyPem } = await generateServiceAccount({ tenantId: "acme" });
  const { tenantId, privateKeyId } = account;
  await gateway.publishServiceAccount({ tenantId, privateKeyId, publicKeyPem });
  await gateway.addTrunk({ tenantId, trunkId: "main", channelLimit: CALLS });
  const pair = createSessionPair();
  void gateway.serve(pair.incoming);
  const client = new RawClient(pair.client, { reads: false });
  await client.authenticate(await signToken(await importSigner(account)));
  let heard = 0;
  void readAll(pair.client.incomingUnidirectionalStreams, (stream) => {
    void readAll(stream, (chunk) => heard += chunk.length);
  });
  const callSids = Array.from({ length: CALLS }, () => crypto.randomUUID());
  await repeat(CALLS, 16, async (i) => {
    const call = {
      trunkId: "main",
      to: "+15550100",
      callSid: callSids[i]!,
      defaultApp: DialplanAction.LOOPBACK,
    };
    await client.rpc(methods.Originate, call);
  });
  await pause(500);
  const encoders = callSids.map((callSid) => new AudioFrameEncoder({ callSid, codec: "PCMU" }));
  const payload = new Uint8Array(PAYLOAD_BYTES);
  const uplink = await client.openAudio();
  const chunks = Array.from(
    { length: ticks },
    (_, number) => concatBytes(encoders.map((encoder) => encoder.encode(payload, number))),
  );
  const bytes = ticks * chunks[0]!.length;
  heard = 0;
  const cpu = cpuMicroseconds();
  for (const chunk of chunks) {
    await uplink.write(chunk);
    await pause(0);
  }
  while (heard < bytes) await pause(1);
  const cost = cpuMicroseconds() - cpu;
  client.close();
  await gateway.close();
  return cost / (ticks * CALLS);
}

scenario({
  name: `gateway's audio path, ticks of ${CALLS} calls in memory`,
  async run({ full }) {
    await tickInMemory(200);
    const costs: number[] = [];
    for (let round = 0; round < (full ? 30 : 12); round++) costs.push(await tickInMemory(300));
    return [{
      what: "CPU per frame, the least of the rounds",
      value: Math.min(...costs),
      unit: "us",
    }];
  },
});
