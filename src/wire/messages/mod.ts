/**
 * Every message with its fields, its methods and the constants that its fields contain.
 *
 * @module
 */

export * from "./error_code.ts";
export * from "./call.ts";
export * from "./bulk.ts";
export * from "./event.ts";
export * from "./routing.ts";
export * from "./bucket.ts";
export * from "./dialplan.ts";
export * from "./supervise.ts";
export * from "./session.ts";
export * from "./trunk.ts";
export * from "./admin.ts";
export * from "./audio.ts";
