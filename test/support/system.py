"""The whole system on empty databases with demo data, as real processes: for tests that are written in Python.

Wants BUILD_DIR, TEST_PG_URI and PSQL in the environment. What is started ends with the program that started it.
"""

import atexit
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ["BUILD_DIR"])
PROCESSES = []


def database(name):
    """An empty database on the server of TEST_PG_URI, dropped at the end; its URI."""
    uri = os.environ["TEST_PG_URI"]
    name = f"python_{name}_{secrets.token_hex(4)}"

    def psql(statement):
        subprocess.run([os.environ["PSQL"], uri, "-qc", statement], check=True, stdin=subprocess.DEVNULL)

    psql(f"CREATE DATABASE {name}")
    atexit.register(psql, f"DROP DATABASE {name} WITH (FORCE)")
    return urllib.parse.urlparse(uri)._replace(path="/" + name).geturl()


class Server:
    """A process whose output goes to the file `log`."""

    def __init__(self, command, environment, log):
        self.log = Path(log)
        self.command = command
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        PROCESSES.append(self.process)

    def port(self, event):
        """Of the line that tells `event`."""
        pattern = re.compile(rf'"event":"{event}".*?"port":(\d+)')
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            match = pattern.search(self.log.read_text(encoding="utf-8", errors="replace"))
            if match:
                return int(match.group(1))
            time.sleep(0.02)
        sys.exit(f"{self.command[0]} did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')}")


def stop_all():
    for process in reversed(PROCESSES):
        process.terminate()
    for process in PROCESSES:
        process.wait(30)


def run(command, environment, text=""):
    done = subprocess.run(
        command, env=environment, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")


class System:
    """Both services on PostgreSQL and the gateway with the shipped configuration, on free ports.

    `accounts`: what `auth-service seed-demo` takes. `auth`, `acad`, `gateway`: settings added to what each is given.
    """

    def __init__(self, accounts, auth=None, acad=None, gateway=None):
        self.secret = secrets.token_hex(32)
        self.feed = secrets.token_hex(32)
        self.folder = Path(tempfile.mkdtemp(prefix="kampus-system."))
        self.folder.chmod(0o711)
        auth_program, acad_program = BUILD / "services/auth/auth-service", BUILD / "services/acad/acad-service"
        common = {
            "PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "JWT_SECRET": self.secret, "FEED_TOKEN": self.feed,
            "TRUSTED_PROXIES": "127.0.0.1/32",
        }
        auth_environment = {
            **common, "MONGO_URI": database("auth"), "SQL_DIR": str(ROOT / "sql/auth"), **(auth or {}),
        }
        acad_environment = {
            **common, "DATABASE_URL": database("acad"), "SQL_DIR": str(ROOT / "sql/acad"),
            "SEED_DIR": str(ROOT / "sql/seed"), **(acad or {}),
        }
        atexit.register(stop_all)
        run([auth_program, "migrate"], auth_environment)
        run([auth_program, "seed-demo", "-"], auth_environment, json.dumps(accounts))
        self.auth = Server([auth_program, "serve"], auth_environment, self.folder / "auth.log")
        self.auth_port = self.auth.port("listening")
        acad_environment["AUTH_FEED_URL"] = f"http://127.0.0.1:{self.auth_port}/internal/revocations"
        run([acad_program, "migrate"], acad_environment)
        run([acad_program, "seed-demo"], acad_environment)
        self.acad = Server([acad_program, "serve"], acad_environment, self.folder / "acad.log")
        self.acad_port = self.acad.port("listening")
        configuration = ROOT / "deploy/config/gateway.json"
        self.gateway = Server(
            [BUILD / "gateway/gateway", "run", "--config", configuration],
            {
                "GATEWAY_PORT": "0", "ADMIN_PORT": "0", "LISTEN_ADDRESS": "127.0.0.1", "JWT_SECRET": self.secret,
                "FEED_TOKEN": self.feed, "AUTH_SERVICE": f"127.0.0.1:{self.auth_port}",
                "ACAD_SERVICE": f"127.0.0.1:{self.acad_port}", "PORTAL_DIR": str(ROOT / "services/portal"),
                "DOCS_DIR": str(ROOT / "docs/openapi"), **(gateway or {}),
            },
            self.folder / "gateway.log",
        )
        self.gateway_port = self.gateway.port("listening")
