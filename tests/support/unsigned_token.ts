import { unsignedToken } from "../../src/testing/mod.ts";

export { unsignedToken };

/** The same token every time, for gateways that do not look at it. */
export const UNSIGNED_TOKEN: string = unsignedToken();
