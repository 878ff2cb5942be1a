"""usage: stay.py HOST:PORT PUBLIC-KEY.pem

Kurigram (the `pyrogram` package that it installs) with its own defaults, for `dayfly check client`: it calls help.getConfig and
help.getNearestDc in turn, each again until it is answered. When Kurigram gives up, it begins anew, and never ends by itself.
"""

import asyncio
import base64
import sys
from hashlib import sha1
from pathlib import Path

from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.crypto import rsa
from pyrogram.errors import RPCError
from pyrogram.raw.core import Bytes

sys.path.append(str(Path(__file__).resolve().parents[1]))
import staying


def read_key(path):
    """The modulus and the exponent of a PKCS#1 file of 2048 bits."""
    lines = Path(path).read_text().splitlines()
    der = base64.b64decode("".join(line for line in lines if not line.startswith("-")))
    modulus = der[9 : 9 + 256]  # SEQUENCE and INTEGER of two bytes of length each, and a zero for the sign
    exponent = der[9 + 256 + 2 :]
    return modulus, exponent


def trust(path):
    modulus, exponent = read_key(path)
    fingerprint = int.from_bytes(sha1(Bytes(modulus) + Bytes(exponent)).digest()[-8:], "little", signed=True)
    key = rsa.PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"))
    rsa.server_public_keys[fingerprint] = key


def connections_to(host, port):
    def connect(**settings):
        return Connection(**settings | {"server_address": host, "port": port})

    return connect


async def stay(host, port):
    factory = connections_to(host, port)
    client = Client("check", api_id=1, api_hash="0" * 32, in_memory=True, connection_factory=factory)
    await client.connect()
    calls = (raw.functions.help.GetConfig(), raw.functions.help.GetNearestDc())
    await staying.call_for_ever(client.invoke, calls, (RPCError, OSError, asyncio.TimeoutError))


if __name__ == "__main__":
    staying.run(sys.argv[1:], "KURIGRAM_LOG_LEVEL", trust, stay)
