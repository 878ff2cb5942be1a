#!/usr/bin/env python3
"""Recomputes every value of the recorded runs beside this file, from the published test key and the documentation alone.

Python's standard library only; shares no code with the machines that made the files. Each message is taken apart or put
together anew, whole: RSA is undone with the private exponent, AES is written out below. Any difference ends it with 1.
Another folder than this one can be named as the argument.
"""
import base64, hashlib, json, pathlib, re, struct, sys

HERE = pathlib.Path(__file__).resolve().parent
DH_PRIME = int(  # Creating an Authorization Key, step 6; the generator is 3
    "C71CAEB9C6B1C9048E6C522F70F13F73980D40238E3E21C14934D037563D930F48198A0AA7C14058229493D22530F4DBFA336F6E0AC925"
    "139543AED44CCE7C3720FD51F69458705AC68CD4FE6B6B13ABDC9746512969328454F18FAF8C595F642477FE96BB2A941D5BCD1D4AC8CC"
    "49880708FA9B378E3C4F3A9060BEE67CF9A4A4A695811051907E162753B56B0F6B410DBA74D8A84B2A14B3144E0EF1284754FD17ED950D"
    "5965B4B9DD46582DB1178D169C6BC465B0D6FF9CA3928FEF5B9AE4E418FC15E83EBEA0F87FA9FF5EED70050DED2849F47BF959D956850C"
    "E929851F0D8115F635B105EE2E4E15D04B2454BF6F4FADF034B10403119CD8E3B92FCC5B", 16)
G = 3
INNER = {"p_q_inner_data": 0x83c95aec, "p_q_inner_data_dc": 0xa9f55f95,
         "p_q_inner_data_temp": 0x3c6a84d4, "p_q_inner_data_temp_dc": 0x56fddf88}
OPENING = {"req_pq": 0x60469778, "req_pq_multi": 0xbe7e8ef1}
VERDICT = {"dh_gen_ok": (0x3bcbf734, 1), "dh_gen_retry": (0x46dc1fb9, 2), "dh_gen_fail": (0xa69dae02, 3)}


