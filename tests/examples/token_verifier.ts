// A service of your own behind a load balancer: every replica refuses a revoked key, and accepts a single-use token once for all of them.
// Hono on Deno, Bun or Node, with the package `postgres`.
import process from "node:process";
import { postgresStore } from "@telequick/sdk/postgres";
import { createKeySet, createReplayStore, TeleQuickError, verifyToken } from "@telequick/sdk/token";
import { Hono } from "hono";
import postgres from "postgres";

const sql = postgres(process.env["DATABASE_URL"]!, { fetch_types: false });
const store = postgresStore({
  query: (text, values) => sql.unsafe(text, values),
  listen: (channel, listener) => sql.listen(channel, listener),
});
const keys = createKeySet({ store });
const replay = createReplayStore({ store });

const app = new Hono();

app.get("/whoami", async (c) => {
  const token = c.req.header("authorization")?.replace(/^Bearer /, "") ?? "";
  try {
    const { tenantId, scope } = await verifyToken(token, { resolveKey: keys.resolveKey, replay });
    return c.json({ tenantId, scope });
  } catch (error) {
    if (!(error instanceof TeleQuickError)) throw error;
    // Neither accepted nor refused: the database does not answer, and the caller can try again.
    if (error.retryable) return c.text("try again", 503, { "retry-after": "1" });
    return c.text(error.refusal ?? "rejected", 401);
  }
});

/** Lets the process end: no timer and no connection is left. */
export async function close(): Promise<void> {
  keys.close();
  await sql.end({ timeout: 1 });
}

export default app;
