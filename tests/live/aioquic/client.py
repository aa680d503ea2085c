"""A client on aioquic against the gateway: one line of JSON for each check. Its argument says where the gateway is, and holds a token."""

import asyncio
import json
import ssl
import struct
import sys
import traceback

import wire
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.buffer import encode_uint_var
from aioquic.h3.connection import FrameType, H3Connection, encode_frame
from aioquic.h3.events import DataReceived, HeadersReceived, WebTransportStreamDataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StreamDataReceived

SECONDS = 20


class Peer(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.h3 = H3Connection(self._quic, enable_webtransport=True)
        self.answers = {}
        self.bodies = {}
        self.replies = {}
        self.pushed = {}
        self.heard = asyncio.Queue()
        self.terminated = asyncio.get_running_loop().create_future()

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated) and not self.terminated.done():
            self.terminated.set_result(event.error_code)
        # aioquic takes what comes on a client's own WebTransport stream for HTTP/3 frames.
        if isinstance(event, StreamDataReceived) and event.stream_id in self.replies:
            self.replies[event.stream_id].put_nowait((event.data, event.end_stream))
            return
        for found in self.h3.handle_event(event):
            if isinstance(found, HeadersReceived):
                status = int(dict(found.headers)[b":status"])
                self.answer(found.stream_id).set_result(status)
            elif isinstance(found, DataReceived):
                self.bodies.setdefault(found.stream_id, bytearray()).extend(found.data)
            elif isinstance(found, WebTransportStreamDataReceived):
                data = self.pushed.get(found.stream_id, b"") + found.data
                whole, self.pushed[found.stream_id] = wire.frames(data)
                for frame in whole:
                    self.heard.put_nowait(frame)

    def answer(self, stream_id):
        loop = asyncio.get_running_loop()
        return self.answers.setdefault(stream_id, loop.create_future())

    async def ask(self, method="CONNECT", protocol="webtransport"):
        stream_id = self._quic.get_next_available_stream_id()
        headers = [(b":method", method.encode()), (b":scheme", b"https")]
        headers += [(b":authority", b"127.0.0.1"), (b":path", b"/")]
        if protocol is not None:
            headers.append((b":protocol", protocol.encode()))
        self.h3.send_headers(stream_id, headers, end_stream=method != "CONNECT")
        self.transmit()
        return stream_id, await self.answer(stream_id)

    async def session(self):
        stream_id, status = await self.ask()
        assert status == 200, f"status {status}"
        return stream_id

    async def rpc(self, session, data):
        stream_id = self._quic.get_next_available_stream_id()
        self.replies[stream_id] = asyncio.Queue()
        head = encode_uint_var(0x41) + encode_uint_var(session)
        self._quic.send_stream_data(stream_id, head + data, end_stream=True)
        self.transmit()
        reply, end = b"", False
        while not end:
            part, end = await self.replies[stream_id].get()
            reply += part
        return reply

    def open_audio(self, session):
        stream_id = self._quic.get_next_available_stream_id(is_unidirectional=True)
        head = encode_uint_var(0x54) + encode_uint_var(session)
        self._quic.send_stream_data(stream_id, head)
        return stream_id

    def send(self, stream_id, data, end=False):
        self._quic.send_stream_data(stream_id, data, end_stream=end)
        self.transmit()


