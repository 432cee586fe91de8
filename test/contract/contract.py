"""Starts the system on empty databases with demo data, then runs Schemathesis part by part."""

import atexit
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["BUILD_DIR"])
PG_URI = os.environ["TEST_PG_URI"]
EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
SEED = os.environ.get("SEED", "1")
HERE = Path(__file__).resolve().parent

# Roles that ask. An admin may call everything; the others are there for what they are refused. An admin's requests may
# change, disable or delete the others' accounts, so the others come first; nobody's change the admin's own.
ROLES = ("dosen", "mahasiswa", "admin")
PROCESSES = []


def database(name):
    """An empty database on the server of TEST_PG_URI, dropped at the end; its URI."""
    name = f"contract_{name}_{secrets.token_hex(4)}"

    def psql(statement):
        subprocess.run([os.environ["PSQL"], PG_URI, "-qc", statement], check=True, stdin=subprocess.DEVNULL)

    psql(f"CREATE DATABASE {name}")
    atexit.register(psql, f"DROP DATABASE {name} WITH (FORCE)")
    return urllib.parse.urlparse(PG_URI)._replace(path="/" + name).geturl()


class Server:
    """One of our binaries with a log that is kept for the ports it tells."""

    def __init__(self, path, arguments, environment):
        self.log = ""
        self.known = threading.Condition()
        self.process = subprocess.Popen(
            [BUILD / path, *arguments], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )
        PROCESSES.append(self.process)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            with self.known:
                self.log += line
                self.known.notify_all()
        with self.known:
            self.process.wait()
            self.known.notify_all()

    def port(self, event):
        pattern = re.compile(rf'"event":"{event}".*?"port":(\d+)')
        with self.known:
            found = self.known.wait_for(lambda: pattern.search(self.log) or self.process.poll() is not None, 60)
            match = pattern.search(self.log)
            if not found or not match:
                sys.exit(f"{self.process.args[0]} did not start:\n{self.log}")
            return int(match.group(1))


def stop_all():
    for process in reversed(PROCESSES):
        process.terminate()
    for process in PROCESSES:
        process.wait(30)


def command(path, arguments, environment, text=""):
    done = subprocess.run(
        [BUILD / path, *arguments], env=environment, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{path} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}")


def start():
    """The system; what the hooks need to know of it goes into the environment."""
    secret = secrets.token_hex(32)
    feed = secrets.token_hex(32)
    accounts = [
        {"username": f"{role}{i}", "password": secrets.token_urlsafe(18), "role": role,
         "nim": "22001" if role == "mahasiswa" and i == 0 else None}
        for role in ROLES for i in range(2)
    ]
    auth_environment = {
        "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "MONGO_URI": database("auth"), "JWT_SECRET": secret,
        "FEED_TOKEN": feed, "SQL_DIR": str(ROOT / "sql/auth"),
        # The limits on one address or account are not what is looked at here.
        "ADDRESS_FAILURE_BURST": "100000", "ADDRESS_FAILURES_PER_MINUTE": "100000", "LOGIN_FREE_FAILURES": "100",
        "ADDRESS_REGISTRATION_BURST": "100000", "ADDRESS_REGISTRATIONS_PER_MINUTE": "100000",
    }
    acad_environment = {
        "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "DATABASE_URL": database("acad"), "JWT_SECRET": secret,
        "FEED_TOKEN": feed, "SQL_DIR": str(ROOT / "sql/acad"), "SEED_DIR": str(ROOT / "sql/seed"),
    }
    atexit.register(stop_all)
    command("services/auth/auth-service", ["migrate"], auth_environment)
    command("services/auth/auth-service", ["seed-demo", "-"], auth_environment, json.dumps(accounts))
    auth = Server("services/auth/auth-service", ["serve"], auth_environment).port("listening")
    acad_environment["AUTH_FEED_URL"] = f"http://127.0.0.1:{auth}/internal/revocations"
    command("services/acad/acad-service", ["migrate"], acad_environment)
    command("services/acad/acad-service", ["seed-demo"], acad_environment)
    acad = Server("services/acad/acad-service", ["serve"], acad_environment).port("listening")
    edge = Server("gateway/gateway", ["run", "--config", str(ROOT / "deploy/config/gateway.json")], {
        "GATEWAY_PORT": "0", "ADMIN_PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "JWT_SECRET": secret, "FEED_TOKEN": feed,
        "AUTH_SERVICE": f"127.0.0.1:{auth}", "ACAD_SERVICE": f"127.0.0.1:{acad}", "ACCESS_LOG": "false",
        "PORTAL_DIR": str(ROOT / "services/portal"), "DOCS_DIR": str(ROOT / "docs/openapi"),
        "SIGN_IN_RATE": "1000000", "SIGN_IN_BURST": "1000000",
    }).port("listening")
    os.environ.update(
        CONTRACT_LOGIN=f"http://127.0.0.1:{auth}/api/auth/login", CONTRACT_ACCOUNTS=json.dumps(accounts),
        CONTRACT_FEED_TOKEN=feed,
    )
    return {"auth": auth, "acad": acad, "gateway": edge}


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
