"""A back end for dayfly in Python: answers a few methods over gRPC, one of them later, and sends an update.

usage: backend.py unix:/path/to/socket
       backend.py ADDRESS:PORT CA.pem CERTIFICATE.pem KEY.pem

    help.getInviteText     answers at once
    updates.getState       says that it answers later, sends updatesTooLong to the key, answers when the outcome is there
    account.updateStatus   answers whether any session of the key is connected
    anything else          400 INPUT_METHOD_INVALID_ and the constructor

The modules of the interface are made from proto/ first, see README.md.
"""

import asyncio
import struct
import sys
from pathlib import Path

import grpc

from dayfly.backend.v1 import backend_pb2 as proto
from dayfly.backend.v1 import backend_pb2_grpc as service

GET_INVITE_TEXT = 0x4D392343
GET_STATE = 0xEDD4882A
UPDATE_STATUS = 0x6628562C
INVITE_TEXT = 0x18CB9F78
STATE = 0xA56C2A3E
UPDATES_TOO_LONG = 0xE317AF7E
BOOL_TRUE = 0x997275B5
BOOL_FALSE = 0xBC799737


def words(*values: int) -> bytes:
    """Numbers as TL has them."""
    return struct.pack(f"<{len(values)}I", *values)


def text(value: str) -> bytes:
    """A string as TL has it; the first 253 bytes of it."""
    data = value.encode()[:253]
    data = bytes([len(data)]) + data
    return data + bytes(-len(data) % 4)


def result(call: int, data: bytes) -> proto.ToEdge:
    return proto.ToEdge(answer=proto.Answer(call=call, result=data))


def error(call: int, code: int, message: str) -> proto.ToEdge:
    return proto.ToEdge(answer=proto.Answer(call=call, error=proto.RpcError(code=code, message=message)))


class Conversation:
    """What is said on one stream, one thing after another.

    Everything here is quick. A back end that has to wait for something, a database perhaps, starts a task for that call
    and goes on reading meanwhile.
    """

    def __init__(self) -> None:
        self.next = 1
        self.waiting: dict[int, int] = {}  # a question, and the call that its outcome answers

    def on_message(self, message: proto.FromEdge) -> list[proto.ToEdge]:
        match message.WhichOneof("message"):
            case "hello":
                return [proto.ToEdge(ready=proto.Ready(interface_version=1, name="example in Python"))]
            case "call":
                return self.on_call(message.call)
            case "outcome":
                return self.on_outcome(message.outcome)
            case "ping":
                return [proto.ToEdge(pong=proto.Pong())]
            case _:  # something of a later version, which we do not need
                return []

    def on_call(self, call: proto.Call) -> list[proto.ToEdge]:
        method = int.from_bytes(call.body[:4], "little")
        if method == GET_INVITE_TEXT:
            device = call.client.device_model if call.HasField("client") else "an unknown device"
            return [result(call.number, words(INVITE_TEXT) + text(f"come here, as {device} did"))]
        if method == GET_STATE:
            later = proto.ToEdge(answer=proto.Answer(call=call.number, later=proto.Later()))
            push = proto.Push(
                number=self.question(call.number),
                permanent_key=call.permanent_key,
                update=words(UPDATES_TOO_LONG),
            )
            return [later, proto.ToEdge(push=push)]
        if method == UPDATE_STATUS:
            who = proto.WhoIsConnected(number=self.question(call.number), permanent_key=call.permanent_key)
            return [proto.ToEdge(who_is_connected=who)]
        return [error(call.number, 400, f"INPUT_METHOD_INVALID_{method:08x}")]

    def on_outcome(self, outcome: proto.Outcome) -> list[proto.ToEdge]:
        call = self.waiting.pop(outcome.number, None)
        if call is None:
            return []
        match outcome.WhichOneof("outcome"):
            case "pushed":
                return [result(call, words(STATE, outcome.pushed.sessions, 0, 0, 0, 0))]
            case "connected":
                return [result(call, words(BOOL_TRUE if outcome.connected.sessions else BOOL_FALSE))]
            case _:
                return [error(call, 500, "QUESTION_REFUSED")]

    def question(self, call: int) -> int:
        """The number of a question whose outcome answers the call."""
        number, self.next = self.next, self.next + 1
        self.waiting[number] = call
        return number


class Backend(service.BackendServicer):
    async def Serve(self, heard, context):
        conversation = Conversation()
        async for message in heard:
            for answer in conversation.on_message(message):
                yield answer


async def serve(address: str, files: list[str]) -> None:
    server = grpc.aio.server()
    service.add_BackendServicer_to_server(Backend(), server)
    if files:
        ca, certificate, key = (Path(file).read_bytes() for file in files)
        credentials = grpc.ssl_server_credentials([(key, certificate)], ca, require_client_auth=True)
        port = server.add_secure_port(address, credentials)
        address = f"{address.rpartition(':')[0]}:{port}"  # the system chooses one for port 0
    else:
        Path(address.removeprefix("unix:")).unlink(missing_ok=True)  # of a run before this one
        server.add_insecure_port(address)
    await server.start()
    print(f"listening on {address}", flush=True)
    await server.wait_for_termination()


def main() -> None:
    match sys.argv[1:]:
        case [address] if address.startswith("unix:/"):
            asyncio.run(serve(address, []))
        case [address, *files] if len(files) == 3 and ":" in address:
            asyncio.run(serve(address, files))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
