import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkGlobals, globalRules } from "../../../../scripts/checks/globals.ts";
import { readSources } from "../../../../scripts/support/source.ts";

const room = "src/wire/reader.ts";

function check(text: string, path: string = room): string[] {
  return checkGlobals(new Map([[path, text]]));
}

function assertFinds(text: string, found: string | RegExp, path: string = room): void {
  const violations = check(text, path);
  assert.equal(violations.length, 1, `${text}\n${violations.join("\n")}`);
  if (typeof found !== "string") return assert.match(violations[0]!, found);
  assert.ok(violations[0]!.startsWith(`${path}:1: ${found} is `), violations[0]);
}

describe("checkGlobals() keeps to its place", () => {
  const samples: Readonly<Record<string, readonly string[]>> = {
    "a file or the environment": [
      'Deno.env.get("A");',
      'Deno.readTextFileSync("a");',
      'await Deno.open("a");',
      "process.env;",
      "process.cwd();",
      'Bun.file("a");',
      'process.getBuiltinModule("node:fs");',
    ],
    "the console or the exit": [
      'console.log("a");',
      "Deno.exit(1);",
      "Deno.exitCode = 1;",
      "process.exit(1);",
      'process.stdout.write("a");',
      'prompt("a");',
    ],
    time: [
      "setTimeout(() => {}, 1);",
      "clearInterval(1);",
      "Date.now();",
      "performance.now();",
      "AbortSignal.timeout(1);",
      "new Date();",
      "new Date;",
      "Date();",
    ],
    WebCrypto: ["await crypto.subtle.digest(name, bytes);", "const { subtle } = crypto;"],
    "the counter of operations": ["const { telequickOperations } = globalThis;"],
    "a page's own": [
      "new AudioContext();",
      "await navigator.mediaDevices.enumerateDevices();",
      "URL.createObjectURL(blob);",
      "new Worker(url);",
    ],
    "the transport's constructor": ["new WebTransport(url);", "class Own extends WebTransport {}"],
    "one runtime's own": [
      "Deno.connectQuic;",
      "Bun.version;",
      "process.version;",
      'typeof Deno === "object";',
      'process.getBuiltinModule("node:module").createRequire(url);',
      'require("a");',
    ],
  };

  for (const { what, onlyIn } of globalRules) {
    it(what, () => {
      for (const text of samples[what]!) {
        assert.match(check(text)[0] ?? "", new RegExp(`^${room}:1: .* is `), text);
        const path = onlyIn.map((place) => place.endsWith("/") ? `${place}main.ts` : place);
        assert.deepEqual(
          path.flatMap((each) => check(text, each)).filter((each) => each.includes(what)),
          [],
          text,
        );
      }
      assertFinds(samples[what]![0]!, new RegExp(` is ${what}, touched only in ${onlyIn[0]}`));
    });
  }

  it("each rule has samples and no sample is without a rule", () => {
    assert.deepEqual(Object.keys(samples), globalRules.map(({ what }) => what));
  });

  it("the use of a runtime's name does not permit reading files", () => {
    assertFinds('Deno.readTextFile("a");', "Deno.readTextFile", "src/transport/listen.ts");
    assertFinds('Deno.stat("a");', "Deno.stat", "src/transport/deno/deno.ts");
    assertFinds("process.env.TOKEN;", "process.env.TOKEN", "src/transport/napi/napi.ts");
    assertFinds("Deno.exit();", "Deno.exit", "src/credentials/load.ts");
  });
});