async def call(peer, order):
    """signs in, dials, hears its echo and hangs up"""
    session = await peer.session()
    client_id = "b6b1ed43-9cb0-4b6c-9a0e-3c1c8f1f0b8e"
    fields = wire.text(order["token"]) + wire.text(client_id) + wire.text("aioquic")
    reply = wire.Fields(await peer.rpc(session, wire.request(wire.AUTHENTICATE, fields)))
    assert reply.text() == "OK", reply.text()
    await peer.rpc(session, wire.request(wire.STREAM_EVENTS, wire.text(client_id)))
    dialled = await peer.rpc(session, wire.originate(order["trunk"], "+15550100", client_id))
    fields = wire.Fields(dialled)
    sid, status, message = fields.text(), fields.text(), fields.text()
    assert sid != "", f"{status}: {message}"

    async def event(wanted):
        while True:
            method, data = await peer.heard.get()
            if method != wire.STREAM_EVENTS:
                continue
            fields = wire.Fields(data)
            fields.text(), fields.take("<i")
            if fields.text() == wanted:
                return

    await event("ANSWERED")
    stream_id = peer.open_audio(session)
    spoken = [bytes((i * 31 + n) & 255 for i in range(160)) for n in range(50)]
    for number, payload in enumerate(spoken):
        peer.send(stream_id, wire.audio(sid, payload, number))
        await asyncio.sleep(0.02)
    heard = []
    while len(heard) < len(spoken):
        method, data = await peer.heard.get()
        if method == wire.AUDIO:
            fields = wire.Fields(data)
            fields.text()
            payload = fields.binary()
            if payload:
                heard.append(payload)
    assert heard == spoken, "the echo is what was spoken"
    peer.send(stream_id, wire.audio(sid, b"", len(spoken), end=True), end=True)
    reply = wire.Fields(await peer.rpc(session, wire.request(wire.TERMINATE, wire.text(sid))))
    assert reply.text() == sid
    await event("COMPLETED")


async def later_requests(peer, order):
    """a second CONNECT is answered with 429 and a GET with 404, and the session goes on"""
    session = await peer.session()
    assert (await peer.ask())[1] == 429
    assert (await peer.ask("GET", None))[1] == 404
    fields = wire.text(order["token"]) + wire.text("") + wire.text("aioquic")
    reply = wire.Fields(await peer.rpc(session, wire.request(wire.AUTHENTICATE, fields)))
    assert reply.text() == "OK"


async def first_get(peer, order):
    """a GET on a fresh connection is answered with 404, and H3_NO_ERROR ends the connection"""
    assert (await peer.ask("GET", None))[1] == 404
    assert await peer.terminated == 0x100


async def new_token(peer, order):
    """webtransport-h3 is accepted as webtransport is"""
    assert (await peer.ask(protocol="webtransport-h3"))[1] == 200


async def second_settings(peer, order):
    """a second SETTINGS frame ends the connection with H3_FRAME_UNEXPECTED"""
    await peer.session()
    peer.send(peer.h3._local_control_stream_id, encode_frame(FrameType.SETTINGS, b""))
    assert await peer.terminated == 0x105


async def closed_control(peer, order):
    """the end of the control stream ends the connection with H3_CLOSED_CRITICAL_STREAM"""
    await peer.session()
    peer.send(peer.h3._local_control_stream_id, b"", end=True)
    assert await peer.terminated == 0x104


async def closed_encoder(peer, order):
    """the end of the QPACK encoder's stream ends the connection with H3_CLOSED_CRITICAL_STREAM"""
    await peer.session()
    peer.send(peer.h3._local_encoder_stream_id, b"", end=True)
    assert await peer.terminated == 0x104


async def odd_session(peer, order):
    """a stream of a session that cannot be ends the connection with H3_ID_ERROR"""
    await peer.session()
    stream_id = peer._quic.get_next_available_stream_id(is_unidirectional=True)
    peer.send(stream_id, encode_uint_var(0x54) + encode_uint_var(3))
    assert await peer.terminated == 0x108


async def close_capsule(peer, order):
    """the close capsule and a FIN end the session, and H3_NO_ERROR the connection"""
    session = await peer.session()
    capsule = encode_uint_var(0x2843) + encode_uint_var(7) + struct.pack(">I", 1234) + b"bye"
    peer.send(session, encode_frame(FrameType.DATA, capsule), end=True)
    assert await peer.terminated == 0x100


CHECKS = [
    call,
    later_requests,
    first_get,
    new_token,
    second_settings,
    closed_control,
    closed_encoder,
    odd_session,
    close_capsule,
]


async def run(check, order):
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["h3"], max_datagram_frame_size=65536
    )
    configuration.verify_mode = ssl.CERT_NONE
    address = (order["hostname"], order["port"])
    async with connect(*address, configuration=configuration, create_protocol=Peer) as peer:
        await asyncio.wait_for(check(peer, order), SECONDS)


for check in CHECKS:
    result = {"title": check.__doc__}
    try:
        asyncio.run(run(check, json.loads(sys.argv[1])))
    except BaseException:
        result["fault"] = traceback.format_exc()
    print(json.dumps(result), flush=True)
