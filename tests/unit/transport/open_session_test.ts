import { describe, it } from "node:test";
import assert from "node:assert/strict";
import { openSession } from "../../../src/transport/open_session.ts";
import { createPairTransport, createSessionPair } from "../../../src/transport/pair.ts";
import type {
  WebTransportConstructor,
  WebTransportLike,
  WebTransportOptionsLike,
} from "../../../src/transport/types.ts";
import { FakeClock, settle } from "../../../src/testing/mod.ts";

const ENDPOINT = "quic://gw.example:9090";

/** A constructor that records its arguments and returns what `make` makes. */
function recording(make: () => WebTransportLike) {
  const calls: { url: string; options: WebTransportOptionsLike | undefined }[] = [];
  function Recording(url: string, options?: WebTransportOptionsLike): WebTransportLike {
    calls.push({ url, options });
    return make();
  }
  return { calls, webTransport: Recording as unknown as WebTransportConstructor };
}

/** A session whose `ready` a test decides. */
function undecided() {
  let open!: () => void;
  let fail!: (error: unknown) => void;
  let closes = 0;
  let isReady = false;
  const { client } = createSessionPair();
  const ready = new Promise<void>((resolve, reject) => {
    open = () => {
      isReady = true;
      resolve();
    };
    fail = reject;
  });
  const transport: WebTransportLike = {
    ready,
    closed: new Promise(() => {}),
    incomingBidirectionalStreams: client.incomingBidirectionalStreams,
    incomingUnidirectionalStreams: client.incomingUnidirectionalStreams,
    createBidirectionalStream: () => client.createBidirectionalStream(),
    createUnidirectionalStream: () => client.createUnidirectionalStream(),
    close() {
      closes++;
      if (!isReady) throw new Error("WebTransport is not connected");
    },
  };
  return {
    transport,
    open: () => open(),
    fail: (error: unknown) => fail(error),
    closes: () => closes,
  };
}

describe("openSession()", () => {
  it("resolves with a session that is ready", async () => {
    const session = await openSession(ENDPOINT, { webTransport: createPairTransport(() => {}) });
    assert.equal(session.isClosed, false);
    assert.ok(await session.openBidirectional());
  });

  it("hands the constructor an https URL, and hashes only when there are any", async () => {
    const { calls, webTransport } = recording(() => createSessionPair().client);
    const hash = { algorithm: "sha-256", value: new Uint8Array(32) } as const;
    await openSession(ENDPOINT, { webTransport, certificateHashes: [] });
    await openSession(new URL("https://gw.example/p?token=t"), {
      webTransport,
      certificateHashes: [hash],
    });
    assert.deepEqual(calls, [
      { url: "https://gw.example:9090/", options: {} },
      { url: "https://gw.example/p?token=t", options: { serverCertificateHashes: [hash] } },
    ]);
  });

  it("refuses an endpoint before the constructor is called", async () => {
    const { calls, webTransport } = recording(() => createSessionPair().client);
    for (
      const endpoint of ["http://h", "https://u:p@h", new URL("http://h"), new URL("https://h#f")]
    ) {
      await assert.rejects(openSession(endpoint, { webTransport }), {
        code: "ERR_ENDPOINT_INVALID",
      });
    }
    await assert.rejects(openSession(7 as unknown as string, { webTransport }), TypeError);
    assert.equal(calls.length, 0);
  });

  it("turns what the constructor throws into ERR_CONNECT_FAILED", async () => {
    const { webTransport } = recording(() => {
      throw new Error("invalid server name: [::1]");
    });
    await assert.rejects(openSession("https://[::1]:1", { webTransport }), {
      code: "ERR_CONNECT_FAILED",
      message: /^Cannot connect to https:\/\/\[::1\]:1: .*invalid server name/,
    });
  });

  it("turns a rejected ready into ERR_CONNECT_FAILED", async () => {
    const { transport, fail } = undecided();
    const { webTransport } = recording(() => transport);
    const opening = openSession(ENDPOINT, { webTransport, clock: new FakeClock() });
    await settle();
    const cause = new Error("timed out");
    fail(cause);
    await assert.rejects(opening, { code: "ERR_CONNECT_FAILED", retryable: true, cause });
  });

  it("gives up after connectTimeoutMs, names the endpoint, and closes what opens later", async () => {
    const { transport, open, closes } = undecided();
    const { webTransport } = recording(() => transport);
    const clock = new FakeClock();
    const opening = openSession(ENDPOINT, { webTransport, clock, connectTimeoutMs: 300 });
    const failed = assert.rejects(opening, {
      code: "ERR_CONNECT_FAILED",
      retryable: true,
      message: /^Cannot connect to https:\/\/gw\.example:9090: nothing answered within 300 ms/,
    });
    await clock.advance(299);
    assert.equal(closes(), 0);
    await clock.advance(1);
    await failed;
    assert.equal(closes(), 1);
    open();
    await settle();
    assert.equal(closes(), 2);
    assert.equal(clock.pending, 0);
  });

  it("waits ten seconds by default", async () => {
    const { transport } = undecided();
    const { webTransport } = recording(() => transport);
    const clock = new FakeClock();
    const failed = assert.rejects(
      openSession(ENDPOINT, { webTransport, clock }),
      /within 10000 ms/,
    );
    await clock.advance(10_000);
    await failed;
  });

  it("rejects with the signal's reason, before and while connecting, and closes what opens later", async () => {
    const { transport, open, closes } = undecided();
    const { calls, webTransport } = recording(() => transport);
    const reason = new Error("enough");
    await assert.rejects(
      openSession(ENDPOINT, { webTransport, signal: AbortSignal.abort(reason) }),
      (error) => error === reason,
    );
    assert.equal(calls.length, 0);
    const controller = new AbortController();
    const clock = new FakeClock();
    const opening = openSession(ENDPOINT, { webTransport, clock, signal: controller.signal });
    await settle();
    controller.abort(reason);
    await assert.rejects(opening, (error) => error === reason);
    open();
    await settle();
    assert.equal(closes(), 2);
    assert.equal(clock.pending, 0);
  });

  it("opens nothing when it is given up while a constructor is looked for", async () => {
    const { calls, webTransport } = recording(() => undecided().transport);
    const reason = new Error("enough");
    const controller = new AbortController();
    const clock = new FakeClock();
    const opening = openSession(ENDPOINT, { webTransport, clock, signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(opening, (error) => error === reason);
    await settle();
    assert.equal(calls.length, 0);
    assert.equal(clock.pending, 0);
  });
});
