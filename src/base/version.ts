/**
 * The version of the package, in the one place where the code names it. A test compares it with `deno.json`.
 *
 * @module
 */

/** Semantic version, such as `"0.1.0"`. */
export const VERSION = "0.1.0";
