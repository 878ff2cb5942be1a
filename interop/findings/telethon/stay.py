"""usage: stay.py HOST:PORT PUBLIC-KEY.pem

Telethon with its own defaults, for `dayfly check client`: it calls help.getConfig and help.getNearestDc in turn, each again until
it is answered. When Telethon says that it cannot connect, it begins anew, and never ends by itself.
"""

import asyncio
import sys
from pathlib import Path

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import BadMessageError, RPCError
from telethon.sessions import MemorySession
from telethon.tl.functions.help import GetConfigRequest, GetNearestDcRequest

sys.path.append(str(Path(__file__).resolve().parents[1]))
import staying

DC = 2
SESSION = MemorySession()  # with the key, as a program keeps it when it connects again


def trust(path):
    rsa.add_key(Path(path).read_text(), old=True)


async def stay(host, port):
    SESSION.set_dc(DC, host, port)
    client = TelegramClient(SESSION, api_id=1, api_hash="0" * 32)
    try:
        await client.connect()
    except RPCError:
        pass  # users.getUsers, which it calls last: nobody is logged in
    refusals = (RPCError, BadMessageError, asyncio.TimeoutError)
    await staying.call_for_ever(client, (GetConfigRequest(), GetNearestDcRequest()), refusals)


if __name__ == "__main__":
    staying.run(sys.argv[1:], "TELETHON_LOG_LEVEL", trust, stay)
