import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sumAudio } from "../../../../src/client/audio/audio_stats.ts";

describe("sumAudio()", () => {
  it("adds every count of every link", () => {
    const one = { ...sumAudio([]), received: 1, lost: 2, sent: 3, unread: 4, sendDropped: 5 };
    assert.deepEqual(sumAudio([one, one]), {
      ...sumAudio([]),
      received: 2,
      lost: 4,
      sent: 6,
      unread: 8,
      sendDropped: 10,
    });
  });
});
