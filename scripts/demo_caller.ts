// deno-lint-ignore-file no-console
/**
 * The caller of `demo.ts`: a tenant's own program, which knows the gateway only by its endpoint, its certificate's hash and the
 * service-account file that `TELEQUICK_CREDENTIALS` names.
 */

import { strict as assert } from "node:assert";
import { type Call, type CallEvent, TeleQuickClient, TeleQuickError } from "@telequick/sdk";
import { encodePcmu, toneSamples } from "@telequick/sdk/audio";

const FRAME_BYTES = 160;
const SECONDS = 3;

const startedAt = performance.now();
function tell(what: string, call = ""): void {
  const at = ((performance.now() - startedAt) / 1_000).toFixed(3).padStart(7);
  console.log(`${at} s  ${call.slice(0, 8).padEnd(8)}  ${what}`);
}

function required(name: string): string {
  const value = Deno.env.get(name);
  if (value === undefined) throw new Error(`Set ${name}: this program is started by demo.ts`);
  return value;
}

const tone = encodePcmu(
  toneSamples({ frequencyHz: 440, sampleRate: 8_000, milliseconds: SECONDS * 1_000 }),
);

/** Speaks the tone and reads what comes back, until as much has. */
async function echo(call: Call): Promise<{ sent: number; returned: number; lost: number }> {
  const link = call.audio({ codec: "PCMU" });
  const writer = link.writable.getWriter();
  const speaking = (async () => {
    for (let at = 0; at < tone.length; at += FRAME_BYTES) {
      await writer.ready;
      await writer.write(tone.subarray(at, at + FRAME_BYTES));
    }
    await writer.close();
  })();
  const heard = new Uint8Array(tone.length);
  let filled = 0;
  for await (const frame of link.readable) {
    const expected = tone.subarray(filled, filled + frame.payload.length);
    assert.deepEqual(frame.payload, expected, `Frame ${frame.sequenceNumber} came back changed`);
    heard.set(frame.payload, filled);
    filled += frame.payload.length;
    if (filled === tone.length) break;
  }
  await speaking;
  assert.equal(filled, tone.length, "Expected every byte back");
  assert.deepEqual(heard, tone);
  // The frame that says the end of the stream carries no audio.
  const { sent, received, lost } = link.stats();
  return { sent: sent - 1, returned: received, lost };
}

async function refusedOnForeignTrunk(client: TeleQuickClient): Promise<void> {
  await assert.rejects(
    client.dial({ to: "+15550100", trunkId: "globex-trunk" }),
    (error: unknown) => {
      assert(error instanceof TeleQuickError);
      assert.equal(error.code, "ERR_RPC_REJECTED");
      assert.equal(error.rpcCode, 1);
      tell(`refused: ${error.message}`);
      return true;
    },
    "Expected the trunk of another tenant to be refused",
  );
}

async function tellEvents(call: Call): Promise<readonly CallEvent[]> {
  const events: CallEvent[] = [];
  for await (const event of call.events()) {
    events.push(event);
    tell(`event ${event.eventType} ${event.status}`, call.sid);
  }
  return events;
}

await using client = new TeleQuickClient(
  required("TELEQUICK_ENDPOINT"),
  undefined,
  false,
  required("TELEQUICK_CERTIFICATE_HASH"),
);
const connectAt = performance.now();
await client.connect();
const connectMs = performance.now() - connectAt;
tell("signed in with the service account of acme");

const dialAt = performance.now();
const call = await client.dial({ to: "+15550100", trunkId: "acme-trunk" });
const roundTripMs = performance.now() - dialAt;
tell("dialled +15550100 on acme-trunk", call.sid);
const events = tellEvents(call);
await call.answered();

const { sent, returned, lost } = await echo(call);
tell(`${SECONDS} s of a 440 Hz tone came back byte for byte`, call.sid);
await refusedOnForeignTrunk(client);
await call.hangUp();
const end = await call.ended;
tell(`hung up: Q.850 ${end.q850Cause} (${end.cause}), ${end.durationSeconds} s`, call.sid);

assert.deepEqual(
  (await events).map((event) => event.eventType),
  [1, 1, 2, 3],
  "Expected the events of one answered call",
);
assert.equal(end.q850Cause, 16);
assert.equal(sent, SECONDS * 50);
assert.equal(returned, sent);
assert.equal(lost, 0);
console.log(
  `connect ${connectMs.toFixed(1)} ms, RPC round trip ${roundTripMs.toFixed(1)} ms, ` +
    `${sent} frames sent, ${returned} returned, ${lost} lost`,
);
