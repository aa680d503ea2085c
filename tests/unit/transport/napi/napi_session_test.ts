import { describe, it } from "node:test";
import assert from "node:assert/strict";
import {
  type NapiAddon,
  type NapiBidirectional,
  type NapiSession,
  NapiTransport,
  napiWebTransport,
} from "../../../../src/transport/napi/napi_session.ts";
import type { NapiReceive, NapiSend } from "../../../../src/transport/napi/napi_streams.ts";
import { settle } from "../../../../src/testing/mod.ts";
import type { WebTransportOptionsLike } from "../../../../src/transport/types.ts";

/** A receiving half that gives out what a test put in; `null` is the FIN, an `Error` a failure. */
class Receive implements NapiReceive {
  readonly stopped: number[] = [];
  readonly values: (Uint8Array | null | Error)[];
  constructor(values: (Uint8Array | null | Error)[] = []) {
    this.values = values;
  }
  read(): Promise<Uint8Array | null> {
    const value = this.values.shift();
    if (value === undefined) return new Promise(() => {});
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value);
  }
  stop(code: number): Promise<void> {
    this.stopped.push(code);
    // As the addon does while a read is under way.
    return new Promise(() => {});
  }
}

class Send implements NapiSend {
  readonly calls: (string | number | Uint8Array)[] = [];
  failure: Error | undefined;
  write(bytes: Uint8Array): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    this.calls.push(bytes);
    return Promise.resolve();
  }
  finish(): Promise<void> {
    this.calls.push("finish");
    return Promise.resolve();
  }
  reset(code: number): Promise<void> {
    this.calls.push("reset", code);
    return Promise.resolve();
  }
}

