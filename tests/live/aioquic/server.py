"""A server on aioquic that speaks enough of TeleQuick for a client to sign in, dial and ask. Arguments: certificate, key.

It prints its port. When a call is hung up it ends the session by the close capsule and a FIN alone, and leaves the connection open.
"""

import asyncio
import struct
import sys
import time

import wire
from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import FrameType, H3Connection, encode_frame
from aioquic.h3.events import HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration


class Server(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.h3 = H3Connection(self._quic, enable_webtransport=True)
        self.requests = {}
        self.session = None

    def quic_event_received(self, event):
        for found in self.h3.handle_event(event):
            if isinstance(found, HeadersReceived):
                self.session = found.stream_id
                self.h3.send_headers(found.stream_id, [(b":status", b"200")])
            elif isinstance(found, WebTransportStreamDataReceived):
                data = self.requests.get(found.stream_id, b"") + found.data
                self.requests[found.stream_id] = data
                if found.stream_ended and found.stream_id % 4 == 0:
                    self.reply(found.stream_id, data)
        self.transmit()

    def reply(self, stream_id, data):
        del self.requests[stream_id]
        ((method, body),), _ = wire.frames(data)
        now = struct.pack("<q", int(time.time() * 1000))
        none = wire.text("") + struct.pack("<i", 0)
        fields = b""
        if method == wire.AUTHENTICATE:
            later = struct.pack("<q", int(time.time() * 1000) + 900_000)
            fields = wire.text("OK") + none + wire.text("acme") + later
        elif method == wire.ORIGINATE:
            fields = wire.text("call-1") + wire.text("INITIATED") + none + now
        elif method == wire.TERMINATE:
            fields = wire.text(wire.Fields(body).text()) + wire.text("COMPLETED") + none + now
        self._quic.send_stream_data(stream_id, wire.envelope(fields), end_stream=True)
        if method == wire.TERMINATE:
            asyncio.get_running_loop().call_later(0.1, self.end)

    def end(self):
        reason = b"the gateway goes down"
        payload = struct.pack(">I", 503) + reason
        capsule = encode_uint_var(0x2843) + encode_uint_var(len(payload)) + payload
        data = encode_frame(FrameType.DATA, capsule)
        self._quic.send_stream_data(self.session, data, end_stream=True)
        self.transmit()


async def main():
    configuration = QuicConfiguration(
        is_client=False, alpn_protocols=["h3"], max_datagram_frame_size=65536
    )
    configuration.load_cert_chain(sys.argv[1], sys.argv[2])
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server)
    print(server._transport.get_extra_info("sockname")[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
