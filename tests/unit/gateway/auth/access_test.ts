import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Access, grants, type Right } from "../../../../src/gateway/auth/access.ts";

const rights = Object.keys(grants) as Right[];
const words = [
  ...["call.dial", "call.barge", "call.answer", "call.listen", "call.speak", "call.read"],
  "telephony:supervise",
];

function access(scope: string | undefined, endUser?: string, session = 1): Access {
  return new Access(
    { scope: scope === undefined ? undefined : new Set([scope]), endUser },
    session,
  );
}

/** What a word gives on own calls, on waiting ones and on others', as a row of the published table. */
function row(word: string | undefined): Record<string, readonly Right[]> {
  const one = access(word, "alice");
  const own = { owner: one.ownerOf("c"), isWaiting: false };
  const waiting = { owner: undefined, isWaiting: true };
  const other = { owner: access("call.dial", "bob").ownerOf("c"), isWaiting: false };
  const may = (subject: typeof own | typeof waiting) =>
    rights.filter((right) => one.may(right, subject));
  return { own: may(own), waiting: may(waiting), other: may(other) };
}

describe("Access", () => {
  it("gives each word what the table says, and an unknown word nothing", () => {
    const all = { own: rights, waiting: rights, other: rights };
    const none = { own: [], waiting: [], other: [] };
    const everywhere = (right: Right) => ({ own: [right], waiting: [right], other: [right] });
    const use: Right[] = ["see", "listen", "speak", "control"];
    assert.deepEqual(row(undefined), all);
    assert.deepEqual(row("call.dial"), { ...none, own: use });
    assert.deepEqual(row("call.answer"), { ...none, own: use, waiting: ["see", "answer"] });
    assert.deepEqual(row("call.barge"), { ...none, own: ["barge"] });
    assert.deepEqual(row("call.listen"), everywhere("listen"));
    assert.deepEqual(row("call.speak"), everywhere("speak"));
    assert.deepEqual(row("call.read"), everywhere("see"));
    assert.deepEqual(row("telephony:supervise"), everywhere("supervise"));
    for (const unknown of ["", "call", "call.*", "*", "CALL.DIAL", "call.dial ", "constructor"]) {
      assert.deepEqual(row(unknown), none, unknown);
    }
    // Every word of the table is in this test.
    const known = Object.values(grants).flatMap((grant) => Object.values(grant).flat());
    assert.deepEqual([...new Set(known)].sort(), [...words].sort());
  });

  it("knows own calls by the signed user, independent of the client id", () => {
    const before = access("call.dial", "alice", 1).ownerOf("c0");
    assert.ok(access("call.dial", "alice", 2).owns(before));
    assert.ok(!access("call.dial", "bob", 2).owns(before));
    assert.ok(!access("call.dial", undefined, 2).owns(before));
    // Also calls that the user dialled without a scope.
    assert.ok(access("call.dial", "alice", 2).owns(access(undefined, "alice").ownerOf("c1")));
  });

  it("without a user knows own calls by the client id that was shown, which cannot be guessed", () => {
    const clientId = "0b0e7a3e-5d0c-4c43-9d0b-3a5a7a9d3a10";
    const before = access("call.dial", undefined, 1).ownerOf(clientId);
    const after = access("call.dial", undefined, 2);
    assert.ok(!after.owns(before));
    after.show(clientId);
    assert.ok(after.owns(before));
    assert.ok(after.takesClientId(clientId));
    for (const guessable of ["c0", clientId.slice(1), clientId.replace("-4c", "-1c"), "client"]) {
      assert.ok(!after.takesClientId(guessable), guessable);
    }
    assert.ok(access("call.dial", "alice").takesClientId("c0"));
    assert.ok(access(undefined).takesClientId("c0"));
    // Without a client id a call is the session's alone.
    const session = access("call.dial", undefined, 3);
    assert.ok(session.owns(session.ownerOf("")));
    assert.ok(!after.owns(session.ownerOf("")));
  });

  it("keeps the client ids of different users apart, and from those without a scope", () => {
    const spaces = [
      access(undefined),
      access("call.dial"),
      access("call.dial", "alice"),
      access("call.dial", "bob"),
      access("call.dial", "scoped"),
    ].map(({ space }) => space);
    assert.equal(new Set(spaces).size, spaces.length);
    assert.equal(access(undefined, "alice").space, access(undefined).space);
  });

  it("remembers a bounded number of client ids", () => {
    const one = access("call.dial");
    const ids = Array.from({ length: 100 }, () => crypto.randomUUID());
    for (const id of ids) one.show(id);
    const owned = ids.filter((id) => one.owns({ id: `client\0${id}`, space: "scoped" }));
    assert.deepEqual(owned, ids.slice(-64));
  });

  it("takes a whole random UUID for a client id that cannot be guessed, and no part of a text", () => {
    const id = "0b0e7a3e-5d0c-4c43-9d0b-3a5a7a9d3a10";
    const one = access("call.dial");
    for (const given of [id, id.toUpperCase(), ""]) assert.ok(one.takesClientId(given), given);
    for (const given of [`x${id}`, `${id}x`, ` ${id}`, `${id}\n`]) {
      assert.ok(!one.takesClientId(given), given);
    }
  });

  it("makes room for the newest client ids: one that is shown again counts as new", () => {
    const one = access("call.dial");
    const [first, second, ...others] = Array.from({ length: 65 }, () => crypto.randomUUID());
    const owns = (id: string) => one.owns({ id: `client\0${id}`, space: "scoped" });
    for (const id of [first!, second!, ...others.slice(0, 62)]) one.show(id);
    one.show(first!);
    one.show("");
    one.show(others[62]!);
    assert.deepEqual([owns(first!), owns(second!), owns("")], [true, false, false]);
  });

  it("owns nothing without an owner where a scope limits it, and everything where none does", () => {
    for (const user of [undefined, "alice"]) {
      assert.equal(access("call.dial", user).owns(undefined), false);
      assert.equal(access(undefined, user).owns(undefined), true);
      assert.equal(access(undefined, user).owns({ id: "user\0bob", space: "" }), true);
    }
    const one = access("call.dial", undefined, 1);
    assert.equal(one.owns({ id: "user\0alice", space: "user\0alice" }), false);
    assert.equal(one.owns({ id: "", space: "" }), false);
    assert.equal(access(undefined).isLimited, false);
    assert.equal(one.isLimited, true);
  });
});
