/**
 * A program that dials the panel's phone and says back what it hears, as one does that takes a first look. Its one argument is what the
 * panel's process printed; it ends with its standard input.
 *
 * @module
 */

import process from "node:process";
import { TeleQuickClient } from "../../../mod.ts";
import { PANEL_NUMBER, type PanelProcess } from "./panel_process.ts";

const { endpoint, token, certificateHash } = JSON.parse(process.argv[2]!) as PanelProcess;
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
const client = new TeleQuickClient(endpoint, () => token, false, certificateHash);
const call = await client.dial({ to: PANEL_NUMBER, trunkId: "main" });
await call.answered();
const audio = call.audio({ codec: "PCM16", source: "live" });
await audio.samples.pipeTo(audio.writable);
