/**
 * The panel of `telequick gateway`: when it is opened, and with what.
 *
 * @module
 */

import { ignore } from "../../base/ignore.ts";
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

/** Opens the panel of a gateway; `undefined` where there is to be none. */
export type OpenPanel = (started: LocalGateway) => Promise<Panel | undefined>;

/**
 * Begins to load the panel where there is to be one, while the gateway starts: a gateway without one starts without it.
 *
 * @returns What opens it.
 */
export function preparePanel(options: OpenPanelOptions): OpenPanel {
  if (!isWanted(options)) return () => Promise.resolve(undefined);
  const { values, platform, output } = options;
  const obstacle = obstacleTo(options);
  if (obstacle !== undefined) {
    return () => {
      output.warn(`The panel is off: ${obstacle}`);
      return Promise.resolve(undefined);
    };
  }
  const loading = import("../../panel/mod.ts");
  loading.catch(ignore);
  return async (started) => {
    const { startPanel } = await loading;
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
  };
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
