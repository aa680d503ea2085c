/**
 * The import table: the rooms of the source, their floors, and the order inside them.
 *
 * @module
 */

/** A room: a folder with a door (`mod.ts`), and an order inside. */
export interface Room {
  /** Imports lead down, never along the same floor. */
  readonly floor: number;
  /** The file, or the folder with its slash. */
  readonly path: string;
  /** The rooms it may import. */
  readonly mayImport: readonly string[];
  /** Rooms of which it may import types and constants, and nothing that runs. */
  readonly constantsOf?: readonly string[];
  /** What it may import from outside the repository, by how the specifier begins. */
  readonly outside?: string;
  /** Doors beside `mod.ts`, each with the rooms that may use it; not even its own room's other files do. */
  readonly backDoors?: Readonly<Record<string, readonly string[]>>;
  /**
   * Files of which the door exports everything, by `export *` or `export * as name`: each holds nothing but exports from files of
   * this room, so that a declaration in one of those is named once.
   */
  readonly gathers?: readonly string[];
  /** A room without a door: each of its files may be imported. */
  readonly isOpen?: boolean;
  /**
   * The order inside, from the lowest floor up. A floor lists its sub-rooms: a folder with its slash, a file, or several files that
   * are one sub-room, separated by spaces. A sub-room imports from lower floors only; without an order, anything inside.
   */
  readonly inside?: readonly (readonly string[])[];
}

/** The import table. */
export const rooms: Readonly<Record<string, Room>> = {
  base: {
    floor: 0,
    path: "src/base/",
    mayImport: [],
    isOpen: true,
    inside: [
      [
        "errors.ts",
        "ignore.ts",
        "version.ts",
        "operations.ts",
        "random.ts",
        "turn.ts",
        "missing_numbers.ts",
      ],
      [
        "deferred.ts",
        "recent.ts",
        "handled.ts",
        "bytes.ts",
        "base64.ts",
        "signal.ts",
        "queue.ts",
        "drop_oldest.ts",
        "check.ts",
        "environment.ts",
      ],
      ["text/", "store/", "uuid.ts", "slot_timer.ts", "unfinished.ts"],
    ],
  },
  credentials: { floor: 1, path: "src/credentials/", mayImport: ["base"] },
  wire: {
    floor: 1,
    path: "src/wire/",
    mayImport: ["base"],
    gathers: ["src/wire/messages/mod.ts", "src/wire/methods.ts"],
  },
  transport: {
    floor: 1,
    path: "src/transport/",
    mayImport: ["base"],
    backDoors: { "src/transport/listen.ts": ["gateway", "cli"] },
    inside: [
      [
        "types.ts fault.ts endpoint.ts pipe.ts der.ts certificate_hash.ts certificate.ts packages.ts advice.ts incoming.ts",
      ],
      ["http3/"],
      ["listener.ts request_stream.ts"],
      ["deno/", "napi/", "quiche/"],
      ["find.ts"],
      ["dial.ts open_session.ts session.ts", "pair.ts", "listen.ts"],
      ["mod.ts"],
    ],
  },
  audio: {
    floor: 1,
    path: "src/audio/",
    mayImport: ["base"],
    backDoors: { "src/audio/sample_decoder.ts": ["client", "browser"] },
  },
  token: {
    floor: 2,
    path: "src/token/",
    mayImport: ["base", "credentials"],
    backDoors: { "src/token/shared.ts": ["gateway"] },
  },
  client: {
    floor: 3,
    path: "src/client/",
    mayImport: ["base", "credentials", "wire", "transport", "audio", "token"],
    inside: [
      ["log.ts", "option_checks.ts", "environment.ts"],
      ["rpc/", "sign_in/"],
      ["session/"],
      ["audio/"],
      ["call/", "options.ts", "check.ts", "stats.ts"],
      ["engine.ts"],
      ["client.ts"],
      ["client_like.ts"],
      ["mod.ts"],
    ],
  },
  gateway: {
    floor: 3,
    path: "src/gateway/",
    mayImport: ["base", "credentials", "wire", "transport", "audio", "token"],
    inside: [
      [
        "limits.ts",
        "validate.ts",
        "refusal.ts",
        "fetch_policy.ts",
        "rate_limit.ts",
        "fair_queue.ts",
      ],
      ["log.ts"],
      ["call/"],
      ["observe/"],
      ["services.ts"],
      ["storage/"],
      ["auth/"],
      ["campaign/"],
      ["tenant/"],
      ["cluster/"],
      ["context.ts"],
      ["methods/"],
      ["session/"],
      ["webhook.ts", "listener.ts"],
      ["phones/", "inspect.ts"],
      ["simulated_inbound.ts"],
      ["options.ts"],
      ["check_options.ts"],
      ["gateway.ts"],
      ["mod.ts"],
    ],
  },
  browser: {
    floor: 4,
    path: "src/browser/",
    mayImport: ["base", "audio", "client"],
    backDoors: { "src/browser/worker.ts": [], "src/browser/worklet.ts": [] },
    inside: [
      ["worklet/", "worklet_source.ts"],
      ["page.ts", "faults.ts"],
      ["options.ts", "devices.ts", "graph.ts", "worklet.ts", "decoder.ts"],
      ["call_audio.ts", "microphone.ts", "worker/worker_call.ts"],
      ["connection.ts"],
      ["browser_audio.ts"],
      ["context_watch.ts", "stats.ts"],
      ["live_audio.ts", "worker/"],
      ["open.ts"],
      ["mod.ts", "worker.ts"],
    ],
  },
  testing: {
    floor: 4,
    path: "src/testing/",
    mayImport: ["base", "credentials", "wire", "transport", "audio", "token", "client", "gateway"],
  },
  openai: { floor: 4, path: "src/openai/", mayImport: ["base", "audio", "client"] },
  webhook: { floor: 1, path: "src/webhook/", mayImport: ["base"] },
  postgres: { floor: 1, path: "src/postgres/", mayImport: ["base"] },
  catalogue: { floor: 4, path: "src/catalogue/", mayImport: ["base", "wire", "client"] },
  panel: {
    floor: 5,
    path: "src/panel/",
    mayImport: ["base", "wire", "catalogue", "gateway", "client", "browser"],
    outside: "node:",
    inside: [
      ["messages.ts", "guard.ts", "headers.ts", "files.ts"],
      ["http_server.ts", "history.ts", "actions.ts"],
      ["feed.ts", "page/"],
      ["panel.ts"],
      ["mod.ts"],
    ],
  },
  cli: {
    floor: 6,
    path: "src/cli/",
    mayImport: [
      ...["base", "credentials", "wire", "transport", "audio", "token"],
      ...["client", "gateway", "postgres", "catalogue", "panel", "front"],
    ],
    outside: "node:",
    inside: [
      ["usage.ts"],
      [
        "private_files.ts",
        "local_socket.ts",
        "opener.ts",
        "database_client.ts",
        "health_server.ts",
      ],
      ["programs.ts"],
      ["platform.ts"],
      ["terminal/"],
      ["command.ts account.ts session.ts events.ts token_input.ts gateway_control.ts"],
      ["failure.ts", "diagnosis/", "local_gateway/", "sound/"],
      ["commands/"],
      ["commands.ts help.ts run.ts"],
      ["main.ts"],
    ],
  },
  front: {
    floor: 7,
    path: "mod.ts",
    mayImport: ["base", "credentials", "token", "client"],
    constantsOf: ["wire"],
  },
};
