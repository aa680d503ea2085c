import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CheckReport, TeleQuickClient, TeleQuickError } from "../../../mod.ts";
import { ErrorCode } from "../../../src/wire/mod.ts";
import { FakeClock } from "../../../src/testing/mod.ts";
import { scriptedGateway, type ScriptedGatewayOptions } from "../../../src/testing/mod.ts";
import { UNSIGNED_TOKEN } from "../../support/unsigned_token.ts";

interface Weather {
  /** How long each round trip takes, in milliseconds, over and over. */
  readonly roundTripsMs?: readonly number[];
  /** How far the gateway's clock is ahead; `undefined`: it does not tell the time. */
  readonly clockOffsetMs?: number;
  /** How long the token lives. */
  readonly lifeMs?: number;
}

interface Scene {
  readonly clock: FakeClock;
  check(signal?: AbortSignal): Promise<CheckReport>;
  close(): Promise<void>;
}

function scene(weather: Weather, options: ScriptedGatewayOptions = {}): Scene {
  const clock = new FakeClock();
  const { roundTripsMs = [1], clockOffsetMs, lifeMs } = weather;
  let probe = 0;
  const gateway = scriptedGateway({
    ...(lifeMs !== undefined && { expiresAtMs: () => clock.now() + lifeMs }),
    ...options,
    scripts: {
      StreamEvents: (_request, { calls }) =>
        calls.length === 2
          ? {}
          : new Promise((resolve) =>
            clock.schedule(roundTripsMs[probe++ % roundTripsMs.length]!, () => resolve({}))
          ),
      Terminate: () => ({
        errorCode: ErrorCode.ERR_VALIDATION_FAILED,
        timestampMs: clockOffsetMs === undefined ? 0 : clock.now() + clockOffsetMs,
      }),
      ...options.scripts,
    },
  });
  const client = new TeleQuickClient("https://gateway.test", () => UNSIGNED_TOKEN, true, {
    webTransport: gateway.webTransport,
    clock,
  });
  /** Lets time pass until a promise has settled. */
  const until = async <T>(work: Promise<T>): Promise<T> => {
    let isPending = true;
    const settled = (): void => void (isPending = false);
    work.then(settled, settled);
    while (isPending) await clock.advance(50);
    return await work;
  };
  return {
    clock,
    check: (signal) => until(client.check({ signal })),
    close: () => until(client.close()),
  };
}

function codes({ reasons }: CheckReport): string[] {
  return reasons.map(({ code }) => code);
}

describe("TeleQuickClient.check()", () => {
  it("is ready on a quick gateway with the right time, and reports what it measured", async () => {
    const { check, close, clock } = scene({ clockOffsetMs: 2_000, lifeMs: 3_600_000 });
    const report = await check();
    assert.equal(report.verdict, "ready");
    assert.deepEqual(report.reasons, []);
    assert.equal(report.tenantId, "acme");
    assert.ok(report.expiresAtMs > clock.now());
    assert.equal(report.roundTripsMs.length, 6);
    assert.equal(report.clockOffsetMs, 2_000);
    await close();
  });

  it("is degraded by slow answers", async () => {
    const { check, close } = scene({ roundTripsMs: [301] });
    const report = await check();
    assert.equal(report.verdict, "degraded");
    assert.deepEqual(codes(report), ["slow"]);
    assert.match(report.reasons[0]!.message, /after 301 ms, expected at most 300/);
    await close();
  });

  it("is degraded by unsteady answers, and forgives one exception and the first", async () => {
    const unsteady = scene({ roundTripsMs: [1, 1, 80] });
    assert.deepEqual(codes(await unsteady.check()), ["unsteady"]);
    await unsteady.close();
    const steady = scene({ roundTripsMs: [200, 1, 1, 1, 80, 1, 1] });
    assert.equal((await steady.check()).verdict, "ready");
    await steady.close();
  });

  it("is degraded by a clock that differs either way", async () => {
    for (const [clockOffsetMs, word] of [[31_000, "behind"], [-31_000, "ahead of"]] as const) {
      const { check, close } = scene({ clockOffsetMs });
      const report = await check();
      assert.deepEqual(codes(report), ["clock"]);
      assert.match(report.reasons[0]!.message, new RegExp(`31 s ${word} the gateway's`));
      await close();
    }
  });

  it("says nothing about the clock of a gateway that does not tell the time", async () => {
    const { check, close } = scene({});
    const report = await check();
    assert.equal(report.clockOffsetMs, undefined);
    assert.equal(report.verdict, "ready");
    await close();
  });

  it("is degraded by a token that is about to end", async () => {
    const { check, close } = scene({ lifeMs: 30_000 });
    assert.deepEqual(codes(await check()), ["token-life"]);
    await close();
  });

  it("is blocked, with the error's own code, when the gateway refuses the token", async () => {
    const { check, close } = scene({}, {
      scripts: { Authenticate: () => ({ errorCode: 7, errorMessage: "expired" }) },
    });
    const report = await check();
    assert.equal(report.verdict, "blocked");
    assert.deepEqual(codes(report), ["ERR_UNAUTHORIZED"]);
    assert.ok(report.error instanceof TeleQuickError);
    assert.equal(report.error.refusal, "expired");
    await close();
  });

  it("is blocked, and reports no round trips, when the gateway stops answering", async () => {
    const { check, close } = scene({}, { scripts: { Terminate: () => new Promise(() => {}) } });
    const report = await check();
    assert.equal(report.verdict, "blocked");
    assert.deepEqual(codes(report), ["ERR_TIMEOUT"]);
    assert.deepEqual(report.roundTripsMs, []);
    await close();
  });

  it("is blocked when nothing can be connected to, and works again afterwards", async () => {
    const { check, close } = scene({}, {
      onAttempt: (attempt) => {
        if (attempt === 1) throw new Error("unreachable");
      },
    });
    assert.deepEqual(codes(await check()), ["ERR_CONNECT_FAILED"]);
    assert.equal((await check()).verdict, "ready");
    await close();
  });

  it("does not repeat what a token function threw", async () => {
    const secret = "canary-7f3a";
    const client = new TeleQuickClient(
      "https://gateway.test",
      () => {
        throw new Error(secret);
      },
      true,
      { webTransport: scriptedGateway().webTransport },
    );
    const { verdict, reasons } = await client.check();
    assert.equal(verdict, "blocked");
    assert.ok(!JSON.stringify(reasons).includes(secret));
    await client.close();
  });

  it("rejects with the signal's reason when it aborts", async () => {
    const { check, close, clock } = scene({ roundTripsMs: [5_000] });
    const controller = new AbortController();
    clock.schedule(100, () => controller.abort(new Error("enough")));
    await assert.rejects(check(controller.signal), /enough/);
    await close();
  });
});
