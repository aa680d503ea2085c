/** A consumer of the package, as its compiler sees it. */
export interface Project {
  /** What is special about it. */
  readonly name: string;
  /** Packages that it has besides ours. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** The compiler's `lib`. */
  readonly lib: readonly string[];
  /** The compiler's `types`: packages that declare globals. */
  readonly types: readonly string[];
  /** Lines that have to compile as well. */
  readonly also: readonly string[];
  /** Names that no import of ours may bring in. */
  readonly foreign: readonly string[];
}

const ES = ["es2022"] as const;
const client = 'import { TeleQuickClient } from "@telequick/sdk";';

/** Every consumer that the declarations have to serve. */
export const projects: readonly Project[] = [
  {
    name: "dom",
    dependencies: {},
    lib: [...ES, "dom", "dom.iterable", "dom.asynciterable"],
    types: [],
    also: [
      client,
      "const { body } = document;",
      'new TeleQuickClient(body.id, "token", true, { webTransport: WebTransport });',
    ],
    foreign: ["Deno", "Bun", "process", "Buffer", "WebSocketPair"],
  },
  {
    name: "bun-types",
    dependencies: { "bun-types": "1.4.5" },
    lib: ES,
    types: ["bun-types"],
    also: [client, 'new TeleQuickClient(Bun.env["URL"] ?? "");'],
    foreign: ["Deno", "document", "HTMLElement", "WebSocketPair"],
  },
  {
    name: "node-20",
    dependencies: { "@types/node": "20.19.43" },
    lib: ES,
    types: ["node"],
    also: [
      client,
      'import { env } from "node:process";',
      'new TeleQuickClient(env["URL"] ?? "");',
    ],
    foreign: ["Deno", "Bun", "document", "HTMLElement", "WebSocketPair"],
  },
  {
    name: "node-latest",
    dependencies: { "@types/node": "26.6.6" },
    lib: ES,
    types: ["node"],
    also: [
      client,
      'import { env } from "node:process";',
      'new TeleQuickClient(env["URL"] ?? "");',
    ],
    foreign: ["Deno", "Bun", "document", "HTMLElement", "WebSocketPair"],
  },
  {
    name: "workers-types",
    dependencies: { "@cloudflare/workers-types": "5.20261117.1" },
    lib: ES,
    types: ["@cloudflare/workers-types"],
    also: [
      'import { importSigner, mintBrowserToken, parseServiceAccount } from "@telequick/sdk/token";',
      "export const worker: ExportedHandler<{ ACCOUNT: string }> = {",
      "  async fetch(_request, { ACCOUNT }) {",
      "    const signer = await importSigner(parseServiceAccount(ACCOUNT));",
      "    return new Response(await mintBrowserToken(signer));",
      "  },",
      "};",
    ],
    foreign: ["Deno", "Bun", "document", "HTMLElement"],
  },
];
