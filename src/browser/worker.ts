/**
 * The client in a Worker, for a page that is busy: `serveClients()` there, `WorkerClient` in the page.
 *
 * @module
 */

export { serveClients } from "./worker/serve.ts";
export { WorkerClient } from "./worker/worker_client.ts";
export type { WorkerClientOptions, WorkerLike } from "./worker/worker_client.ts";
export type { WorkerCall } from "./worker/worker_call.ts";
export type { Port } from "./worklet/messages.ts";