class FakeSession implements NapiSession {
  readonly sent: Uint8Array[] = [];
  readonly closes: (readonly [code: number, reason: string])[] = [];
  readonly receive = new Receive();
  readonly send = new Send();
  incoming: NapiReceive[] = [];
  end: Promise<{ closeCode: number; reason: string }> = new Promise(() => {});
  acceptUni(): Promise<NapiReceive> {
    const next = this.incoming.shift();
    return next === undefined
      ? Promise.reject(new Error("connection lost"))
      : Promise.resolve(next);
  }
  acceptBi(): Promise<NapiBidirectional> {
    return this.openBi();
  }
  openUni(): Promise<NapiSend> {
    return Promise.resolve(this.send);
  }
  openBi(): Promise<NapiBidirectional> {
    return Promise.resolve({ takeSend: () => this.send, takeRecv: () => this.receive });
  }
  sendDatagram(bytes: Uint8Array): void {
    this.sent.push(bytes);
  }
  maxDatagramSize(): number {
    return 100;
  }
  close(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
  closed(): Promise<{ closeCode: number; reason: string }> {
    return this.end;
  }
}

function transport(session: FakeSession = new FakeSession()) {
  return { session, transport: new NapiTransport(Promise.resolve(session)) };
}

/** An addon that notes which clients are made, and what they dial. */
function recordingAddon(connect: () => Promise<NapiSession>) {
  const calls: unknown[] = [];
  const client = {
    connect(url: string) {
      calls.push(url);
      return connect();
    },
  };
  const addon: NapiAddon = {
    NapiClient: {
      withSystemRoots() {
        calls.push("roots");
        return client;
      },
      withCertificateHashes(hashes) {
        calls.push(hashes);
        return client;
      },
    },
    NapiServer: {
      bind() {
        throw new Error("unused");
      },
    },
  };
  return { calls, Constructor: napiWebTransport(addon) };
}

describe("napiWebTransport()", () => {
  it("pins hashes when there are any, trusts the system's roots otherwise, each by one client", async () => {
    const { calls, Constructor } = recordingAddon(() => Promise.resolve(new FakeSession()));
    const [value, other] = [7, 8].map((byte) => new Uint8Array(32).fill(byte)) as [
      Uint8Array<ArrayBuffer>,
      Uint8Array<ArrayBuffer>,
    ];
    const pin = (...values: Uint8Array<ArrayBuffer>[]): WebTransportOptionsLike => ({
      serverCertificateHashes: values.map((value) => ({ algorithm: "sha-256", value })),
    });
    await new Constructor("https://a/").ready;
    await new Constructor("https://b/", pin()).ready;
    await new Constructor("https://c/", pin(value)).ready;
    await new Constructor("https://d/", pin(value)).ready;
    await new Constructor("https://e/", pin(value, other)).ready;
    assert.deepEqual(calls, [
      "roots",
      "https://a/",
      "https://b/",
      [value],
      "https://c/",
      "https://d/",
      [value, other],
      "https://e/",
    ]);
  });

  it("takes a fresh client after a connection that failed or was lost, and no other", async () => {
    const session = new FakeSession();
    const ends: Promise<NapiSession>[] = [];
    const { calls, Constructor } = recordingAddon(() => ends.shift()!);
    const endedBy = (reason: string): Promise<NapiSession> => {
      const session = new FakeSession();
      session.end = Promise.resolve({ closeCode: 0, reason });
      return Promise.resolve(session);
    };
    ends.push(
      endedBy("connection error: closed by peer: over (code 5)"),
      endedBy("connection error: timed out"),
      Promise.reject(new Error("connection error: timed out")),
      Promise.resolve(session),
    );
    await new Constructor("https://a/").closed;
    await assert.rejects(new Constructor("https://b/").closed);
    await assert.rejects(new Constructor("https://c/").closed);
    await new Constructor("https://d/").ready;
    assert.deepEqual(calls, [
      "roots",
      "https://a/",
      "https://b/",
      "roots",
      "https://c/",
      "roots",
      "https://d/",
    ]);
  });
});

describe("napiWebTransport()'s clients", () => {
  it("differ by pins of every kind that W3C allows, and never stand in for the system's roots", async () => {
    const { calls, Constructor } = recordingAddon(() => Promise.resolve(new FakeSession()));
    const pins = [7, 8].map((byte) => new Uint8Array(32).fill(byte).buffer);
    await new Constructor("https://a/").ready;
    for (const pin of [...pins, new ArrayBuffer(0)]) {
      const value = pin as unknown as Uint8Array<ArrayBuffer>;
      await new Constructor("https://b/", {
        serverCertificateHashes: [{ algorithm: "sha-256", value }],
      }).ready;
    }
    const expected = pins.flatMap((pin) => [[new Uint8Array(pin)], "https://b/"]);
    assert.deepEqual(calls, ["roots", "https://a/", ...expected, [new Uint8Array()], "https://b/"]);
  });

  it("are left where a session is given up before it is ready, not where it is closed later", async () => {
    const ends: Promise<NapiSession>[] = [
      Promise.resolve(new FakeSession()),
      new Promise(() => {}),
      Promise.resolve(new FakeSession()),
    ];
    const { calls, Constructor } = recordingAddon(() => ends.shift()!);
    const first = new Constructor("https://a/");
    await first.ready;
    first.close();
    new Constructor("https://b/").close();
    await new Constructor("https://c/").ready;
    assert.deepEqual(calls, ["roots", "https://a/", "https://b/", "roots", "https://c/"]);
  });
});

describe("NapiTransport streams", () => {
  it("read to the FIN, and write, and end", async () => {
    const { session, transport: it } = transport();
    session.receive.values.push(Uint8Array.of(1, 2), Uint8Array.of(3), null);
    const stream = await it.createBidirectionalStream();
    const reader = stream.readable.getReader();
    assert.deepEqual([...(await reader.read()).value!], [1, 2]);
    assert.deepEqual([...(await reader.read()).value!], [3]);
    assert.equal((await reader.read()).done, true);
    const chunk = Uint8Array.of(4);
    const writer = stream.writable.getWriter();
    await writer.write(chunk);
    chunk[0] = 0;
    await writer.close();
    assert.deepEqual(session.send.calls, [Uint8Array.of(4), "finish"]);
  });

  it("carry reset and stop codes out, also while a read is under way", async () => {
    const { session, transport: it } = transport();
    const stream = await it.createBidirectionalStream();
    const reader = stream.readable.getReader();
    const reading = reader.read();
    await settle();
    await reader.cancel({ streamErrorCode: 5 });
    assert.equal((await reading).done, true);
    assert.deepEqual(session.receive.stopped, [5]);
    await stream.writable.abort({ streamErrorCode: 9 });
    assert.deepEqual(session.send.calls, ["reset", 9]);
  });

  it("carry a reset out also while a write is blocked, and once", async () => {
    const session = new FakeSession();
    session.send.write = () => new Promise(() => {});
    const transport = new NapiTransport(Promise.resolve(session));
    const writer = (await transport.createUnidirectionalStream()).getWriter();
    writer.write(Uint8Array.of(1)).catch(() => {});
    await settle();
    void writer.abort({ streamErrorCode: 7 }).catch(() => {});
    await settle();
    assert.deepEqual(session.send.calls, ["reset", 7]);
  });

  it("are given up when they come to a reader that has left", async () => {
    const session = new FakeSession();
    let arrive: (stream: NapiReceive) => void = () => {};
    session.acceptUni = () => new Promise((resolve) => arrive = resolve);
    const transport = new NapiTransport(Promise.resolve(session));
    const reader = transport.incomingUnidirectionalStreams.getReader();
    reader.read().catch(() => {});
    await settle();
    await reader.cancel();
    arrive(session.receive);
    await settle();
    assert.deepEqual(session.receive.stopped, [0]);
  });

  it("carry reset and stop codes in", async () => {
    const { session, transport: it } = transport();
    session.receive.values.push(new Error("RESET_STREAM: 77"));
    session.send.failure = new Error("STOP_SENDING: 5");
    const stream = await it.createBidirectionalStream();
    await assert.rejects(stream.readable.getReader().read(), {
      name: "WebTransportError",
      source: "stream",
      streamErrorCode: 77,
    });
    await assert.rejects(stream.writable.getWriter().write(Uint8Array.of(1)), {
      source: "stream",
      streamErrorCode: 5,
    });
    // What stopped it is answered with a reset.
    assert.deepEqual(session.send.calls, ["reset", 5]);
  });

  it("fail with the session when it is lost", async () => {
    const { session, transport: it } = transport();
    session.receive.values.push(new Error("connection error: timed out"));
    const stream = await it.createBidirectionalStream();
    await assert.rejects(stream.readable.getReader().read(), {
      source: "session",
      streamErrorCode: null,
      message: "connection error: timed out",
    });
  });

  it("let the addon's objects go when the session is over: they hold its socket", async () => {
    const session = new FakeSession();
    let end = (_: { closeCode: number; reason: string }): void => {};
    session.end = new Promise((resolve) => end = resolve);
    const it = transport(session).transport;
    const stream = await it.createBidirectionalStream();
    const writer = stream.writable.getWriter();
    await writer.write(Uint8Array.of(1));
    end({ closeCode: 0, reason: "" });
    await it.closed;
    const { length } = session.send.calls;
    await assert.rejects(writer.write(Uint8Array.of(2)), { message: "The session is over" });
    session.receive.values.push(Uint8Array.of(3), null);
    const { value } = await stream.readable.getReader().read();
    assert.deepEqual([...value!], [3], "what has arrived is still read");
    await assert.rejects(it.createUnidirectionalStream(), { message: "The session is over" });
    await settle();
    assert.equal(session.send.calls.length, length, "nothing of the addon's is asked any more");
    assert.equal(it.datagrams.maxDatagramSize, 0);
  });

  it("come in until the session is over", async () => {
    const session = new FakeSession();
    session.incoming = [new Receive([Uint8Array.of(1), null]), new Receive([null])];
    const reader = transport(session).transport.incomingUnidirectionalStreams.getReader();
    const { value } = await reader.read();
    assert.deepEqual([...(await value!.getReader().read()).value!], [1]);
    assert.equal((await reader.read()).done, false);
    assert.equal((await reader.read()).done, true);
  });
});

describe("NapiTransport.createRequestStream()", () => {
  it("sends a copy and a FIN, and reads to the end", async () => {
    const { session, transport: it } = transport();
    session.receive.values.push(Uint8Array.of(1, 2), null);
    const stream = await it.createRequestStream();
    const bytes = Uint8Array.of(4);
    await stream.send(bytes);
    bytes[0] = 0;
    assert.deepEqual(session.send.calls, [Uint8Array.of(4), "finish"]);
    assert.deepEqual([...(await stream.read()).value!], [1, 2]);
    assert.equal((await stream.read()).done, true);
    assert.equal((await stream.read()).done, true);
    stream.abort();
    assert.deepEqual([session.receive.stopped, session.send.calls.length], [[], 2], "it is over");
  });

  it("carries codes out and in, and ends a read that is under way", async () => {
    const { session, transport: it } = transport();
    const stream = await it.createRequestStream();
    const reading = stream.read();
    stream.abort({ streamErrorCode: 5 });
    assert.equal((await reading).done, true);
    assert.deepEqual(session.receive.stopped, [5]);
    assert.deepEqual(session.send.calls, ["reset", 5]);
    await assert.rejects(stream.send(Uint8Array.of(1)), { message: "The session is over" });

    session.receive.values.push(new Error("RESET_STREAM: 77"));
    session.send.failure = new Error("STOP_SENDING: 5");
    const other = await it.createRequestStream();
    await assert.rejects(other.read(), { source: "stream", streamErrorCode: 77 });
    await assert.rejects(other.send(Uint8Array.of(1)), { source: "stream", streamErrorCode: 5 });
  });

  it("answers STOP_SENDING with a reset, once, and still reads", async () => {
    const { session, transport: it } = transport();
    session.receive.values.push(Uint8Array.of(1), null);
    session.send.failure = new Error("STOP_SENDING: 5");
    const stream = await it.createRequestStream();
    await assert.rejects(stream.send(Uint8Array.of(1)), { streamErrorCode: 5 });
    assert.deepEqual(session.send.calls, ["reset", 5]);
    assert.deepEqual([...(await stream.read()).value!], [1]);
    assert.equal((await stream.read()).done, true);
    stream.abort();
    assert.deepEqual(session.send.calls, ["reset", 5]);
  });
});

describe("NapiTransport.takeUnidirectional()", () => {
  it("asks for the next stream when the last one is done with, until the session is over", async () => {
    const session = new FakeSession();
    session.incoming = [new Receive([Uint8Array.of(1), null]), new Receive([null])];
    const taken: ReadableStream<Uint8Array>[] = [];
    let release = (): void => {};
    transport(session).transport.takeUnidirectional((stream) => {
      taken.push(stream);
      return new Promise((resolve) => release = resolve);
    });
    await settle();
    assert.equal(taken.length, 1);
    assert.deepEqual([...(await taken[0]!.getReader().read()).value!], [1]);
    release();
    await settle();
    assert.equal(taken.length, 2);
    release();
    await settle();
    assert.equal(taken.length, 2);
  });
});

describe("NapiTransport.closed", () => {
  const cases: readonly (readonly [closeCode: number, reason: string, closed: unknown])[] = [
    [4321, "bye", { closeCode: 4321, reason: "bye" }],
    [0, "", { closeCode: 0, reason: "" }],
    [0, "connection error: closed by peer: cli-says-bye (code 1234)", {
      closeCode: 1234,
      reason: "cli-says-bye",
    }],
    [0, "connection error: closed by peer:  (code 7)", { closeCode: 7, reason: "" }],
    [0, "connection error: closed", { closeCode: 0, reason: "" }],
  ];
  for (const [closeCode, reason, closed] of cases) {
    it(`reads ${closeCode} "${reason}"`, async () => {
      const session = new FakeSession();
      session.end = Promise.resolve({ closeCode, reason });
      assert.deepEqual(await transport(session).transport.closed, closed);
    });
  }

  it("rejects for a dead peer", async () => {
    const session = new FakeSession();
    session.end = Promise.resolve({ closeCode: 0, reason: "connection error: timed out" });
    await assert.rejects(transport(session).transport.closed, {
      source: "session",
      message: "timed out",
    });
  });

  it("reports what our own side closed with", async () => {
    const session = new FakeSession();
    let end!: (info: { closeCode: number; reason: string }) => void;
    session.end = new Promise((resolve) => end = resolve);
    const { transport: it } = transport(session);
    await it.ready;
    it.close({ closeCode: 3, reason: "done" });
    it.close({ closeCode: 4 });
    end({ closeCode: 0, reason: "connection error: closed" });
    assert.deepEqual(session.closes, [[3, "done"]]);
    assert.deepEqual(await it.closed, { closeCode: 3, reason: "done" });
  });

  it("closes a session that was given up before it was ready", async () => {
    const session = new FakeSession();
    let connect!: (session: NapiSession) => void;
    const it = new NapiTransport(new Promise((resolve) => connect = resolve));
    it.close({ closeCode: 5, reason: "early" });
    connect(session);
    await assert.rejects(it.ready, /closed before it was ready/);
    await assert.rejects(it.closed);
    assert.deepEqual(session.closes, [[5, "early"]]);
  });

  it("rejects, as ready does, when connecting fails", async () => {
    const it = new NapiTransport(Promise.reject(new Error("timed out")));
    await assert.rejects(it.ready, /timed out/);
    await assert.rejects(it.closed, /timed out/);
    await assert.rejects(it.createBidirectionalStream(), /timed out/);
    assert.equal((await it.incomingBidirectionalStreams.getReader().read()).done, true);
  });
});

describe("NapiTransport.datagrams", () => {
  it("never sends one that is too large: the addon would fail for good", async () => {
    const { session, transport: it } = transport();
    await it.ready;
    assert.equal(it.datagrams.maxDatagramSize, 100);
    const writer = it.datagrams.writable!.getWriter();
    await writer.write(new Uint8Array(101));
    await writer.write(new Uint8Array(100));
    assert.deepEqual(session.sent.map((bytes) => bytes.length), [100]);
    assert.equal(it.keepsAlive, false);
  });
});
