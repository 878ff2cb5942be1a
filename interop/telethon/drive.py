"""usage: drive.py HOST:PORT PUBLIC-KEY.pem [TRANSPORT [SECONDS]]

Connects Telethon to one server over TRANSPORT (`full`, its own default, unless said otherwise), which makes it create a
permanent key with the older RSA scheme, then calls help.getConfig and help.getNearestDc under that key: Telethon has no
forward secrecy. One JSON object a line on stdout. Exit code 0: both calls were answered; 1: they were not, the last line says
why; 2: wrong usage; 3: Telethon made a key that begins with a zero byte and lost it (see KNOWN_FLAW), which says nothing about
the server. With the secret of an MTProxy in MTPROXY_SECRET, in hexadecimal, the server is taken for that proxy.
"""

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import RPCError
from telethon.network import connection
from telethon.sessions import MemorySession
from telethon.tl.functions.help import GetConfigRequest, GetNearestDcRequest

# Telethon strips leading zero bytes of auth_key before it hashes it: with the published prime one key in about 199 is lost,
# and it logs the server's right hash as wrong.
KNOWN_FLAW = "Step 3 invalid new nonce hash"
# What a server without a back end answers to users.getUsers, which connect() calls last.
NO_BACK_END = "INPUT_METHOD_INVALID_"
DC = 2
# Every transport that Telethon speaks on TCP without a proxy. ConnectionHttp is none of them: it compares the last byte of each
# line with a string of bytes, and so reads no answer of any server.
TRANSPORTS = {
    "full": connection.ConnectionTcpFull,
    "abridged": connection.ConnectionTcpAbridged,
    "intermediate": connection.ConnectionTcpIntermediate,
    "obfuscated-abridged": connection.ConnectionTcpObfuscated,
}
# Those that it speaks to an MTProxy.
BY_MTPROXY = {
    "obfuscated-abridged": connection.ConnectionTcpMTProxyAbridged,
    "obfuscated-intermediate": connection.ConnectionTcpMTProxyIntermediate,
    "obfuscated-padded": connection.ConnectionTcpMTProxyRandomizedIntermediate,
}


class LostKey(Exception):
    """Telethon's own flaw, KNOWN_FLAW."""


@dataclass
class Settings:
    host: str
    port: int
    pem: Path
    transport: type
    seconds: float
    secret: str | None


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


def parse(words):
    """Settings from the command line; None when it is wrong."""
    if not 2 <= len(words) <= 4:
        return None
    address, pem, transport, seconds = words + ["full", "60"][len(words) - 2 :]
    host, _, port = address.rpartition(":")
    try:
        secret = os.environ.get("MTPROXY_SECRET")
        kind = (BY_MTPROXY if secret else TRANSPORTS)[transport]
        settings = Settings(host.strip("[]"), int(port), Path(pem), kind, float(seconds), secret)
    except (KeyError, ValueError):
        return None
    return settings if settings.host and settings.seconds > 0 else None


class Listener(logging.Handler):
    """Telethon's log on stderr; keeps the warnings, which is the only place where it says why it made no key."""

    def __init__(self):
        super().__init__()
        self.warnings = []

    def emit(self, record):
        text = f"{record.name}: {record.getMessage()}"
        print(text, file=sys.stderr)
        if record.levelno >= logging.WARNING:
            self.warnings.append(text)


def make_client(settings):
    session = MemorySession()
    session.set_dc(DC, settings.host, settings.port)
    return TelegramClient(
        session,
        api_id=1,
        api_hash="0" * 32,
        connection=settings.transport,
        proxy=(settings.host, settings.port, settings.secret) if settings.secret else None,
        # Once: a server that does not answer is a result, not something to wait for.
        connection_retries=0,
        auto_reconnect=False,
        receive_updates=False,
    )


async def connect(client, listener):
    try:
        await client.connect()
    except RPCError as error:
        if not str(error.message).startswith(NO_BACK_END):
            raise
    except ConnectionError as error:
        if any(KNOWN_FLAW in warning for warning in listener.warnings):
            raise LostKey from error
        raise


async def call(client):
    config = await client(GetConfigRequest())
    say("result", method="help.getConfig", dc=config.this_dc, dcOptions=len(config.dc_options))
    nearest = await client(GetNearestDcRequest())
    say("result", method="help.getNearestDc", dc=nearest.this_dc, nearest=nearest.nearest_dc)


async def drive(settings, listener):
    client = make_client(settings)
    try:
        async with asyncio.timeout(settings.seconds):
            await connect(client, listener)
            await call(client)
    finally:
        await client.disconnect()


def main(words):
    settings = parse(words)
    if settings is None:
        print(f"usage: drive.py HOST:PORT PUBLIC-KEY.pem [{'|'.join(TRANSPORTS)} [SECONDS]]", file=sys.stderr)
        return 2
    listener = Listener()
    logging.basicConfig(level=os.environ.get("TELETHON_LOG_LEVEL", "WARNING"), handlers=[listener])
    try:
        rsa.add_key(settings.pem.read_text(), old=True)
        asyncio.run(drive(settings, listener))
    except LostKey:
        say("lost_key", reason=KNOWN_FLAW)
        return 3
    except TimeoutError:
        say("failed", reason=f"no result within {settings.seconds} s")
        return 1
    except Exception as error:  # whatever it is, it is the result of this run
        say("failed", reason=f"{type(error).__name__}: {error}", log=listener.warnings)
        return 1
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
