"""What Schemathesis has to be told of this system: who asks, and which answers are no faults."""

import json
import os
import re
import time
import urllib.error
import urllib.request

import schemathesis
from schemathesis.checks import CHECKS

ROLE = os.environ["CONTRACT_ROLE"]
FEED = "/internal/revocations"


class Token:
    """Of a session that is made anew when a request has ended it."""

    current = None

    @classmethod
    def log_in(cls):
        account = next(a for a in json.loads(os.environ["CONTRACT_ACCOUNTS"]) if a["role"] == ROLE)
        body = json.dumps({"username": account["username"], "password": account["password"]}).encode()
        request = urllib.request.Request(os.environ["CONTRACT_LOGIN"], body, {"Content-Type": "application/json"})
        while True:
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    cls.current = json.load(answer)["access_token"]
                return
            except urllib.error.HTTPError as refused:
                # Generated requests guess the account's password, too: it is throttled for a while then.
                wait = int(refused.headers.get("Retry-After", 0))
                if refused.code != 429 or not 0 < wait <= 60:
                    raise
                time.sleep(wait)


@schemathesis.auth(refresh_interval=None)
class Bearer:
    def get(self, case, ctx):
        if case.path == FEED:
            return os.environ["CONTRACT_FEED_TOKEN"]
        if Token.current is None:
            Token.log_in()
        return Token.current

    def set(self, case, data, ctx):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def after_call(ctx, case, response):
    sent = response.request.headers.get("Authorization")
    refused = response.status_code == 401 and sent == f"Bearer {Token.current}"
    if refused or case.path == "/api/auth/logout":
        Token.current = None


@schemathesis.hook
def map_body(ctx, body):
    """JSON Schema takes 2054.0 for an integer; our readers want one that is written as such."""
    if isinstance(body, float) and body.is_integer():
        return int(body)
    if isinstance(body, dict):
        return {key: map_body(ctx, value) for key, value in body.items()}
    if isinstance(body, list):
        return [map_body(ctx, value) for value in body]
    return body


def replace_check(name, tolerated):
    """The check of that name, but for the answers that `tolerated` says yes to."""
    standard = CHECKS.get_one(name)

    def check(ctx, response, case):
        if tolerated(response, case):
            return None
        return standard(ctx, response, case)

    check.__name__ = name
    CHECKS.unregister(name)
    schemathesis.check(check)


def unknown_method(response, case):
    """A method that no server of ours knows: RFC 9110 section 9.1 wants 501, not 405."""
    return response.status_code == 501 and response.request.method in ("QUERY", "TRACE")


# What a schema cannot say of a value, so that one which fits it may still be refused with 422: method, path, and the
# places in the answer's `errors`.
BEYOND_SCHEMAS = [(method, re.compile(path), re.compile(place)) for method, path, place in (
    # A cursor is ours or it is not.
    ("GET", r".*", r"after"),
    # An admin has no NIM of their own to leave out.
    ("GET", r"/api/acad/ips", r"nim"),
    # Reserved names, and such as look like somebody's NIM.
    ("POST", r"/api/auth/register", r"/username"),
    # In a body that replaces, the key is that of the address.
    ("PUT", r"/api/acad/mahasiswa/\{nim\}", r"/nim"),
    ("PUT", r"/api/acad/mata_kuliah/\{kode_mk\}", r"/kode_mk"),
    # The course, the term and the student have to be there; a mahasiswa leaves `semester` out, an admin names `nim`.
    ("POST", r"/api/acad/krs", r"/(kode_mk|kode_semester|semester|nim)"),
    # One of the student's scale; the last digit of a term's code is 1 to 3; one grade stands once in a scale.
    ("PUT", r"/api/acad/krs/\{id\}/nilai", r"/nilai"),
    ("PUT", r"/api/acad/skala_nilai", r"/berlaku_dari|/butir/\d+/nilai"),
    # The one comes after the other.
    ("PUT", r"/api/acad/periode_krs/\{kode_semester\}", r"/(buka|tutup)"),
    # What stands in the lines of the file.
    ("POST", r"/api/acad/impor/\w+", r"/\d+/.*"),
)]


def decided_by_state(response, case):
    if response.status_code == 412:  # If-Match names a version that is gone, or never was
        return True
    if response.status_code != 422:
        return False
    problem = response.json()
    if problem["code"] == "weak_password":  # a list of common ones, and the account's own names
        return True
    places = [error.get("pointer", error.get("parameter", "")) for error in problem.get("errors", [])]
    return bool(places) and all(
        any(method == case.method.upper() and path.fullmatch(case.path) and place.fullmatch(at)
            for method, path, place in BEYOND_SCHEMAS)
        for at in places
    )


replace_check("not_a_server_error", unknown_method)
replace_check("unsupported_method", unknown_method)
replace_check("positive_data_acceptance", decided_by_state)
