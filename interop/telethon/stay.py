"""usage: stay.py HOST:PORT PUBLIC-KEY.pem

Telethon with its own defaults, for `dayfly check client`: it calls help.getConfig and help.getNearestDc in turn, each again until
it is answered. When Telethon says that it cannot connect, it begins anew, and never ends by itself.
"""

import asyncio
import logging
import os
import sys
from itertools import cycle
from pathlib import Path

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import BadMessageError, RPCError
from telethon.sessions import MemorySession
from telethon.tl.functions.help import GetConfigRequest, GetNearestDcRequest

DC = 2
BREATH = 0.1  # seconds


async def answered(client, request):
    while True:
        try:
            return await client(request)
        except (RPCError, BadMessageError, asyncio.TimeoutError) as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            await asyncio.sleep(BREATH)


async def stay(session):
    client = TelegramClient(session, api_id=1, api_hash="0" * 32)
    try:
        await client.connect()
    except RPCError:
        pass  # users.getUsers, which it calls last: nobody is logged in
    for request in cycle((GetConfigRequest(), GetNearestDcRequest())):
        await answered(client, request)
        await asyncio.sleep(BREATH)


async def stay_for_ever(host, port):
    session = MemorySession()
    session.set_dc(DC, host, port)
    while True:
        try:
            await stay(session)
        except Exception as error:  # whatever Telethon gives up with; a program would connect again
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
            await asyncio.sleep(BREATH)


def main(words):
    address, pem = words
    host, _, port = address.rpartition(":")
    logging.basicConfig(level=os.environ.get("TELETHON_LOG_LEVEL", "WARNING"))
    rsa.add_key(Path(pem).read_text(), old=True)
    asyncio.run(stay_for_ever(host, int(port)))


if __name__ == "__main__":
    main(sys.argv[1:])
