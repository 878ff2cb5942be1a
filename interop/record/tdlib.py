"""usage: tdlib.py LIBTDJSON SECONDS [test] [phone]

Starts TDLib with forward secrecy on and lets it do for SECONDS what it does by itself when nobody is logged in: make its keys,
bind them, ask for its configuration. With `test` it goes to the test DCs; with `phone` it asks for a login code too, which makes
it open parallel sessions if the server's configuration allows several.
"""

import ctypes
import json
import sys
import tempfile
import time


class Client:
    """One TDLib client over its JSON interface."""

    def __init__(self, path):
        self.tdjson = ctypes.CDLL(path)
        self.tdjson.td_send.argtypes = [ctypes.c_int, ctypes.c_char_p]
        self.tdjson.td_receive.argtypes = [ctypes.c_double]
        self.tdjson.td_receive.restype = ctypes.c_char_p
        self.tdjson.td_execute.argtypes = [ctypes.c_char_p]
        self.tdjson.td_execute(b'{"@type": "setLogVerbosityLevel", "new_verbosity_level": 1}')
        self.id = self.tdjson.td_create_client_id()

    def send(self, kind, **fields):
        self.tdjson.td_send(self.id, json.dumps({"@type": kind, **fields}).encode())

    def receive(self):
        """The next update, or None after half a second without one."""
        update = self.tdjson.td_receive(0.5)
        return json.loads(update) if update else None


def drive(client, seconds, folder, words):
    client.send("setOption", name="use_pfs", value={"@type": "optionValueBoolean", "value": True})
    asked = False
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        update = client.receive()
        state = (update or {}).get("authorization_state", {}).get("@type")
        if state:
            print(state, flush=True)
        if state == "authorizationStateWaitTdlibParameters":
            client.send(
                "setTdlibParameters",
                use_test_dc="test" in words,
                database_directory=folder,
                api_id=1,
                api_hash="0" * 32,
                system_language_code="en",
                device_model="recorder",
                application_version="1",
            )
        if state == "authorizationStateWaitPhoneNumber" and "phone" in words and not asked:
            asked = True
            client.send("setAuthenticationPhoneNumber", phone_number="+9996612222")


def main(words):
    if len(words) < 2 or set(words[2:]) - {"test", "phone"}:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        drive(Client(words[0]), float(words[1]), folder, words[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
