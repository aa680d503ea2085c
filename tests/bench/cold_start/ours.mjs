import { importSigner, parseServiceAccount, signToken } from "@telequick/sdk/token";

export async function firstToken(text) {
  await signToken(await importSigner(parseServiceAccount(text)));
}
