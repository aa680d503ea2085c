// The backend of a page that makes calls: answers a signed-in person with a token that lives five minutes.
// Hono on workerd (Cloudflare Workers); the same lines run on Deno, Bun and Node.
import { importSigner, mintBrowserToken, parseServiceAccount } from "@telequick/sdk/token";
import { Hono } from "hono";
import { cors } from "hono/cors";

interface Bindings {
  /** The text of the service-account file: a secret of the worker. */
  readonly SERVICE_ACCOUNT: string;
  /** The page's origin; the token is pinned to it. */
  readonly PAGE_ORIGIN: string;
  /** What the page's session shows; a real backend asks its session store. */
  readonly SESSION_SECRET: string;
}

const app = new Hono<{ Bindings: Bindings }>();

app.use("*", (c, next) => cors({ origin: c.env.PAGE_ORIGIN })(c, next));
app.use("*", async (c, next) => {
  if (c.req.header("authorization") === `Bearer ${c.env.SESSION_SECRET}`) return await next();
  return c.text("Sign in first", 401);
});

app.get("/telequick-token", async (c) => {
  const signer = await importSigner(parseServiceAccount(c.env.SERVICE_ACCOUNT));
  const token = await mintBrowserToken(signer, {
    origin: c.env.PAGE_ORIGIN,
    // The page may call, and hear and speak on its own calls; nothing else.
    scope: ["call.dial", "call.listen", "call.speak"],
  });
  return c.text(token, 200, { "cache-control": "no-store" });
});

export default app;
