// NODE_OPTIONS=--experimental-vm-modules npx jest
import { expect, test } from "@jest/globals";
import { testGateway } from "@telequick/sdk/testing";

test("a revoked key", async () => {
  const kit = await testGateway({ clock: "fake" });
  await kit.revokeKey();
  const error = await kit.client.connect().catch((error) => error);
  expect(error.refusal).toBe("revoked");
  await kit.close();
});
