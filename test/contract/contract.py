"""Starts the system on empty databases with demo data, then runs Schemathesis part by part."""

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "test/support"))
from system import System  # noqa: E402

EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
SEED = os.environ.get("SEED", "1")

# Roles that ask. An admin may call everything; the others are there for what they are refused. An admin's requests may
# change, disable or delete the others' accounts, so the others come first; nobody's change the admin's own.
ROLES = ("dosen", "mahasiswa", "admin")


def start():
    """The system; what the hooks need to know of it goes into the environment."""
    accounts = [
        {"username": f"{role}{i}", "password": secrets.token_urlsafe(18), "role": role,
         "nim": "22001" if role == "mahasiswa" and i == 0 else None}
        for role in ROLES for i in range(2)
    ]
    system = System(
        accounts,
        # The limits on one address or account are not what is looked at here.
        auth={
            "ADDRESS_FAILURE_BURST": "100000", "ADDRESS_FAILURES_PER_MINUTE": "100000", "LOGIN_FREE_FAILURES": "100",
            "ADDRESS_REGISTRATION_BURST": "100000", "ADDRESS_REGISTRATIONS_PER_MINUTE": "100000",
            "REGISTRATION": "open",
        },
        gateway={"ACCESS_LOG": "false"} | {
            f"{limit}_{what}": "1000000" for what in ("RATE", "BURST")
            for limit in ("SIGN_IN", "REGISTER", "REFRESH", "USER", "PASSWORD", "COSTLY")
        },
    )
    os.environ.update(
        CONTRACT_LOGIN=f"http://127.0.0.1:{system.auth_port}/api/auth/login", CONTRACT_ACCOUNTS=json.dumps(accounts),
        CONTRACT_FEED_TOKEN=system.feed,
    )
    return {"auth": system.auth_port, "acad": system.acad_port, "gateway": system.gateway_port}


def schemathesis(name, document, port, role, through_edge):
    report = ROOT / "build/test-reports" / f"contract-{name}.txt"
    options = ["--include-path-regex", r"^/(api|\.well-known)/"] if through_edge else []
    environment = dict(os.environ, CONTRACT_ROLE=role, SCHEMATHESIS_HOOKS="hooks", PYTHONPATH=str(HERE))
    with open(report, "w", encoding="utf-8") as out:
        done = subprocess.run(
            [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml", "run",
             ROOT / f"docs/openapi/{document}.yaml", "--url", f"http://127.0.0.1:{port}", "--checks", "all",
             "--seed", SEED, "--max-examples", str(EXAMPLES), "--no-color", *options],
            cwd=tempfile.gettempdir(), env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )
    # A run that made no requests has shown nothing.
    cases = re.search(r"(\d+) generated", report.read_text(encoding="utf-8"))
    return done.returncode == 0 and cases is not None, int(cases[1]) if cases else 0, report


def main():
    ports = start()
    parts = []
    for role in ROLES:
        for service in ("acad", "auth"):
            parts.append((f"{service}-{role}", service, service, role, False))
            parts.append((f"{service}-{role}-through-gateway", service, "gateway", role, True))
    parts.append(("gateway", "gateway", "gateway", "admin", False))
    passed = failed = 0
    for name, document, server, role, through_edge in parts:
        if not re.search(os.environ.get("PARTS", ""), name):
            continue
        began = time.monotonic()
        good, cases, report = schemathesis(name, document, ports[server], role, through_edge)
        print(f"{'ok   ' if good else 'FAIL '} {name}: {cases} requests, {time.monotonic() - began:.0f} s", flush=True)
        passed += good
        failed += not good
        if not good:
            text = report.read_text(encoding="utf-8")
            print(text[max(text.find("= FAILURES ="), 0):][:20000], flush=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
