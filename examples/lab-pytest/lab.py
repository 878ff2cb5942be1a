"""`dayfly lab` as a context manager: starts it on free ports, stops it afterwards, speaks to its control API.

Nothing here knows a client library: copy the file into your own tests. Python 3.11, no dependency.
"""

import json
import subprocess
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# Longer than anything here takes on a machine with much else to do, in seconds.
PATIENCE = 20


class Lab:
    """A running lab: `host` and `port` for clients, `public_key` for them to trust, `control` for the tests."""

    def __init__(self, dayfly, key, seed, *options):
        """`dayfly` is the binary, `key` a file for the lab's RSA key, made if it is not there; `options` go to the lab."""
        command = [dayfly, "lab", "--json", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"]
        # Its standard input ends with this program, however that ends: no lab stays behind.
        command += ["--key", str(key), "--seed", str(seed), "--until-eof", *options]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline()  # the lab prints one, when it listens
        if not line:
            self._process.stdin.close()
            self._process.stdout.close()
            raise RuntimeError(f"the lab ended with exit code {self._process.wait()}; it says why on stderr")
        places = json.loads(line)
        self.host, _, port = places["address"].rpartition(":")
        self.port = int(port)
        self.control = places["control"]
        self.public_key = Path(places["public_key"]).read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process.stdout.close()

    def _request(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.control + path, data, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=PATIENCE) as response:
                return response.read().decode()
        except HTTPError as error:  # the lab says why in its answer
            raise ValueError(f"{path}: {error.read().decode()}") from error

    def scenario(self, *rules, answers=()):
        """From now on these faults are made, and calls get these answers; the keys are those of a scenario's file."""
        self._request("scenario", {"rule": rules, "answer": answers})

    def advance(self, seconds):
        """So much time passes at once for the lab, though not for its clients."""
        self._request("time", {"advance": seconds})

    def transcript(self):
        """Everything that happened so far: a dictionary an entry, in order."""
        return [json.loads(line) for line in self._request("transcript").splitlines()]

    def notes(self, kind):
        """The sentences of the transcript about `key_made`, `call`, `closed` and so on."""
        return [entry["text"] for entry in self.transcript() if entry.get("kind") == kind]

    def refused_by(self):
        """The rules on which what clients sent was refused, such as `HS-10`."""
        return {entry["rule"] for entry in self.transcript() if entry["what"] == "refused"}

    def verdict(self):
        """What the last connection came to, in a sentence."""
        return json.loads(self._request("runs"))["runs"][-1]["verdict"]

    def until(self, ask, expected):
        """Waits until the answer of `ask()` has `expected` in it: the lab writes down what a client did a little later."""
        end = time.monotonic() + PATIENCE
        while expected not in (answer := ask()):
            if time.monotonic() > end:
                raise AssertionError(f"{expected!r} did not come into {answer!r}")
            time.sleep(0.02)
