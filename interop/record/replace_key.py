"""usage: replace_key.py PROGRAM PUBLIC-KEY.pem COPY

Copies a program in which Telegram's RSA keys are compiled in as PEM, with each of them replaced by the one key of
PUBLIC-KEY.pem (PKCS#1, 2048 bits), which is exactly as long. The copy is for tests on one's own machine; do not pass it on.
"""

import re
import sys
from pathlib import Path

PEM = re.compile(rb"-----BEGIN RSA PUBLIC KEY-----\n[A-Za-z0-9+/=\n]{300,400}\n-----END RSA PUBLIC KEY-----")


def main(words):
    if len(words) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    program, key, copy = map(Path, words)
    ours = key.read_bytes().strip()
    image = program.read_bytes()
    theirs = [pem for pem in PEM.findall(image) if len(pem) == len(ours)]
    if not theirs:
        print(f"{program}: no RSA key of {len(ours)} bytes", file=sys.stderr)
        return 1
    for pem in theirs:
        image = image.replace(pem, ours)
    copy.write_bytes(image)
    copy.chmod(program.stat().st_mode)
    print(f"{len(theirs)} keys replaced")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
