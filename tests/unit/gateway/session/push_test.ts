import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { PushStream } from "../../../../src/gateway/session/push.ts";
import { settle } from "../../../../src/testing/mod.ts";

/** A stream that takes a write only when it is configured to. */
function slowStream() {
  const writes: string[] = [];
  let release: () => void = () => {};
  let closed = "";
  const stream = new WritableStream<Uint8Array>({
    write(chunk) {
      writes.push(new TextDecoder().decode(chunk));
      return new Promise((resolve) => release = resolve);
    },
    close: () => void (closed = "closed"),
    abort: () => void (closed = "aborted"),
  });
  return { stream, writes, release: () => release(), ended: () => closed };
}

function pushing(open: () => Promise<WritableStream<Uint8Array>>) {
  const queue: string[] = [];
  let failures = 0;
  const push = new PushStream({
    open,
    take: () => queue.length === 0 ? undefined : new TextEncoder().encode(queue.splice(0).join("")),
    onFailure: () => failures++,
  });
  return {
    push,
    say(text: string) {
      queue.push(text);
      push.wake();
    },
    failures: () => failures,
  };
}

describe("PushStream", () => {
  it("opens nothing until there is something to say, and writes a turn's worth in one go", async () => {
    let opened = 0;
    const { stream, writes } = slowStream();
    const { say } = pushing(() => {
      opened++;
      return Promise.resolve(stream);
    });
    await settle();
    assert.equal(opened, 0);
    for (const letter of "abc") say(letter);
    await settle();
    assert.deepEqual([opened, writes], [1, ["abc"]]);
  });

  it("collects what comes while a write is under way", async () => {
    const { stream, writes, release } = slowStream();
    const { say, push } = pushing(() => Promise.resolve(stream));
    say("a");
    await settle();
    say("b");
    say("c");
    await settle();
    assert.deepEqual(writes, ["a"]);
    release();
    await settle();
    assert.deepEqual(writes, ["a", "bc"]);
    release();
    await push.flushed();
    say("d");
    await settle();
    assert.deepEqual(writes, ["a", "bc", "d"]);
  });

  it("is silent after a failure, reports it once, and speaks again when it is revived", async () => {
    const { stream, writes } = slowStream();
    let opened = 0;
    const { say, push, failures } = pushing(() =>
      opened++ === 0 ? Promise.reject(new Error("no credit")) : Promise.resolve(stream)
    );
    say("a");
    await settle();
    say("b");
    await settle();
    assert.deepEqual([push.isDead, failures(), opened], [true, 1, 1]);
    push.revive();
    say("c");
    await settle();
    assert.deepEqual([opened, writes], [2, ["abc"]]);
  });

  it("ends with FIN when it is at rest, and at once when the peer does not read", async () => {
    const resting = slowStream();
    const calm = pushing(() => Promise.resolve(resting.stream));
    calm.say("a");
    await settle();
    resting.release();
    await settle();
    calm.push.end();
    await settle();
    assert.equal(resting.ended(), "closed");
    const busy = slowStream();
    const stuck = pushing(() => Promise.resolve(busy.stream));
    stuck.say("a");
    await settle();
    stuck.push.end();
    busy.release();
    await settle();
    assert.equal(busy.ended(), "aborted");
  });

  it("leaves no stream behind that opens only after the end", async () => {
    const late = slowStream();
    let open: (stream: WritableStream<Uint8Array>) => void = () => {};
    const { say, push } = pushing(() => new Promise((resolve) => open = resolve));
    say("a");
    push.end();
    open(late.stream);
    await settle();
    assert.deepEqual([late.ended(), late.writes], ["aborted", []]);
  });
});
