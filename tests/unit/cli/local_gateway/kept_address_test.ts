import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import {
  type KeptAddress,
  openKeptAddress,
} from "../../../../src/cli/local_gateway/kept_address.ts";
import { listenLastingly } from "../../../../src/cli/local_gateway/listening.ts";
import { createOutput } from "../../../../src/cli/terminal/output.ts";
import type { ListenerCertificate } from "../../../../src/gateway/mod.ts";
import { cannotBind } from "../../../../src/transport/listener.ts";
import { FakeClock } from "../../../../src/testing/mod.ts";
import { fakePlatform } from "../../../support/fake_platform.ts";
import { type TemporaryFolder, temporaryFolder } from "../../../support/folder.ts";

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 1);

function open(folder: TemporaryFolder, now: number): Promise<KeptAddress> {
  const { platform } = fakePlatform();
  const clock = new FakeClock(now);
  return openKeptAddress({ folder: folder.path, hostname: "127.0.0.1", platform, clock });
}

describe("openKeptAddress()", () => {
  it("makes two certificates of 14 days at most that follow one another, and keeps them in a file of mode 600", async () => {
    await using folder = await temporaryFolder();
    const address = await open(folder, START);
    const path = folder.at("listener.json");
    if (process.platform !== "win32") assert.equal((await stat(path)).mode & 0o777, 0o600);
    const { certificates } = JSON.parse(await readFile(path, "utf8"));
    const spans = certificates.map(({ certificatePem }: ListenerCertificate) => {
      const { validFrom, validTo } = new X509Certificate(certificatePem);
      return [Date.parse(validFrom) - START, Date.parse(validTo) - START];
    });
    const hour = 3_600_000;
    assert.deepEqual(spans, [
      [-hour, 13 * DAY_MS],
      [10 * DAY_MS - hour, 23 * DAY_MS],
    ]);
    assert.match(address.hashes, /^\S{43}=,\S{43}=$/);
  });

  it("is the same after every restart within ten days, then the next one is shown and another follows it", async () => {
    await using folder = await temporaryFolder();
    const first = await open(folder, START);
    const [one, two] = first.hashes.split(",");
    for (const day of [0, 1, 9.9]) {
      assert.equal((await open(folder, START + day * DAY_MS)).hashes, first.hashes);
    }
    const later = await open(folder, START + 10 * DAY_MS);
    const [shown, next] = later.hashes.split(",");
    assert.equal(shown, two);
    assert.notEqual(next, one);
    assert.equal((await open(folder, START + 19 * DAY_MS)).hashes, later.hashes);
    assert.equal((await open(folder, START + 20 * DAY_MS)).hashes.split(",")[0], next);
  });

  it("shows the next one at once after a rest in which the first ended, and two new ones after a month", async () => {
    await using folder = await temporaryFolder();
    const [, two] = (await open(folder, START)).hashes.split(",");
    assert.equal((await open(folder, START + 15 * DAY_MS)).hashes.split(",")[0], two);
    const after = await open(folder, START + 60 * DAY_MS);
    assert.equal(after.hashes.split(",").length, 2);
    assert.equal(after.hashes.includes(two!), false);
  });

  it("says of a damaged file that it is one, and what to do, and quotes nothing of it", async () => {
    await using folder = await temporaryFolder();
    const path = folder.at("listener.json");
    await open(folder, START);
    const whole = await readFile(path, "utf8");
    const kept = JSON.parse(whole);
    for (
      const text of [
        "",
        whole.slice(0, -20),
        "null",
        JSON.stringify({ ...kept, version: 2 }),
        JSON.stringify({ ...kept, port: 70_000 }),
        JSON.stringify({ ...kept, certificates: [{ hash: 1 }] }),
        JSON.stringify({ ...kept, certificates: {} }),
      ]
    ) {
      await writeFile(path, text);
      await assert.rejects(open(folder, START), (error: Error) => {
        assert.match(error.message, /listener\.json": it is damaged.*remove it/);
        return !/BEGIN|MII/.test(error.message);
      });
    }
  });
});

describe("listenLastingly()", () => {
  /** A gateway that says what it was asked for; `taken` ports cannot be bound. */
  async function listening(
    folder: TemporaryFolder,
    { port = 0, taken = [] as number[], clock = new FakeClock(START) } = {},
  ) {
    const { platform, stderr } = fakePlatform();
    const kept = await openKeptAddress({ folder: folder.path, hostname: "::1", platform, clock });
    const log: string[] = [];
    let isFailing = false;
    let isDiskFull = false;
    const hashOf = (certificate: ListenerCertificate | undefined): string =>
      JSON.stringify(certificate).match(/"hash":"(.{8})/)![1]!;
    const started = await listenLastingly({
      gateway: {
        listen({ port: asked = 0, certificate } = {}) {
          if (taken.includes(asked)) return Promise.reject(cannotBind("::1", asked, undefined));
          log.push(`listen ${asked} ${hashOf(certificate)}`);
          return Promise.resolve({
            endpoint: `https://[::1]:${asked || 40_000}`,
            certificateHash: "",
            replaceCertificate(next: ListenerCertificate) {
              if (isFailing) return Promise.reject(new Error("out of luck"));
              log.push(`replace ${hashOf(next)}`);
              return Promise.resolve();
            },
            close: () => Promise.resolve(),
          });
        },
      },
      ...{ hostname: "::1", port, kept, clock },
      output: createOutput(platform, { json: false }),
      onHashes: (hashes) => void log.push(`show ${hashes.slice(0, 8)}`),
      announce(hashes) {
        if (isDiskFull) return Promise.reject(new Error("no space left"));
        log.push(`announce ${hashes.slice(0, 8)}`);
        return Promise.resolve();
      },
    });
    const fail = (is: boolean) => isFailing = is;
    const fillDisk = (is: boolean) => isDiskFull = is;
    return { started, kept, log, clock, stderr, fail, fillDisk };
  }

  it("changes to the next certificate on day 10, and to the one after it on day 20", async () => {
    await using folder = await temporaryFolder();
    const { started, log, clock } = await listening(folder);
    const [one, two] = started.certificateHash.split(",").map((hash) => hash.slice(0, 8));
    await clock.advance(9.9 * DAY_MS);
    assert.deepEqual(log, [`listen 0 ${one}`]);
    await clock.advance(0.2 * DAY_MS);
    assert.deepEqual(log.slice(1), [`replace ${two}`, `show ${two}`, `announce ${two}`]);
    const [, three] = started.certificateHash.split(",").map((hash) => hash.slice(0, 8));
    await clock.advance(10 * DAY_MS);
    assert.deepEqual(log.slice(4), [`replace ${three}`, `show ${three}`, `announce ${three}`]);
    started.stop();
    assert.equal(clock.pending, 0);
  });

  it("shows the hashes when they cannot be announced, says so, and tries that again", async () => {
    await using folder = await temporaryFolder();
    const { started, log, clock, stderr, fillDisk } = await listening(folder);
    fillDisk(true);
    await clock.advance(10.1 * DAY_MS);
    const shown = started.certificateHash.slice(0, 8);
    assert.deepEqual(log.slice(1), [`replace ${shown}`, `show ${shown}`]);
    assert.match(
      stderr(),
      /has another certificate, but its control file .* tried again: no space left/,
    );
    assert.doesNotMatch(stderr(), /could not be changed/);
    fillDisk(false);
    await clock.advance(0.1 * DAY_MS);
    assert.deepEqual(log.slice(3), [`announce ${shown}`]);
    started.stop();
  });

  it("warns when the change fails, and tries again", async () => {
    await using folder = await temporaryFolder();
    const { started, log, clock, stderr, fail } = await listening(folder);
    fail(true);
    await clock.advance(10.1 * DAY_MS);
    assert.match(stderr(), /could not be changed, and is tried again: out of luck/);
    fail(false);
    await clock.advance(2 * 3_600_000);
    assert.match(log.at(-3)!, /^replace /);
    started.stop();
  });

  it("takes the port that it had before; one that was asked for is taken and not remembered", async () => {
    await using folder = await temporaryFolder();
    const { kept } = await listening(folder);
    assert.equal(kept.port, 40_000);
    const again = await listening(folder);
    assert.match(again.log[0]!, /^listen 40000 /);
    const asked = await listening(folder, { port: 5_000 });
    assert.match(asked.log[0]!, /^listen 5000 /);
    assert.equal(asked.kept.port, 40_000);
    for (const { started } of [again, asked]) started.stop();
  });

  it("takes a free port where the one from before is taken, and warns", async () => {
    await using folder = await temporaryFolder();
    await (await listening(folder)).kept.rememberPort(41_000);
    const { started, log, kept, stderr } = await listening(folder, { taken: [41_000] });
    assert.match(log[0]!, /^listen 0 /);
    assert.equal(kept.port, 40_000);
    assert.match(
      stderr(),
      /^warning: UDP port 41000, which this gateway had before, is taken: it is at https:\/\/\[::1\]:40000 now \(take its exports again\)\n$/,
    );
    started.stop();
    // A port that was asked for is an error.
    await assert.rejects(listening(folder, { port: 41_000, taken: [41_000] }), {
      code: "ERR_VALUE_INVALID",
    });
  });
});
