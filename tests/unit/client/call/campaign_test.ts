import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EventType, prepareCampaign } from "../../../../mod.ts";
import { clientSetup, hasCode } from "../../../support/client_kit.ts";

describe("prepareCampaign()", () => {
  it("gives each row an id, keeps other columns, and names what it leaves out by line", async () => {
    for (const by of [",", ";", "\t"]) {
      const text = [
        ["to", "name", "call_sid"],
        ["+15550100", '"Ann, jr"', "ann"],
        ["555", "Bob", ""],
        ["", "Cid", ""],
        ["+15550101", "Dan", "ann"],
        ["sip:eve@example.org", "Eve", ""],
        ["+15550102", "Fay", "bad id"],
      ].map((fields) => fields.join(by)).join("\r\n");
      const { csv, rows, skipped } = await prepareCampaign(text);
      assert.deepEqual(rows.map(({ line, to }) => [line, to]), [
        [2, "+15550100"],
        [6, "sip:eve@example.org"],
      ]);
      assert.equal(rows[0]!.callSid, "ann");
      assert.match(rows[1]!.callSid, /^[0-9a-f-]{36}$/);
      assert.deepEqual(csv.split("\r\n"), [
        "to,call_sid,name",
        '+15550100,ann,"Ann, jr"',
        `sip:eve@example.org,${rows[1]!.callSid},Eve`,
        "",
      ]);
      assert.deepEqual(skipped, [
        {
          line: 3,
          reason: 'to is "555", expected an E.164 number such as "+15550100" or a SIP URI',
        },
        { line: 4, reason: "to is empty" },
        { line: 5, reason: "call_sid ann is that of line 2" },
        {
          line: 7,
          reason: 'call_sid is "bad id", expected 1 to 128 of A-Z, a-z, 0-9 and ._:-',
        },
      ]);
    }
  });

  it("reads text as it comes, and takes the number that all rows have", async () => {
    async function* chunks(): AsyncGenerator<Uint8Array | string> {
      yield new TextEncoder().encode("na");
      yield "me\rAnn\rB";
      yield "ob";
    }
    const { rows } = await prepareCampaign(chunks(), { to: "+15550100" });
    assert.deepEqual(rows.map(({ line, to }) => [line, to]), [[2, "+15550100"], [3, "+15550100"]]);
  });

  it("says why a text is of no use", async () => {
    const why = (text: string, message: RegExp) =>
      assert.rejects(prepareCampaign(text), (error: Error) => {
        hasCode("ERR_VALUE_INVALID")(error);
        assert.match(error.message, message);
        return true;
      });
    await why("number;name\n+15550100;Ann", /no column "to": it has number, name/);
    await why("to\n", /a header row and no other/);
    await why("to\n1\n2\n", /no row that can be called: line 2: to is "1".*\(and 1 more\)/);
    await why("", /it is empty, expected a header row/);
    await assert.rejects(prepareCampaign(7 as unknown as string), TypeError);
  });

  it("makes a campaign that can be counted: every row ends once, also those that the trunk refuses", async () => {
    await using story = await clientSetup();
    const { client, setup } = story;
    const numbers = ["+15550101", "+15550103", "+15550108", "+15550109", "+15550105", "no number"];
    const { csv, rows, skipped } = await prepareCampaign(["to", ...numbers].join("\n"));
    assert.equal(skipped.length, 1);
    const left = new Map(rows.map((row) => [row.callSid, row]));
    const seen: string[] = [];
    const counting = (async () => {
      for await (const { callSid, eventType, status } of client.events()) {
        const row = left.get(callSid);
        if (row === undefined || eventType !== EventType.CHANNEL_HANGUP_COMPLETE) continue;
        seen.push(`${row.to} ${status}`);
        left.delete(callSid);
        if (left.size === 0) break;
      }
    })();
    const { loadedNumbers } = await client.originateBulk({
      csvUrl: `data:text/csv,${encodeURIComponent(csv)}`,
      campaignId: "spring",
      trunkId: "main",
      callsPerSecond: 10,
      clientId: client.clientId,
    });
    assert.equal(loadedNumbers, 5);
    await setup.clock.advance(10_000);
    await counting;
    assert.deepEqual(seen.sort(), [
      "+15550101 BUSY",
      "+15550103 FAILED",
      "+15550105 COMPLETED",
      "+15550108 FAILED",
      "+15550109 FAILED",
    ]);
  });
});
