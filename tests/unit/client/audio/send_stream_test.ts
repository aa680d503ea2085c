import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PendingFrame } from "../../../../src/client/audio/outgoing_frame.ts";
import { ByteRoom } from "../../../../src/base/bytes.ts";
import { SendStream } from "../../../../src/client/audio/send_stream.ts";
import { settle } from "../../../../src/testing/mod.ts";

describe("SendStream", () => {
  it("keeps the newest while its stream takes nothing, and says so of each frame that it dropped", async () => {
    const dropped: number[] = [];
    const written: number[] = [];
    let takes = false;
    let wake = (): void => {};
    const writer = {
      get desiredSize() {
        return takes ? 1 : 0;
      },
      ready: new Promise<void>((resolve) => wake = resolve),
      closed: new Promise<void>(() => {}),
      write: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
    const stream = new SendStream({
      room: new ByteRoom(16 * 1024),
      open: () => Promise.resolve({ getWriter: () => writer } as unknown as WritableStream),
      capacity: () => 3,
      onFailure: (error) => assert.fail(String(error)),
    });
    const frame = (number: number): PendingFrame => ({
      owner: undefined,
      next: undefined,
      size: 1,
      encodeInto: (_bytes, offset) => {
        written.push(number);
        return offset + 1;
      },
      dropped: () => void dropped.push(number),
      recalled: () => assert.fail("recalled"),
    });
    // Before the stream is open, and while it takes nothing; more than fits at a time.
    for (let number = 0; number < 10; number++) {
      stream.append(frame(number));
      if (number % 5 === 4) {
        stream.flush();
        await Promise.resolve();
      }
    }
    assert.deepEqual(dropped, [0, 1, 2, 3, 4, 5, 6]);
    takes = true;
    wake();
    await settle();
    assert.deepEqual(written, [7, 8, 9]);
    for (let number = 10; number < 15; number++) stream.append(frame(number));
    await stream.finish();
    assert.deepEqual(written, [7, 8, 9, 10, 11, 12, 13, 14], "what it takes at once does not wait");
  });
});
