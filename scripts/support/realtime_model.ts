import { encodePcmu, toneSamples } from "../../src/audio/mod.ts";

/** A server of the Realtime API's shape: it speaks when asked to, and again after it was interrupted. */
export function serveModel(): { readonly url: string; close(): Promise<void> } {
  const speech = encodePcmu(toneSamples({ frequencyHz: 300, sampleRate: 8_000, milliseconds: 20 }));
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    const send = (event: object): void =>
      socket.send(JSON.stringify({ event_id: crypto.randomUUID(), ...event }));
    let answers = 0;
    const speak = (milliseconds: number): void => {
      const id = `r${++answers}`;
      const ids = { response_id: id, item_id: `i${answers}`, output_index: 0, content_index: 0 };
      send({ type: "response.created", response: { id } });
      for (let ms = 0; ms < milliseconds; ms += 20) {
        send({ type: "response.output_audio.delta", ...ids, delta: speech.toBase64() });
      }
      send({ type: "response.output_audio.done", ...ids });
    };
    socket.onopen = () => send({ type: "session.created", session: { id: "s" } });
    let isSpoken = false;
    let quiet = 0;
    socket.onmessage = ({ data }) => {
      const { type, audio } = JSON.parse(data);
      if (type === "response.create") speak(5_000);
      if (type !== "input_audio_buffer.append") return;
      const isLoud = Uint8Array.fromBase64(audio).some((code) => (code & 0x7f) < 0x50);
      quiet = isLoud ? 0 : quiet + 1;
      if (isLoud && !isSpoken) {
        isSpoken = true;
        send({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "i0" });
      }
      if (isSpoken && quiet === 10) speak(400);
    };
    return response;
  });
  const { port } = server.addr as Deno.NetAddr;
  return { url: `ws://127.0.0.1:${port}`, close: () => server.shutdown() };
}
