import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkImports } from "../../../../scripts/checks/imports.ts";
import { rooms } from "../../../../scripts/checks/rooms.ts";
import { readSources } from "../../../../scripts/support/source.ts";

function check(files: Readonly<Record<string, string>>): string[] {
  return checkImports(new Map(Object.entries(files)));
}

describe("checkImports() reports", () => {
  const samples: readonly {
    readonly rule: string;
    readonly files: Readonly<Record<string, string>>;
    readonly found: readonly RegExp[];
  }[] = [
    {
      rule: "an import that leads up",
      files: {
        "src/wire/reader.ts":
          'import { a } from "../base/errors.ts";\nimport { b } from "../client/mod.ts";',
      },
      found: [/^src\/wire\/reader\.ts:2: wire may not import client, it may import base /],
    },
    {
      rule: "errors importing anything",
      files: { "src/base/errors.ts": 'import { a } from "./bytes.ts";' },
      found: [
        /^src\/base\/errors\.ts:1: src\/base\/errors\.ts imports src\/base\/bytes\.ts, which is above it in base/,
      ],
    },
    {
      rule: "two sub-rooms on one floor that look at each other",
      files: { "src/base/queue.ts": 'import { a } from "./signal.ts";' },
      found: [/src\/base\/queue\.ts and src\/base\/signal\.ts are on one floor of base/],
    },
    {
      rule: "a sub-room of the client that looks up",
      files: { "src/client/rpc/rpc.ts": 'import { a } from "../session/connection.ts";' },
      found: [
        /src\/client\/rpc\/rpc\.ts imports src\/client\/session\/connection\.ts, which is above it in client/,
      ],
    },
    {
      rule: "a sub-room of the gateway that looks up",
      files: { "src/gateway/call/call.ts": 'import { a } from "../tenant/tenant.ts";' },
      found: [
        /gateway\/call\/call\.ts imports src\/gateway\/tenant\/tenant\.ts, which is above it in gateway/,
      ],
    },
    {
      rule: "two sub-rooms of the gateway on one floor",
      files: { "src/gateway/webhook.ts": 'import { a } from "./listener.ts";' },
      found: [/are on one floor of gateway \(move what both need to a lower floor\)/],
    },
    {
      rule: "a type that is taken from above",
      files: { "src/gateway/tenant/a.ts": 'import type { B } from "../session/outbox.ts";' },
      found: [/tenant\/a\.ts imports src\/gateway\/session\/outbox\.ts, which is above it/],
    },
    {
      rule: "a file on no floor of its room",
      files: { "src/client/extra.ts": 'import { a } from "./log.ts";' },
      found: [/^src\/client\/extra\.ts:1: src\/client\/extra\.ts is on no floor of client/],
    },
    {
      rule: "the client looking at the gateway",
      files: { "src/client/rpc/rpc.ts": 'import { a } from "../../gateway/mod.ts";' },
      found: [/^src\/client\/rpc\/rpc\.ts:1: client and gateway are on floor 3 and never look/],
    },
    {
      rule: "two rooms of floor 1 that look at each other",
      files: { "src/audio/mod.ts": 'export { a } from "../wire/mod.ts";' },
      found: [/audio and wire are on floor 1/],
    },
    {
      rule: "the token room importing wire, which is below it but not in its row",
      files: { "src/token/sign.ts": 'import { a } from "../wire/mod.ts";' },
      found: [/token may not import wire/],
    },
    {
      rule: "another room entered beside its door",
      files: { "src/client/rpc/rpc.ts": 'import { a } from "../../wire/reader.ts";' },
      found: [
        /client reaches into src\/wire\/reader\.ts \(enter wire through src\/wire\/mod\.ts\)/,
      ],
    },
    {
      rule: "the front door reaching into a room",
      files: { "mod.ts": 'export { a } from "./src/client/client.ts";' },
      found: [/front reaches into src\/client\/client\.ts/],
    },
    {
      rule: "the front door showing the gateway",
      files: { "mod.ts": 'export { a } from "./src/gateway/mod.ts";' },
      found: [/front may not import gateway/],
    },
    {
      rule: "the back door of transport used by the client",
      files: {
        "src/client/session/open_connection.ts": 'import { a } from "../../transport/listen.ts";',
      },
      found: [/src\/transport\/listen\.ts is a back door for gateway and cli, not for client/],
    },
    {
      rule: "the back door of transport used by transport, which would put it into every client",
      files: { "src/transport/mod.ts": 'export { a } from "./listen.ts";' },
      found: [/listen\.ts is a back door for gateway and cli, not for transport/],
    },
    {
      rule: "a function of wire at the front door",
      files: {
        "mod.ts": 'export { errorCodes, encodeFrame } from "./src/wire/mod.ts";',
        "src/wire/mod.ts":
          'export { codes as errorCodes } from "./codes.ts";\nexport { encodeFrame } from "./frame.ts";',
        "src/wire/codes.ts": "export const codes = { none: 0 } as const;",
        "src/wire/frame.ts": "export function encodeFrame(): void {}",
      },
      found: [/^mod\.ts:1: encodeFrame of src\/wire\/mod\.ts is neither a type nor a constant/],
    },
    {
      rule: "a function of wire that is written as a constant",
      files: {
        "mod.ts": 'export { encode } from "./src/wire/mod.ts";',
        "src/wire/mod.ts": 'export { encode } from "./frame.ts";',
        "src/wire/frame.ts": "const inner = (): number => 0;\nexport { inner as encode };",
      },
      found: [/^mod\.ts:1: encode of src\/wire\/mod\.ts is neither/],
    },
    ...["npm:jose", "node:fs", "jsr:@std/bytes", "https://example.com/a.ts", "jose"].map((
      from,
    ) => ({
      rule: `"${from}" in a room`,
      files: { "src/wire/reader.ts": `import a from "${from}";` },
      found: [
        /^src\/wire\/reader\.ts:1: ".*" is from outside the repository, of which wire may import nothing/,
      ],
    })),
    {
      rule: "the package's own name in a room",
      files: { "src/client/rpc/rpc.ts": 'import { a } from "@telequick/sdk/wire";' },
      found: [/"@telequick\/sdk\/wire" is from outside/],
    },
    {
      rule: "a package in the command line",
      files: { "src/cli/main.ts": 'import { parse } from "npm:minimist";' },
      found: [
        /"npm:minimist" is from outside the repository, of which cli may import only node:\*/,
      ],
    },
    {
      rule: "every form of import",
      files: {
        "src/wire/a.ts": [
          'import "npm:a";',
          'import type { B } from "npm:b";',
          'export { c } from "npm:c";',
          'export * from "npm:d";',
          "export type E = import('npm:e').E;",
          "const f = await import(`npm:f`);",
          'import g = require("npm:g");',
        ].join("\n"),
      },
      found: ["a", "b", "c", "d", "e", "f", "g"].map((name, i) =>
        new RegExp(`^src/wire/a\\.ts:${i + 1}: "npm:${name}"`)
      ),
    },
    {
      rule: "import() of what is only known at run time",
      files: {
        "src/transport/napi/napi.ts": "export const load = (name: string) => import(name);",
      },
      found: [/^src\/transport\/napi\/napi\.ts:1: import\(\) of a computed specifier/],
    },
    {
      rule: "a reference comment",
      files: { "src/wire/a.ts": '/// <reference types="node" />\nexport {};' },
      found: [/^src\/wire\/a\.ts:1: a reference to "node" is an import that hides/],
    },
    {
      rule: "a cycle, and names the way round",
      files: {
        "src/wire/a.ts": 'import "./b.ts";',
        "src/wire/b.ts": 'import type { C } from "./c.ts";',
        "src/wire/c.ts": 'export { a } from "./a.ts";',
      },
      found: [/src\/wire\/a\.ts -> src\/wire\/b\.ts -> src\/wire\/c\.ts -> src\/wire\/a\.ts/],
    },
    {
      rule: "a door that holds more than named re-exports",
      files: {
        "src/wire/mod.ts": [
          'export * from "./a.ts";',
          'export * as b from "./b.ts";',
          "export const c = 1;",
          'import { d } from "./d.ts";',
          "export { d };",
          "c;",
        ].join("\n"),
      },
      found: [1, 2, 3, 4, 5, 6].map((line) =>
        new RegExp(`^src/wire/mod\\.ts:${line}: a door holds nothing but`)
      ),
    },
    {
      rule: "a star in a door that has nothing to gather",
      files: { "src/token/mod.ts": 'export * from "./messages/mod.ts";' },
      found: [/^src\/token\/mod\.ts:1: a door holds nothing but/],
    },
    {
      rule: "a gathered file that declares, runs or exports from another room",
      files: {
        "src/wire/messages/mod.ts": [
          'export * from "./a.ts";',
          'export { b } from "../b.ts";',
          'export * from "../../base/bytes.ts";',
          "export const c = 1;",
          'import { d } from "./d.ts";',
          "d;",
        ].join("\n"),
      },
      found: [3, 4, 5, 6].map((line) =>
        new RegExp(`^src/wire/messages/mod\\.ts:${line}: a gathered file holds nothing but`)
      ),
    },
    {
      rule: "a function of wire at the front door, through a star",
      files: {
        "mod.ts": 'export { run } from "./src/wire/mod.ts";',
        "src/wire/mod.ts": 'export * from "./messages/mod.ts";',
        "src/wire/messages/mod.ts": 'export * from "./a.ts";',
        "src/wire/messages/a.ts": "export const run = () => 1;",
      },
      found: [/^mod\.ts:1: run of src\/wire\/mod\.ts is neither a type nor a constant/],
    },
    {
      rule: "a file without a room",
      files: { "src/utils.ts": 'import { a } from "./errors.ts";' },
      found: [/^src\/utils\.ts:1: src\/utils\.ts is in no room/],
    },
    {
      rule: "an import of a file without a room",
      files: { "src/wire/a.ts": 'import { a } from "../../tests/support/fake_clock.ts";' },
      found: [/^src\/wire\/a\.ts:1: tests\/support\/fake_clock\.ts is in no room/],
    },
    {
      rule: "a conformance test that reaches for a source file",
      files: {
        "tests/conformance/a_test.ts":
          'import "../support/seed.ts";\nimport "../../src/base/errors.ts";\nimport "../../mod.ts";',
      },
      found: [
        /^tests\/conformance\/a_test\.ts:2: .* imports src\/base\/errors\.ts/,
        /:3: .* imports mod\.ts/,
      ],
    },
  ];

  for (const { rule, files, found } of samples) {
    it(rule, () => {
      const violations = check(files);
      assert.equal(violations.length, found.length, violations.join("\n"));
      for (const [i, pattern] of found.entries()) assert.match(violations[i]!, pattern);
    });
  }
});

