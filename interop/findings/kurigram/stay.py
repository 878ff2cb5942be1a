"""usage: stay.py HOST:PORT PUBLIC-KEY.pem

Kurigram (the `pyrogram` package that it installs) with its own defaults, for `dayfly check client`: it calls help.getConfig and
help.getNearestDc in turn, each again until it is answered. When Kurigram gives up, it begins anew, and never ends by itself.
"""

import asyncio
import base64
import logging
import os
import sys
from hashlib import sha1
from itertools import cycle
from pathlib import Path

from pyrogram import Client, raw
from pyrogram.connection import Connection
from pyrogram.crypto import rsa
from pyrogram.errors import RPCError
from pyrogram.raw.core import Bytes

BREATH = 0.1  # seconds


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


async def answered(client, call):
    while True:
        try:
            return await client.invoke(call)
        except (RPCError, OSError, asyncio.TimeoutError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            await asyncio.sleep(BREATH)


async def stay(host, port):
    factory = connections_to(host, port)
    client = Client("check", api_id=1, api_hash="0" * 32, in_memory=True, connection_factory=factory)
    await client.connect()
    for call in cycle((raw.functions.help.GetConfig(), raw.functions.help.GetNearestDc())):
        await answered(client, call)
        await asyncio.sleep(BREATH)


async def stay_for_ever(host, port):
    while True:
        try:
            await stay(host, port)
        except Exception as error:  # whatever Kurigram gives up with; a program would connect again
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            await asyncio.sleep(BREATH)


def main(words):
    address, pem = words
    host, _, port = address.rpartition(":")
    logging.basicConfig(level=os.environ.get("KURIGRAM_LOG_LEVEL", "WARNING"))
    trust(pem)
    asyncio.run(stay_for_ever(host, int(port)))


if __name__ == "__main__":
    main(sys.argv[1:])
