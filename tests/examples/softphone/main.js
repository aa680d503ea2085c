// A softphone: microphone and loudspeaker of the page, one call at a time. Built with Vite: npx vite build
// The page's server answers /settings (endpoint, certificateHash, trunkId) and /telequick-token (see token_backend.ts).
import { TeleQuickClient } from "@telequick/sdk";
import { openAudio } from "@telequick/sdk/browser";

const form = document.querySelector("form");
const [callButton, hangUpButton] = document.querySelectorAll("button");
const output = document.querySelector("output");

async function ask(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response;
}

const fetchToken = async () => await (await ask("/telequick-token")).text();

form.onsubmit = async (event) => {
  event.preventDefault();
  callButton.disabled = true;
  try {
    await talk(form.elements.to.value);
  } catch (error) {
    // Messages of the SDK say what to do.
    output.value = error.message;
  } finally {
    callButton.disabled = false;
    hangUpButton.disabled = true;
  }
};

async function talk(to) {
  // In the click: browsers start sound and ask for the microphone in no other place.
  const audio = await openAudio();
  const { endpoint, certificateHash, trunkId } = await (await ask("/settings")).json();
  const client = new TeleQuickClient(endpoint, fetchToken, true, {
    clock: audio.clock,
    serverCertificateHash: certificateHash,
  });
  try {
    output.value = "calling";
    const call = await client.dial({ to, trunkId });
    audio.connect(call);
    hangUpButton.disabled = false;
    hangUpButton.onclick = () => call.hangUp();
    await call.answered();
    output.value = "answered";
    const { durationSeconds, cause } = await call.ended;
    output.value = `ended after ${durationSeconds} s: ${cause}`;
  } finally {
    await client.close();
    await audio.close();
  }
}
