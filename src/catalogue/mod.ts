/**
 * What every code means, what causes it, and what to do: for the command line, the documentation and the gateway's page.
 *
 * @module
 */

export { errorCatalogue } from "./errors.ts";
export type { CatalogueEntry, Retryable } from "./errors.ts";
export {
  endingCatalogue,
  eventCatalogue,
  q850Entry,
  refusalCatalogue,
  wireCatalogue,
} from "./wire.ts";
export { logCatalogue } from "./log.ts";
export type { LogEntry } from "./log.ts";
export { allExplanations, eventName, findExplanations, knownCodes } from "./lookup.ts";
export type { CodeKind, Explanation } from "./lookup.ts";