describe("checkGlobals() sees a global", () => {
  for (
    const [how, text, path] of [
      ["through globalThis", "globalThis.setTimeout(f);", "setTimeout"],
      ["through globalThis twice", "globalThis.globalThis.setTimeout(f);", "setTimeout"],
      ["through self and a cast", "(self as Scope).setTimeout(f);", "setTimeout"],
      ["in brackets", 'globalThis["setTimeout"](f);', "setTimeout"],
      ["behind a question mark", "globalThis.Deno?.version;", "Deno.version"],
      ["asked for with in", '"Deno" in globalThis;', "Deno"],
      ["taken apart", "const { setTimeout: later } = globalThis as Scope;", "setTimeout"],
      ["taken apart in depth", "const { crypto: { subtle } } = globalThis;", "crypto.subtle"],
      ["in a shorthand property", "export const timers = { setTimeout };", "setTimeout"],
      ["passed on", "call(setTimeout);", "setTimeout"],
      ["in a default", "export function f(later = setTimeout) {}", "setTimeout"],
      ["declared by the file itself", "declare const Deno: { a: 1 }; Deno.a;", "Deno.a"],
      ["in a template", "`${Date.now()}`;", "Date.now"],
      ["that another scope's local has the name of", "{ const Deno = 1; } Deno;", "Deno"],
    ] as const
  ) {
    it(how, () => assertFinds(text, path));
  }

  it("behind a name that holds its owner", () => {
    for (
      const text of [
        "const scope = globalThis as Scope;\nscope.setTimeout(f);",
        "const scope = options.scope ?? globalThis;\nscope.setTimeout(f);",
        "const at = typeof self === 'object' ? self : undefined;\nat.setTimeout(f);",
        "const { globalThis: scope } = globalThis;\nscope.setTimeout(f);",
        "function g(scope = globalThis) {\nscope.setTimeout(f); }",
        "let scope = scope.next ?? globalThis;\nscope.setTimeout(f);",
        "const a = () =>\nscope.setTimeout(f);\nconst scope = globalThis;",
      ]
    ) {
      const violations = check(text);
      assert.equal(violations.length, 1, text);
      assert.match(violations[0]!, /^src\/wire\/reader\.ts:2: setTimeout is time/, text);
    }
  });

  it("handed on whole, where its use cannot be followed", () => {
    for (
      const text of [
        "probe(globalThis);",
        "globalThis[name];",
        'Reflect.get(globalThis, "Deno");',
        "const { a, ...rest } = globalThis;",
        "class A { scope = globalThis; }",
        "probe(crypto);",
        "const { [name]: a } = crypto;",
      ]
    ) assertFinds(text, /: (globalThis|crypto) is passed on as a whole/);
  });
});

describe("checkGlobals() leaves alone", () => {
  for (
    const [what, text] of [
      ["a parameter of that name", "export const f = (setTimeout: () => void) => setTimeout();"],
      ["an import of that name", 'import { performance } from "./a.ts"; performance.now();'],
      ["a property of that name", "clock.setTimeout(1); a.Deno; a?.process.env; ({ console: 1 });"],
      ["a method of that name", "class A { process() { return this.process(); } }"],
      ["a type", "export type A = typeof Deno | WebTransport; interface Bun { process: Deno.B }"],
      ["a type argument", "class A extends B<WebTransport> implements Deno {}"],
      ["a cast", "export const a = b as unknown as WebTransport;"],
      ["an erased import", 'import type { WebTransport } from "./a.ts"; let a: WebTransport;'],
      [
        "text",
        'export const a = "Deno.env"; // Deno.env\n/** process.env */ export const b = `console`;',
      ],
      ["a local of an outer function", "function f(Deno: X) { return () => { { Deno.env; } }; }"],
      [
        "a name that is hoisted",
        "process.env; var process = load(); g(); function g() { console(); function console() {} }",
      ],
      [
        "a name that is caught, looped or declared by a class",
        "try {} catch (Deno) { Deno.env; } for (const Bun of a) Bun.env; class process {} process.env;",
      ],
      ["an exported name", "export const performance = { now: 1 }; performance.now;"],
      ["a label", "process: for (;;) break process;"],
      [
        "a moment that is given",
        "new Date(ms); Date.UTC(2026, 0); a instanceof Date; Date.parse(a);",
      ],
      ["randomness", "crypto.getRandomValues(a); crypto.randomUUID();"],
      [
        "what every runtime has",
        "new TextEncoder(); new AbortController(); structuredClone(a); URL;",
      ],
      [
        "a probe for what no row names",
        "const { document } = globalThis as Probe; globalThis.navigator;",
      ],
      ["a question about the global object", 'typeof globalThis; "document" in globalThis;'],
      ["microtasks", "queueMicrotask(f);"],
    ] as const
  ) {
    it(what, () => assert.deepEqual(check(text), []));
  }
});

it("checkGlobals() finds the repository in order", async () => {
  const files = await readSources(["mod.ts", "src"]);
  assert.ok(files.has("src/base/signal.ts"), "no source was read");
  assert.deepEqual(checkGlobals(files), []);
});
