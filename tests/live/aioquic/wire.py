"""TeleQuick's frames and messages, as src/wire/PROTOCOL.md describes them: enough for one call."""

import struct

AUTHENTICATE = 0x303BBE91
STREAM_EVENTS = 0x3935EE61
ORIGINATE = 0x55466983
TERMINATE = 0xE48A105D
AUDIO = 0xB247DDF0
GET_ACTIVE_BUCKETS = 0x9C6EC18F

PARK = 1


def text(value):
    data = value.encode()
    return struct.pack("<i", len(data)) + data


def binary(value):
    return struct.pack("<i", len(value)) + value


def envelope(fields, version=0):
    return struct.pack("<BBi", version, 0, len(fields)) + fields


def request(method, fields, version=0):
    body = envelope(fields, version)
    return struct.pack("<II", len(body) + 8, method) + body


def push(method, fields):
    body = envelope(fields)
    return struct.pack("<II", len(body) + 4, method) + body


def originate(trunk, number, client_id):
    fields = text(trunk) + text(number) + text("") * 4 + struct.pack("<i", 0) + text("")
    fields += struct.pack("<i", PARK) + text("") + b"\0" + struct.pack("<i", 0) + text(client_id)
    return request(ORIGINATE, fields + struct.pack("<I", 0) + text(""), version=1)


def audio(call, payload, number, end=False):
    fields = text(call) + binary(payload) + text("PCMU") + struct.pack("<QB", number, end)
    return push(AUDIO, fields)


class Fields:
    """Reads the fields of an envelope in order."""

    def __init__(self, data):
        _, _, length = struct.unpack_from("<BBi", data)
        self.data = data[6 : 6 + length]
        self.offset = 0

    def take(self, form):
        (value,) = struct.unpack_from(form, self.data, self.offset)
        self.offset += struct.calcsize(form)
        return value

    def binary(self):
        length = self.take("<i")
        value = self.data[self.offset : self.offset + length]
        self.offset += length
        return value

    def text(self):
        return self.binary().decode()


def frames(data):
    """Whole frames at the beginning of the data, and the rest of it."""
    found = []
    while len(data) >= 14:
        _, method = struct.unpack_from("<II", data)
        (payload,) = struct.unpack_from("<i", data, 10)
        end = 14 + payload
        if len(data) < end:
            break
        found.append((method, data[8:end]))
        data = data[end:]
    return found, data
