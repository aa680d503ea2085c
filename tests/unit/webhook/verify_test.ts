import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { TeleQuickError } from "../../../src/base/errors.ts";
import { verifyWebhook } from "../../../src/webhook/mod.ts";
import { seed } from "../../support/seed.ts";

const secret = "whsec-test";
const now = 1_767_225_600_000;
const seconds = now / 1_000;
const body = JSON.stringify({
  event: "voice.call.incoming",
  call_sid: "0b9e6c1e-0000-4000-8000-000000000000",
  call_from: "+15550199",
  trunk_id: "main",
  tenant_id: "acme",
  timestamp_ms: now,
});

/** The signature as a sender makes it. */
function sign(text: string, key = secret, at = seconds): string {
  return `t=${at},v1=${createHmac("sha256", key).update(`${at}.${text}`).digest("hex")}`;
}

function headers(value: string): Record<string, string> {
  return { "X-TeleQuick-Signature": value };
}

async function refuses(promise: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof TeleQuickError, String(error));
    assert.equal(error.code, "ERR_WEBHOOK_INVALID");
    assert.match(error.message, message);
    assert.ok(!error.message.includes(secret));
    return true;
  });
}

describe("verifyWebhook()", () => {
  it("returns the payload of a valid request", async () => {
    const webhook = await verifyWebhook(body, headers(sign(body)), secret, { now });
    assert.equal(webhook.event, "voice.call.incoming");
    assert.deepEqual(webhook, JSON.parse(body));
  });

  it("takes bytes, a Headers object, a Request, and the header of the later brand", async () => {
    const bytes = new TextEncoder().encode(body);
    const value = sign(body);
    const request = (name: string) =>
      new Request("https://app.example/hook", { method: "POST", body, headers: { [name]: value } });
    const all = [
      verifyWebhook(bytes, new Headers(headers(value)), secret, { now }),
      verifyWebhook(body, { "x-clutchcall-signature": value }, secret, { now }),
      verifyWebhook(request("x-telequick-signature"), secret, { now: () => now }),
      verifyWebhook(request("X-Clutchcall-Signature"), [secret], { now }),
    ];
    for (const webhook of await Promise.all(all)) assert.deepEqual(webhook, JSON.parse(body));
  });

  it("accepts several secrets and several signatures while a secret is replaced", async () => {
    const both = `${sign(body, "old")},v1=${sign(body, "new").split("v1=")[1]}`;
    for (const secrets of ["old", "new", ["other", "new"]]) {
      assert.ok(await verifyWebhook(body, headers(both), secrets, { now }));
    }
    await refuses(
      verifyWebhook(body, headers(both), ["other"], { now }),
      /no v1 signature matches/,
    );
  });

  it("ignores parts with other names, and white space around parts", async () => {
    const value = `v0=abc, ${sign(body).replace(",", " , ")} , x=`;
    assert.ok(await verifyWebhook(body, headers(value), secret, { now }));
  });

  it("accepts times within the tolerance in both directions, and no others", async () => {
    for (const offset of [-300, 0, 300]) {
      const value = sign(body, secret, seconds + offset);
      assert.ok(await verifyWebhook(body, headers(value), secret, { now }), `${offset}`);
    }
    const old = sign(body, secret, seconds - 301);
    const early = sign(body, secret, seconds + 301);
    await refuses(
      verifyWebhook(body, headers(old), secret, { now }),
      /from 301 s ago, expected at most 300 s/,
    );
    await refuses(verifyWebhook(body, headers(early), secret, { now }), /from 301 s in the future/);
    assert.ok(await verifyWebhook(body, headers(old), secret, { now, toleranceSeconds: 301 }));
  });

  it("refuses every other body", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(body.length - 1),
        fc.integer({ min: 1, max: 127 }),
        async (at, change) => {
          const bytes = new TextEncoder().encode(body);
          bytes[at]! ^= change;
          await refuses(
            verifyWebhook(bytes, headers(sign(body)), secret, { now }),
            /no v1 signature matches/,
          );
        },
      ),
      { seed, numRuns: 100 },
    );
  });

  const digest = sign(body).split("v1=")[1]!;
  const malformed: readonly (readonly [what: string, value: string, message: RegExp])[] = [
    ["no time", `v1=${digest}`, /has no time/],
    ["two times", `t=${seconds},t=${seconds},v1=${digest}`, /has no time/],
    ["a negative time", `t=-${seconds},v1=${digest}`, /has no time/],
    ["no signature", `t=${seconds}`, /has 0 v1 parts/],
    ["a short signature", `t=${seconds},v1=${digest.slice(2)}`, /has 0 v1 parts/],
    ["another scheme alone", `t=${seconds},v2=${digest}`, /has 0 v1 parts/],
    ["nine signatures", `t=${seconds}${`,v1=${digest}`.repeat(9)}`, /has 9 v1 parts/],
    ["an endless header", `t=${seconds},v1=${digest},${"x".repeat(5_000)}`, /too long/],
    ["nothing", "", /has no time/],
  ];
  for (const [what, value, message] of malformed) {
    it(`refuses a header with ${what}`, async () => {
      await refuses(verifyWebhook(body, headers(value), secret, { now }), message);
    });
  }

  it("refuses a request without the header, or with both headers", async () => {
    await refuses(
      verifyWebhook(body, {}, secret, { now }),
      /has no signature, expected the header/,
    );
    const value = sign(body);
    const both = { "x-telequick-signature": value, "x-clutchcall-signature": value };
    await refuses(verifyWebhook(body, both, secret, { now }), /repeated/);
    await refuses(
      verifyWebhook(body, { "x-telequick-signature": [value, value] }, secret, { now }),
      /repeated/,
    );
  });

  it("refuses a signed body that is not JSON, or has no event", async () => {
    for (const text of ["", "event", "[]", "null", "{}", '{"event":1}']) {
      await refuses(
        verifyWebhook(text, headers(sign(text)), secret, { now }),
        /not JSON in UTF-8|has no event/,
      );
    }
  });

  it("reads no more of a Request than the limit", async () => {
    const text = JSON.stringify({ event: "x", more: "y".repeat(1_000) });
    const request = () =>
      new Request("https://app.example", {
        method: "POST",
        body: text,
        headers: headers(sign(text)),
      });
    assert.ok(await verifyWebhook(request(), secret, { now, maxBodyBytes: text.length }));
    await refuses(
      verifyWebhook(request(), secret, { now, maxBodyBytes: text.length - 1 }),
      /body is larger than/,
    );
  });

  it("names the argument of a wrong type and the likely cause", async () => {
    const value = headers(sign(body));
    const wrong: readonly (readonly [Promise<unknown>, RegExp])[] = [
      [verifyWebhook(JSON.parse(body), value, secret), /body is a parsed object.*express\.raw/],
      [verifyWebhook(undefined as unknown as string, value, secret), /body is undefined/],
      [verifyWebhook(body, undefined as never, secret), /headers is missing/],
      [
        verifyWebhook(body, value, undefined as never),
        /secret is empty or not a string.*environment/,
      ],
      [verifyWebhook(body, value, ""), /secret is empty/],
      [verifyWebhook(body, value, []), /secret is empty/],
    ];
    for (const [promise, message] of wrong) {
      await assert.rejects(
        promise,
        (error) => error instanceof TypeError && message.test(error.message),
      );
    }
    for (const options of [{ toleranceSeconds: NaN }, { toleranceSeconds: -1 }, { now: NaN }]) {
      await assert.rejects(
        verifyWebhook(body, value, secret, options),
        (error) => error instanceof TeleQuickError && error.code === "ERR_VALUE_INVALID",
      );
    }
    const used = new Request("https://app.example", { method: "POST", body, headers: value });
    await used.text();
    await assert.rejects(verifyWebhook(used, secret, { now }), /read already/);
  });
});
