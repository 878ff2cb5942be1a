"""Telethon against the lab: what it does when all is well, when the key exchange is wrong, and when time passes."""

import asyncio
import logging

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.errors import InvalidBufferError
from telethon.sessions import MemorySession
from telethon.tl.functions.help import GetConfigRequest

DC = 2
SECONDS = 60
# connect() ends with users.getUsers, to learn who is logged in: nobody.
NOBODY = {"method": "0x0d91a548", "error": {"code": 401, "message": "AUTH_KEY_UNREGISTERED"}}
# Telethon strips leading zero bytes of auth_key before it hashes it, and so loses one key in about 199.
LOST_KEY = "Step 3 invalid new nonce hash"


def make_client(lab):
    rsa.add_key(lab.public_key, old=True)
    session = MemorySession()
    session.set_dc(DC, lab.host, lab.port)
    return TelegramClient(
        session,
        api_id=1,
        api_hash="0" * 32,
        connection_retries=0,
        auto_reconnect=False,
        receive_updates=False,
    )


def with_client(lab, act=None):
    """Connects, and does `act` with the client; gives what that gives."""

    async def run():
        client = make_client(lab)
        try:
            async with asyncio.timeout(SECONDS):
                await client.connect()
                return await act(client) if act else None
        finally:
            await client.disconnect()

    return asyncio.run(run())


def served(lab, caplog, act):
    """`with_client`, and again when Telethon lost its key."""
    for _ in range(2):
        try:
            return with_client(lab, act)
        except ConnectionError:
            if LOST_KEY not in caplog.text:
                raise
            caplog.clear()
    return with_client(lab, act)


async def dc_of(client):
    return (await client(GetConfigRequest())).this_dc


LEGAL = ["server-nonce-zero", "res-pq-fingerprints-around", "g-seven", "ga-leading-zero", "trailing"]


@pytest.mark.parametrize("choices", [[], LEGAL], ids=["calm", "lively"])
def test_it_makes_a_key_and_calls(lab, caplog, choices):
    lab.scenario(*({"fault": fault} for fault in choices), answers=[NOBODY])
    assert served(lab, caplog, dc_of) == DC
    lab.until(lambda: "\n".join(lab.notes("call")), "help.getConfig under the permanent key")
    assert lab.refused_by() == set()


@pytest.mark.parametrize(
    ("fault", "message", "complaint"),
    [
        ("res-pq-nonce", "resPQ", "Step 1 invalid nonce from server"),
        ("ga-one", "server_DH_params_ok", "g_a is not within (1, dh_prime - 1)"),
        ("dh-gen-ok-hash", "dh_gen_ok", LOST_KEY),
    ],
)
def test_it_refuses_a_wrong_key_exchange(lab, caplog, fault, message, complaint):
    lab.scenario({"fault": fault})
    with pytest.raises(ConnectionError):
        with_client(lab)
    assert complaint in caplog.text
    lab.until(lab.verdict, f"after {message}, which the fault {fault} had altered")
    assert lab.notes("call") == []


def test_the_transcript_names_the_rule_that_it_broke(lab):
    # Telethon splits this pq in two, one of which is no prime, and asks on; the lab tells which rule that is against.
    lab.scenario({"fault": "res-pq-three-primes"})
    with pytest.raises(InvalidBufferError):  # the transport error -404
        with_client(lab)
    lab.until(lab.refused_by, "HS-10")
    lab.until(lab.verdict, "p and q are not the factors of this run's pq (rule HS-10, field p)")


def test_a_scenario_that_is_wrong_is_refused(lab):
    with pytest.raises(ValueError, match="line 1: there is no fault .*; there are: res-pq-nonce, "):
        lab.scenario({"fault": "res-pq-none"})


def test_it_follows_a_clock_that_jumps(lab, caplog):
    async def act(client):
        lab.advance(3600)  # the server is now an hour ahead: the client's msg_id is too low, and its salt has ended
        return await dc_of(client)

    lab.scenario(answers=[NOBODY])
    with caplog.at_level(logging.INFO):
        assert served(lab, caplog, act) == DC
    assert "set time offset to 3600s" in caplog.text
    lab.until(lambda: [entry.get("name") for entry in lab.transcript()], "bad_msg_notification")
