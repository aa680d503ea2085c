/**
 * The panel of `telequick gateway`: when it is opened, and with what.
 *
 * @module
 */

import type { Gateway } from "../../gateway/mod.ts";
import type { Panel } from "../../panel/mod.ts";
import type { Platform } from "../platform.ts";
import type { OptionSpecs, OptionValues } from "../terminal/args.ts";
import type { Output } from "../terminal/output.ts";
import { UsageError } from "../usage.ts";
import { PHONE_NUMBER } from "./far_ends.ts";
import { type GATEWAY_OPTIONS, type LocalGateway, programFor } from "./local_gateway.ts";

/** Options of the panel. */
export const PANEL_OPTIONS = {
  "ui": { type: "flag", help: "Open the panel in CI and without a terminal too" },
  "no-ui": { type: "flag", help: "Open no panel" },
  "ui-port": {
    type: "number",
    value: "PORT",
    help: "TCP port of the panel on 127.0.0.1",
    max: 65_535,
    byDefault: "a free one",
  },
  "open": { type: "flag", help: "Open the panel in the browser" },
} as const satisfies OptionSpecs;

/** Where the panel is asked for. */
export interface OpenPanelOptions {
  readonly values: OptionValues<typeof PANEL_OPTIONS & typeof GATEWAY_OPTIONS>;
  readonly platform: Platform;
  readonly output: Output;
}

/** A panel that there can be. */
export interface PreparedPanel {
  /**
   * Whether it can fail for what was asked of it, a port or a browser: then it is opened before the gateway says that it is ready. Otherwise it
   * follows, and the gateway is ready as soon as one without a panel: most of what it costs is loading the runtime's HTTP server.
   */
  readonly comesFirst: boolean;
  /** Opens it; `undefined` where there is to be none. */
  open(started: LocalGateway): Promise<Panel | undefined>;
}

/** Finds out whether there is to be a panel; without one, nothing of it is loaded. */
export function preparePanel(options: OpenPanelOptions): PreparedPanel {
  const none = { comesFirst: false, open: () => Promise.resolve(undefined) };
  if (!isWanted(options)) return none;
  const { values, output } = options;
  const obstacle = obstacleTo(options);
  if (obstacle !== undefined) {
    return {
      ...none,
      open() {
        output.warn(`The panel is off: ${obstacle}`);
        return none.open();
      },
    };
  }
  return {
    comesFirst: values.open || values["ui-port"] !== undefined,
    open: (started) => openPanel(started, options),
  };
}

async function openPanel(
  started: LocalGateway,
  { values, platform, output }: OpenPanelOptions,
): Promise<Panel | undefined> {
  const { startPanel } = await import("../../panel/mod.ts");
  const { gateway, endpoint, tenantId, trunkId } = started;
  const panel = await startPanel({
    ...{ gateway, endpoint, tenantId, trunkId, port: values["ui-port"] ?? 0 },
    program: programFor(started, values.phone[0] ?? PHONE_NUMBER),
    get certificateHashes() {
      return started.certificateHash.split(",");
    },
  });
  if (panel === undefined) {
    output.note("The panel's page was not made: deno task panel makes it");
    return undefined;
  }
  void noteMissedCalls(gateway, panel.url, output);
  if (!values.open) return panel;
  try {
    await platform.openUrl(panel.url);
    return panel;
  } catch (error) {
    await panel.close();
    throw error;
  }
}

/** Says where the phone is turned on when a call has failed because it was off. */
async function noteMissedCalls(gateway: Gateway, url: string, output: Output): Promise<void> {
  for await (const each of gateway.watch()) {
    if (each.type === "log" && each.record.event === "phone.absent") {
      output.note(`The phone is off, so a call to it failed (Q.850 20): turn it on at ${url}`);
    }
  }
}

function isWanted({ values, platform }: OpenPanelOptions): boolean {
  const asks = (["ui", "open"] as const).find((name) => values[name]);
  const isAsked = asks !== undefined || values["ui-port"] !== undefined;
  if (values["no-ui"] && isAsked) {
    throw new UsageError(`Options --no-ui and --${asks ?? "ui-port"} contradict each other`, {
      command: "gateway",
    });
  }
  const isInteractive = platform.stdout.isTerminal && platform.variable("CI") === undefined;
  return isAsked || (isInteractive && !values["no-ui"]);
}

/** Why the panel stays off where it is wanted. */
function obstacleTo({ values, platform }: OpenPanelOptions): string | undefined {
  if (platform.variable("NODE_ENV") === "production") return "NODE_ENV is production";
  const { hostname = "127.0.0.1" } = values;
  // A Content Security Policy has no IPv6 addresses (W3C CSP3 section 2.3.1): the page could connect to every host, or to none.
  if (hostname === "::1") return "its page cannot connect to ::1, use --hostname 127.0.0.1";
  return ["127.0.0.1", "localhost"].includes(hostname)
    ? undefined
    : `other machines reach ${hostname}`;
}