describe("checkImports() accepts", () => {
  it("what each row of the table allows", () => {
    assert.deepEqual(
      check({
        "mod.ts": [
          'export { TeleQuickError } from "./src/base/errors.ts";',
          'export { TeleQuickClient } from "./src/client/mod.ts";',
          'export { errorCodes, type CallEvent } from "./src/wire/mod.ts";',
          'export type { AudioFrame } from "./src/wire/mod.ts";',
        ].join("\n"),
        "src/wire/mod.ts":
          'export { errorCodes } from "./codes.ts";\nexport type { CallEvent } from "./codes.ts";',
        "src/wire/codes.ts": "export const errorCodes = { none: 0 } as const;",
        "src/base/errors.ts": "export class TeleQuickError extends Error {}",
        "src/base/bytes.ts": 'import { TeleQuickError } from "./errors.ts";',
        "src/token/mod.ts":
          'export { importSigner } from "../credentials/mod.ts";\nexport { sign } from "./sign.ts";',
        "src/token/sign.ts": 'import { encodeBase64Url } from "../base/base64.ts";',
        "src/client/rpc/rpc.ts":
          'import { a } from "../../wire/mod.ts";\nimport { b } from "../../transport/mod.ts";',
        "src/gateway/gateway.ts": 'import { listen } from "../transport/listen.ts";',
        "src/cli/main.ts":
          'import { parseArgs } from "node:util";\nimport { a } from "../../mod.ts";\nimport { b } from "../gateway/mod.ts";',
        "tests/conformance/a_test.ts":
          'import { test } from "node:test";\nimport "@telequick/sdk/wire";',
      }),
      [],
    );
  });

  it("what only looks like an import", () => {
    assert.deepEqual(
      check({
        "src/wire/a.ts": [
          '// import { a } from "npm:a";',
          '/** import { a } from "npm:b"; */',
          "export const text = \"import a from 'npm:c'\";",
          "export const code = `\nimport a from 'npm:d';\n${1}`;",
          "export const pattern = /import a from 'npm:e'/;",
        ].join("\n"),
      }),
      [],
    );
  });
});

it("the import table leads down from every row", () => {
  for (const [name, { floor, mayImport, constantsOf = [] }] of Object.entries(rooms)) {
    for (const other of [...mayImport, ...constantsOf]) {
      const below = rooms[other]!.floor < floor;
      assert.ok(below || other === "front", `${name} imports ${other}`);
    }
  }
});

it("checkImports() finds the repository in order", async () => {
  const files = await readSources(["mod.ts", "src", "tests/conformance"]);
  assert.ok(files.has("src/base/errors.ts"), "no source was read");
  assert.deepEqual(checkImports(files), []);
});
