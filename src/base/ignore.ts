/**
 * The handler of what needs no handling.
 *
 * @module
 */

/** Does nothing: the handler of a rejection that another place reports, and the callback where none is needed. */
export function ignore(): void {}
