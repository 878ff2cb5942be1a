"""What the drivers of clients in Python share: they call in turn, and never end by themselves."""

import asyncio
import logging
import os
import sys
from itertools import cycle

BREATH = 0.1  # seconds


async def rest_after(error):
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    await asyncio.sleep(BREATH)


async def answered(invoke, call, refusals):
    while True:
        try:
            return await invoke(call)
        except refusals as error:
            await rest_after(error)


async def call_for_ever(invoke, calls, refusals):
    """Makes the calls in turn, each again until it is answered: an error of `refusals` is no answer, any other ends this."""
    for call in cycle(calls):
        await answered(invoke, call, refusals)
        await asyncio.sleep(BREATH)


async def for_ever(attempt):
    while True:
        try:
            await attempt()
        except Exception as error:  # whatever the library gives up with; a program would connect again
            await rest_after(error)


def run(words, level, trust, stay):
    """Has `trust` read the key, then `stay` at the address, again and again; `level` names the variable of the log's level."""
    address, pem = words
    host, _, port = address.rpartition(":")
    logging.basicConfig(level=os.environ.get(level, "WARNING"))
    trust(pem)
    asyncio.run(for_ever(lambda: stay(host, int(port))))
