"""The proxies that are compared: how each is configured and started. All listen on 127.0.0.1 and have the same
upstream; one worker unless told otherwise."""

import json
import os
import re
import subprocess

import tokens
from processes import Process, accepts, free_port, tail, wait_for

FOR_EVER = 1_000_000_000  # requests on one connection: reconnects are no part of what is measured


class Setup:
    """What every proxy needs to know."""

    def __init__(self, folder, programs, gateways, upstream_port, auth_port, public_key):
        self.folder = folder
        self.programs = programs
        self.gateways = gateways  # binaries by the name of their row
        self.upstream_port = upstream_port
        self.auth_port = auth_port
        self.public_key = public_key


def nginx_config(setup, port, name, logs, workers, auth):
    path = f"{setup.folder}/{name}"
    log = f"access_log {path}.access.log combined buffer=64k flush=1s;" if logs else "access_log off;"
    check = "auth_request /_auth;" if auth else ""
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""daemon off; {user} worker_processes {workers}; pid {path}.pid; error_log {path}.error.log crit;
events {{ worker_connections 8192; }}
http {{
    {log}
    client_body_temp_path {path}.body; proxy_temp_path {path}.proxy;
    fastcgi_temp_path {path}.fastcgi; uwsgi_temp_path {path}.uwsgi; scgi_temp_path {path}.scgi;
    keepalive_timeout 600s; keepalive_requests {FOR_EVER};
    upstream app {{
        server 127.0.0.1:{setup.upstream_port}; keepalive 128; keepalive_requests {FOR_EVER}; keepalive_timeout 600s;
    }}
    upstream auth {{
        server 127.0.0.1:{setup.auth_port}; keepalive 128; keepalive_requests {FOR_EVER}; keepalive_timeout 600s;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        client_max_body_size 8m;
        proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_request_buffering off; proxy_max_temp_file_size 0;
        location / {{ {check} proxy_pass http://app; }}
        location ~ ^/(big|upload) {{
            proxy_buffers 8 64k; proxy_buffer_size 64k; client_body_buffer_size 64k; proxy_pass http://app;
        }}
        location = /_auth {{
            internal; proxy_pass http://auth; proxy_pass_request_body off;
            proxy_set_header Content-Length ""; proxy_set_header Connection "";
        }}
    }}
}}
"""


def haproxy_config(setup, port, logs, workers, algorithm):
    rules = ""
    if algorithm:
        key = setup.public_key if algorithm == "RS256" else tokens.SECRET
        rules = f"""
    http-request set-var(txn.token) http_auth_bearer
    http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
    http-request deny deny_status 401 unless {{ var(txn.alg) -m str {algorithm} }}
    http-request deny deny_status 401 unless {{ var(txn.token),jwt_verify(txn.alg,"{key}") -m int 1 }}
    http-request deny deny_status 401 unless {{ var(txn.token),jwt_payload_query('$.iss') -m str {tokens.ISSUER} }}
    http-request deny deny_status 401 unless {{ var(txn.token),jwt_payload_query('$.aud') -m str {tokens.AUDIENCE} }}
    http-request set-var(txn.exp) var(txn.token),jwt_payload_query('$.exp','int')
    http-request set-var(txn.now) date()
    http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}
    http-request set-header X-User-Id %[var(txn.token),jwt_payload_query('$.sub')]
    http-request set-header X-User-Role %[var(txn.token),jwt_payload_query('$.role')]"""
    log = "log stdout format raw local0 info" if logs else ""
    return f"""global
    nbthread {workers}
    maxconn 8192
    {log}
defaults
    mode http
    {"log global" if logs else ""}
    {"option httplog" if logs else ""}
    timeout connect 2s
    timeout client 600s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 600s
    http-reuse always
frontend public
    bind 127.0.0.1:{port} backlog 4096{rules}
    default_backend app
backend app
    server upstream 127.0.0.1:{setup.upstream_port} pool-max-conn 128 pool-purge-delay 600s
"""


def gateway_config(setup, algorithm, logs, workers, log_path):
    if algorithm == "RS256":
        key = {"algorithm": "RS256", "public_key_file": setup.public_key}
        feed = {"token": "benchmark-only-feed-token"}
    else:
        key = {"algorithm": "HS256", "secret": tokens.SECRET}
        feed = {}
    feed["url"] = f"http://127.0.0.1:{setup.auth_port}/internal/revocations"
    config = {
        "listeners": [{"name": "public", "address": "127.0.0.1", "port": 0}],
        "admin": {"address": "127.0.0.1", "port": 0},
        "workers": workers,
        "client": {"idle_timeout_ms": 600_000},
        "access_log": {"enabled": logs, "path": log_path},
        "issuers": [{"name": "kampus", "issuer": tokens.ISSUER, "audience": tokens.AUDIENCE, "keys": [key],
                     "revocations": feed}],
        "clusters": [{"name": "app", "endpoints": [f"127.0.0.1:{setup.upstream_port}"], "pool": {"max_idle": 128}}],
        "routes": [
            {"name": "health", "match": {"path": "/health"}, "auth": "public", "target": {"builtin": "health"}},
            {"name": "app", "match": {"prefix": "/"}, "auth": "token", "target": {"cluster": "app"},
             "limits": {"body_bytes": 8 * 1024 * 1024}},
        ],
    }
    return json.dumps(config, indent=2) + "\n"


class Peer:
    """One proxy, running. `port` is where it listens, `config` what it was given."""

    def __init__(self, setup, kind, algorithm, name, logs=False, workers=1, cores="0", env=None):
        self.config = ""
        log = f"{setup.folder}/{name}.log"
        if kind == "relay":
            self._start_announced([f"{setup.programs}/bench_relay", str(setup.upstream_port)], cores, log, env)
        elif kind in setup.gateways:
            self.config = gateway_config(setup, algorithm, logs, workers, f"{setup.folder}/{name}.access.log")
            path = _write(f"{setup.folder}/{name}.json", self.config)
            self.process = Process([setup.gateways[kind], "run", "--config", path], cores, log, env)
            self.port = wait_for(lambda: self._logged_port(log), f"{name} does not listen; {log}")
        else:
            # Such programs cannot say which port they got, and another program may take a free one first.
            for attempt in range(3):
                self.port = free_port()
                if kind == "nginx":
                    self.config = nginx_config(setup, self.port, name, logs, workers, algorithm == "auth_request")
                    command = ["nginx", "-c", _write(f"{setup.folder}/{name}.conf", self.config)]
                else:
                    self.config = haproxy_config(setup, self.port, logs, workers, algorithm)
                    command = ["haproxy", "-db", "-f", _write(f"{setup.folder}/{name}.cfg", self.config)]
                self.process = Process(command, cores, log, env)
                if self._listens():
                    break
                self.process.stop()
            else:
                raise RuntimeError(f"{name} does not start: {tail(log)}")

    def _start_announced(self, command, cores, log, env):
        self.process = Process(command, cores, log, env, stdout=subprocess.PIPE)
        self.port = int(self.process.first_line().split()[1])

    def _logged_port(self, log):
        if not self.process.alive():
            raise RuntimeError(f"the gateway ended: {tail(log)}")
        with open(log, errors="replace") as f:
            for line in f:
                if re.search(r'"listening"', line):
                    return int(re.search(r'"port":"?(\d+)', line)[1])
        return None

    def _listens(self):
        try:
            wait_for(lambda: accepts(self.port) or not self.process.alive(), "", 5)
        except RuntimeError:
            return False
        return self.process.alive()

    def stop(self):
        self.process.stop()


def _write(path, text):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o600)
    return path


def versions():
    def first_line(*command):
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        except FileNotFoundError:
            return "not there"
        return done.stdout.splitlines()[0] if done.stdout else "?"

    here = os.path.dirname(os.path.abspath(__file__))
    found = {"nginx": first_line("nginx", "-v").split("/")[-1],
             "haproxy": " ".join(first_line("haproxy", "-v").split()[2:3]),
             "wrk": " ".join(first_line("wrk", "-v").split()[1:2]),
             "kernel": os.uname().release,
             "sources": first_line("git", "-C", here, "log", "-1", "--format=%h %cs")}
    with open("/proc/cpuinfo") as f:
        found["cpu"] = re.search(r"model name\s*: (.*)", f.read())[1] + f", {os.cpu_count()} cores"
    return found
