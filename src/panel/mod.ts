/**
 * The panel: a page that shows the local gateway, injects faults, and is a phone that the gateway's calls ring.
 *
 * @module
 */

export { startPanel } from "./panel.ts";
export type { Panel, PanelOptions } from "./panel.ts";