def sha1(*parts): return hashlib.sha1(b"".join(parts)).digest()
def sha256(*parts): return hashlib.sha256(b"".join(parts)).digest()
def xor(a, b): return bytes(x ^ y for x, y in zip(a, b, strict=True))
def u32(n): return struct.pack("<I", n)
def i32(n): return struct.pack("<i", n)
def big(n, length=256): return n.to_bytes(length, "big")
def minimal(n): return big(n, (n.bit_length() + 7) // 8)
def number(b): return int.from_bytes(b, "big")


def string(b):
    """A TL string: one length byte, or 254 and three; zeros up to a multiple of 4."""
    head = bytes([len(b)]) if len(b) < 254 else b"\xfe" + struct.pack("<I", len(b))[:3]
    return head + b + bytes(-(len(head) + len(b)) % 4)


def unstring(b):
    """The string at the front of `b`, and what follows it."""
    length, start = (b[0], 1) if b[0] < 254 else (int.from_bytes(b[1:4], "little"), 4)
    return b[start:start + length], b[start + length + -(start + length) % 4:]


def times(a, b):
    """The product in GF(2^8) of AES."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product


def make_sbox():
    def rotate(x, n): return (x << n | x >> (8 - n)) & 255
    inverse = [0] + [next(y for y in range(256) if times(x, y) == 1) for x in range(1, 256)]
    return [y ^ rotate(y, 1) ^ rotate(y, 2) ^ rotate(y, 3) ^ rotate(y, 4) ^ 0x63 for y in inverse]


SBOX = make_sbox()
UNSBOX = [SBOX.index(x) for x in range(256)]
PRODUCT = {factor: [times(x, factor) for x in range(256)] for factor in (9, 11, 13, 14)}


def round_keys(key):
    words, constant = [key[i:i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(SBOX[x] for x in word[1:] + word[:1])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = times(constant, 2)
        elif i % 8 == 4:
            word = bytes(SBOX[x] for x in word)
        words.append(xor(words[-8], word))
    return [b"".join(words[i:i + 4]) for i in range(0, 60, 4)]


def decrypt_block(block, keys):
    state = xor(block, keys[14])
    for at in range(13, -1, -1):
        state = bytes(UNSBOX[state[(i - 4 * (i % 4)) % 16]] for i in range(16))  # rows turned back, bytes undone
        state = xor(state, keys[at])
        if at:
            columns = [state[i:i + 4] for i in range(0, 16, 4)]
            state = bytes(PRODUCT[14][c[i]] ^ PRODUCT[11][c[i - 3]] ^ PRODUCT[13][c[i - 2]] ^ PRODUCT[9][c[i - 1]]
                          for c in columns for i in range(4))
    return state


def ige_decrypt(data, key, iv):
    keys, cipher, plain, out = round_keys(key), iv[:16], iv[16:], b""
    for i in range(0, len(data), 16):
        block = data[i:i + 16]
        plain, cipher = xor(decrypt_block(xor(block, plain), keys), cipher), block
        out += plain
    return out


def probably_prime(n):
    """Miller-Rabin with a few fixed bases: the numbers were not made to deceive it."""
    twos = ((n - 1) & -(n - 1)).bit_length() - 1
    for base in (2, 3, 5, 7, 11, 13, 17):
        if n % base == 0:
            return n == base
        x = pow(base, (n - 1) >> twos, n)
        if x not in (1, n - 1) and not any((x := x * x % n) == n - 1 for _ in range(twos - 1)):
            return False
    return True


def rsa_key(file):
    """n, e and d of a PKCS#1 PEM."""
    pem = (HERE.parent / "keys" / file).read_text()
    der = base64.b64decode(re.search(r"-----BEGIN RSA PRIVATE KEY-----(.*?)-----END", pem, re.S)[1])
    assert der[:2] == b"\x30\x82"
    at, numbers = 4, []
    while at < len(der):
        assert der[at] == 2, "an INTEGER"
        extra = der[at + 1] - 0x80 if der[at + 1] > 0x80 else 0
        length = number(der[at + 2:at + 2 + extra]) if extra else der[at + 1]
        at += 2 + extra
        numbers.append(number(der[at:at + length]))
        at += length
    _, n, e, d, p, q = numbers[:6]
    assert n == p * q and n.bit_length() == 2048 and e * d % (p - 1) == 1 and e * d % (q - 1) == 1
    return n, e, d


def inner_data(run, encrypted, key):
    """Undoes the RSA scheme of the run, and gives the data with what pads it."""
    n, _, d = key
    assert len(encrypted) == 256 and number(encrypted) < n
    block = big(pow(number(encrypted), d, n))
    if run["scheme"] == "sha1":
        assert block[0] == 0
        return block[21:], block[1:21]
    temp_key = xor(block[:32], sha256(block[32:]))
    data_with_hash = ige_decrypt(block[32:], temp_key, bytes(32))
    padded = data_with_hash[:192][::-1]
    assert data_with_hash[192:] == sha256(temp_key, padded), "the SHA256 of RSA_PAD"
    return padded, None


def sealed(encrypted, key, iv, expected):
    """Checks that `encrypted` is SHA1(expected) + expected + 0 to 15 bytes."""
    assert len(encrypted) % 16 == 0
    plain = ige_decrypt(encrypted, key, iv)
    assert plain[:20] == sha1(expected) and plain[20:20 + len(expected)] == expected
    assert 0 <= len(plain) - 20 - len(expected) < 16, "padding"


def value_in_range(n):
    return 1 << (2048 - 64) <= n <= DH_PRIME - (1 << (2048 - 64))


def bodies_of(run):
    """The TL objects, once the headers of the plain messages were checked."""
    bodies, last = [], {"client": 0, "server": 0}
    for index, message in enumerate(run["messages"]):
        payload, side = bytes.fromhex(message["payload"]), message["dir"]
        assert side == ("client", "server")[index % 2] and payload[:8] == bytes(8)
        msg_id, length = struct.unpack("<qI", payload[8:20])
        assert length == len(payload) - 20 and msg_id > last[side] and msg_id % 4 == (0 if side == "client" else 1)
        last[side] = msg_id
        if side == "server":
            clock = run["server_unix_ms"] + index // 2 * run["step_ms"]
            assert abs(msg_id / 2**32 - clock / 1000) < 0.001, "the msg_id is the server's time"
        bodies.append(payload[20:])
    return bodies


def verify(run):
    n, e, d = rsa_key(run["rsa_key"])
    fingerprint = sha1(string(minimal(n)), string(minimal(e)))[-8:]
    nonce, server_nonce, new_nonce = (bytes.fromhex(run[x]) for x in ("nonce", "server_nonce", "new_nonce"))
    both = nonce + server_nonce
    assert [len(x) for x in (nonce, server_nonce, new_nonce)] == [16, 16, 32]
    messages, names = bodies_of(run), [message["name"] for message in run["messages"]]
    opening, res_pq, req_dh, dh_ok, *exchanges = messages
    assert names[1:4] == ["resPQ", "req_DH_params", "server_DH_params_ok"]

    # Steps 1 to 5.
    assert opening == u32(OPENING[names[0]]) + nonce
    p_bytes, rest = unstring(req_dh[36:])
    q_bytes, rest = unstring(rest)
    p, q = number(p_bytes), number(q_bytes)
    assert p < q and probably_prime(p) and probably_prime(q) and p.bit_length() == q.bit_length() == 31
    assert res_pq == u32(0x05162463) + both + string(big(p * q, 8)) + u32(0x1cb5c415) + u32(1) + fingerprint
    encrypted, _ = unstring(rest[8:])
    assert req_dh == (u32(0xd712e4be) + both + string(minimal(p)) + string(minimal(q)) + fingerprint
                      + string(encrypted))
    name = run["inner_data_constructor"]
    data = u32(INNER[name]) + b"".join(string(minimal(x)) for x in (p * q, p, q)) + both + new_nonce
    assert (run["dc"] is not None) == name.endswith("_dc") and (run["expires_in"] is not None) == ("_temp" in name)
    data += b"" if run["dc"] is None else i32(run["dc"])
    data += b"" if run["expires_in"] is None else i32(run["expires_in"])
    padded, hashed = inner_data(run, encrypted, (n, e, d))
    assert len(data) <= 144 and padded[:len(data)] == data and hashed in (None, sha1(data))

    # Step 6.
    ns, sn, nn = sha1(new_nonce, server_nonce), sha1(server_nonce, new_nonce), sha1(new_nonce, new_nonce)
    key, iv = ns + sn[:12], sn[12:] + nn + new_nonce[:4]
    assert [key.hex().upper(), iv.hex().upper()] == [run["tmp_aes_key"], run["tmp_aes_iv"]]
    a, g_a = number(bytes.fromhex(run["a"])), pow(G, number(bytes.fromhex(run["a"])), DH_PRIME)
    assert big(g_a).hex().upper() == run["g_a"] and value_in_range(g_a)
    assert run["server_time"] == (run["server_unix_ms"] + run["step_ms"]) // 1000
    answer = (u32(0xb5890dba) + both + i32(G) + string(big(DH_PRIME)) + string(big(g_a)) + i32(run["server_time"]))
    encrypted_answer, _ = unstring(dh_ok[36:])
    assert dh_ok == u32(0xd0e8075c) + both + string(encrypted_answer)
    sealed(encrypted_answer, key, iv, answer)

    # Steps 7 to 9, as often as they were gone through.
    retry_id = bytes(8)
    assert len(run["attempts"]) == len(run["store"]) == len(exchanges) // 2
    for index, (attempt, kept) in enumerate(zip(run["attempts"], run["store"])):
        b = number(bytes.fromhex(attempt["b"]))
        g_b, auth_key = pow(G, b, DH_PRIME), big(pow(g_a, b, DH_PRIME))
        assert big(g_b).hex().upper() == attempt["g_b"] and value_in_range(g_b)
        assert auth_key == big(pow(g_b, a, DH_PRIME)) == bytes.fromhex(attempt["auth_key"])
        aux_hash, auth_key_id = sha1(auth_key)[:8], sha1(auth_key)[-8:]
        assert aux_hash.hex().upper() == attempt["auth_key_aux_hash"]
        assert auth_key_id.hex().upper() == attempt["auth_key_id"]
        query, verdict = exchanges[2 * index:2 * index + 2]
        encrypted, _ = unstring(query[36:])
        assert query == u32(0xf5045f1f) + both + string(encrypted)
        sealed(encrypted, key, iv, u32(0x6643b654) + both + retry_id + string(big(g_b)))
        constructor, which = VERDICT[attempt["verdict"]]
        assert verdict == u32(constructor) + both + sha1(new_nonce, bytes([which]), aux_hash)[4:]
        assert names[4 + 2 * index:6 + 2 * index] == ["set_client_DH_params", attempt["verdict"]]
        final = index + 1 == len(run["attempts"])
        assert (kept == "inserted") == (attempt["verdict"] == "dh_gen_ok") and final == (which != 2)
        retry_id = aux_hash
    assert bytes.fromhex(run["server_salt"]) == xor(new_nonce[:8], server_nonce[:8])


def main():
    if not __debug__:
        return "python -O leaves out every check"
    assert all(probably_prime(x) for x in (DH_PRIME, (DH_PRIME - 1) // 2)) and DH_PRIME % 3 == 2
    known = bytes.fromhex("00112233445566778899aabbccddeeff")  # FIPS 197, appendix C.3
    assert decrypt_block(bytes.fromhex("8ea2b7ca516745bfeafc49904b496089"), round_keys(bytes(range(32)))) == known
    files = sorted((pathlib.Path(sys.argv[1]) if sys.argv[1:] else HERE).glob("*.json"))
    assert files, "no files"
    for file in files:
        run = json.loads(file.read_text())
        print(f"{file.name}: {len(run['messages'])} messages, {len(run['attempts'])} keys")
        assert run["id"] == file.stem
        verify(run)
    return 0


if __name__ == "__main__":
    sys.exit(main())
