"""Access tokens for the load: HS256 by the standard library, RS256 by bench_sign_rs256."""

import base64
import hashlib
import hmac
import json
import subprocess
import time

SECRET = "benchmark-only-secret-0123456789abcdef"  # HS256 wants 32 bytes or more
ISSUER = "kampus-auth"
AUDIENCE = "kampus-api"
LIFETIME = 6 * 3600  # seconds


def _part(value):
    if not isinstance(value, bytes):
        value = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unsigned(algorithm, number):
    """The n-th token's header and claims, as the auth-service writes them: about 304 bytes with HS256's signature."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"u{number:08d}", "role": "mahasiswa",
              "nim": f"{22000 + number % 70000}", "sid": f"{number:016x}", "jti": f"{number:08x}", "iat": now,
              "exp": now + LIFETIME}
    return _part({"alg": algorithm, "typ": "JWT"}) + "." + _part(claims)


def hs256(number):
    text = unsigned("HS256", number)
    return text + "." + _part(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest())


def make_rsa_key(private, public):
    quiet = {"check": True, "stderr": subprocess.DEVNULL}
    subprocess.run(["openssl", "genrsa", "-out", private, "2048"], **quiet)
    subprocess.run(["openssl", "rsa", "-in", private, "-pubout", "-out", public], **quiet)


def rs256(signer, key, count):
    text = "".join(unsigned("RS256", number) + "\n" for number in range(count))
    return subprocess.run([signer, key], input=text, capture_output=True, text=True, check=True).stdout.split()


def write(path, tokens):
    with open(path, "w") as f:
        f.write("".join(token + "\n" for token in tokens))
    return path
