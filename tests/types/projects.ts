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
  /** The only door that it imports, where that is all that its types allow. Default: every door. */
  readonly onlyDoor?: string;
  /** The oldest compiler that its own packages allow. Default: the oldest that is promised. */
  readonly since?: string;
  /** Names that no import of ours may bring in. */
  readonly foreign: readonly string[];
}

/** What every environment that mints or verifies tokens has, as lines of a program. */
const tokens = [
  "import {",
  "  createKeySet, createReplayStore, createTokenSource, importSigner, loadServiceAccount, mintBrowserToken,",
  "  parseServiceAccount, TeleQuickError, tokenOf, type VerifiedToken, verifyToken,",
  '} from "@telequick/sdk/token";',
  "export async function roundTrip(account: string): Promise<VerifiedToken> {",
  "  const signer = await importSigner(parseServiceAccount(account));",
  "  const source = createTokenSource(() => signer, { timeoutMs: 5_000 });",
  "  await source.get();",
  "  const keys = createKeySet({ read: () => [] });",
  '  const token = tokenOf(await mintBrowserToken(signer, { scope: ["call.dial"] }));',
  "  return await verifyToken(token, {",
  '    resolveKey: async (kid, { tenantId }) => tenantId === "acme"',
  "      ? { tenantId, key: signer.key } : await keys.resolveKey(kid, { tenantId }),",
  "    replay: createReplayStore(),",
  "  });",
  "}",
  "export const load: typeof loadServiceAccount = loadServiceAccount;",
  "export const isOurs = (error: unknown): boolean => error instanceof TeleQuickError;",
];

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
    name: "no-lib",
    dependencies: {},
    lib: ES,
    types: [],
    also: tokens,
    onlyDoor: "/token",
    foreign: ["Deno", "Bun", "process", "Buffer", "document", "crypto", "AbortSignal"],
  },
  {
    name: "bun-types",
    since: "5.7",
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
    since: "5.7",
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
    since: "5.7",
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
