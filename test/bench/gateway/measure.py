"""The measurements. Each drives one running peer and returns plain numbers."""

import json
import mmap
import os
import re
import socket
import struct
import subprocess
import time

from processes import Process, machine_busy_seconds, tail

HERE = os.path.dirname(os.path.abspath(__file__))
SETTLE = 0.5  # seconds of load before a window opens: connections are open, caches are warm
PATH = "/api/acad/mahasiswa/22001"


class Counter:
    """A 64-bit integer that another program keeps in a file."""

    def __init__(self, path):
        with open(path, "a+b") as f:
            f.truncate(8)
            self.memory = mmap.mmap(f.fileno(), 8, access=mmap.ACCESS_READ)

    def read(self):
        return struct.unpack_from("=Q", self.memory)[0]


class Load:
    """Closed-loop load on one thread against one peer: bench_load, or wrk where `generator` says so."""

    def __init__(self, generator, peer, token_file, seconds, connections, folder, cores="1", path=PATH, method="GET",
                 body_bytes=0):
        env = {}
        if generator == "wrk":
            command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s",
                       "-s", f"{HERE}/load.lua", f"http://127.0.0.1:{peer.port}{path}"]
            env = {"TOKENS": token_file, "METHOD": method, "BODY_BYTES": str(body_bytes)}
        else:
            command = [generator, str(peer.port), str(connections), str(seconds), token_file, path, method,
                       str(body_bytes)]
        self.process = Process(command, cores, f"{folder}/load.log", env, stdout=subprocess.PIPE)
        self.seconds = seconds

    def result(self):
        """Waits for the end. Raises where an answer was not what it should be: such a figure says nothing."""
        try:
            out, _ = self.process.popen.communicate(timeout=self.seconds + 30)
        except subprocess.TimeoutExpired:
            self.process.stop()
            raise RuntimeError("the load does not end") from None
        lines = [line for line in out.decode().splitlines() if line.startswith("{")]
        if not lines:
            raise RuntimeError("load: " + out.decode().strip() + tail(self.process.log))
        found = json.loads(lines[-1])
        if found["refused"] or found["socket_errors"] or not found["requests"]:
            raise RuntimeError(f"not every request was answered with 2xx or 3xx: {found}")
        return found


class Bench:
    """What all measurements share: the upstream, its counter, the folder for files."""

    def __init__(self, folder, generator, upstream, counter, connections):
        self.folder = folder
        self.generator = generator
        self.upstream = upstream
        self.counter = counter
        self.connections = connections

    def round(self, peer, token_file, seconds, **load_options):
        """One window of load: CPU time of the proxy per request, the load's figures, and how much of the machine was
        used by programs that have nothing to do with it."""
        load = Load(self.generator, peer, token_file, seconds, load_options.pop("connections", self.connections),
                    self.folder, **load_options)
        try:
            time.sleep(SETTLE)
            first = self._reading(peer, load)
            time.sleep(max(0.2, seconds - SETTLE - 0.3))
            last = self._reading(peer, load)
            found = load.result()
        finally:
            load.process.stop()
        wall, requests, cpu, own, busy = (b - a for a, b in zip(first, last))
        return {"cpu_us": cpu * 1e6 / requests, "rps": found["requests"] / found["seconds"], "p50_us": found["p50_us"],
                "p99_us": found["p99_us"], "p999_us": found["p999_us"], "proxy_load": cpu / wall,
                "foreign": max(0.0, busy - own) / (wall * os.cpu_count())}

    def _reading(self, peer, load):
        cpu = peer.process.cpu_seconds()
        requests = self.counter.read()
        now = time.monotonic()
        own = cpu + self.upstream.cpu_seconds() + load.process.cpu_seconds()
        return now, requests, cpu, own, machine_busy_seconds()

    def idle_memory(self, peer, token_file, connections):
        """Bytes of memory that one more idle keep-alive connection costs, after one request on it: when the requests
        came one after another ("quiet"), and when all came at once ("burst"), which shows what a proxy keeps."""
        with open(token_file) as f:
            token = f.readline().strip()
        request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        found, clients = {}, []
        try:
            for kind in ("quiet", "burst"):
                clients.append(_Client(peer.port).ask(request).answered())
                time.sleep(0.5)
                before = peer.process.memory_bytes()
                if kind == "quiet":
                    clients += [_Client(peer.port).ask(request).answered() for _ in range(connections)]
                else:
                    many = [_Client(peer.port) for _ in range(connections)]
                    clients += many
                    peer.process.pause()  # so that it finds all of them waiting
                    for client in many:
                        client.ask(request)
                    peer.process.resume()
                    for client in many:
                        client.answered()
                time.sleep(1.5)
                found[kind] = (peer.process.memory_bytes() - before) / connections
        finally:
            for client in clients:
                client.close()
        return found

    def system_calls(self, peer, token_file, seconds):
        """System calls per request: all of them, and by name. perf counts them; strace where perf may not."""
        load = Load(self.generator, peer, token_file, seconds + 2, self.connections, self.folder)
        try:
            time.sleep(SETTLE)
            start, first = time.monotonic(), self.counter.read()
            counts = _perf_counts(peer.process.pids(), seconds) or _strace_counts(peer.process.pids(), seconds)
            rate = (self.counter.read() - first) / (time.monotonic() - start)
            load.result()
        finally:
            load.process.stop()
        return {name: count / seconds / rate for name, count in counts.items() if count / seconds / rate >= 0.005}

    def allocations(self, peer, counter, token_file, seconds):
        """Heap requests per request in the middle of a load; the peer runs with count_allocations preloaded."""
        load = Load(self.generator, peer, token_file, seconds + 2, self.connections, self.folder)
        try:
            time.sleep(SETTLE + 0.5)
            requests, allocations = self.counter.read(), counter.read()
            time.sleep(seconds)
            requests, allocations = self.counter.read() - requests, counter.read() - allocations
            load.result()
        finally:
            load.process.stop()
        return allocations / requests


class _Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)

    def ask(self, request):
        self.socket.sendall(request)
        return self

    def answered(self):
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more(answer)
        head, body = answer.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"refused: {head!r}")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
        while len(body) < length:
            body += self._more(answer)
        return self

    def _more(self, answer):
        piece = self.socket.recv(4096)
        if not piece:
            raise RuntimeError(f"connection closed after {answer!r}")
        return piece

    def close(self):
        self.socket.close()


NAMED_CALLS = ["epoll_wait", "epoll_pwait", "epoll_ctl", "recvfrom", "recvmsg", "read", "readv", "sendto", "sendmsg",
               "write", "writev", "timerfd_settime", "futex", "accept4", "connect", "close"]


def _perf_counts(pids, seconds):
    events = ["raw_syscalls:sys_enter"] + [f"syscalls:sys_enter_{name}" for name in NAMED_CALLS]
    command = ["perf", "stat", "-x", ",", "-e", ",".join(events), "-p", ",".join(map(str, pids)), "sleep", str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    counts = {}
    for line in done.stderr.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[0].isdigit():
            name = fields[2].replace("raw_syscalls:sys_enter", "all").replace("syscalls:sys_enter_", "")
            counts[name] = int(fields[0])
    return counts if counts.get("all") else None


def _strace_counts(pids, seconds):
    command = ["timeout", "-s", "INT", str(seconds), "strace", "-c", "-f"]
    for pid in pids:
        command += ["-p", str(pid)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 20)
    counts = {}
    for line in done.stderr.splitlines():
        fields = line.split()
        if len(fields) >= 5 and re.fullmatch(r"[\d.]+", fields[0]) and fields[3].isdigit():
            counts["all" if fields[-1] == "total" else fields[-1]] = int(fields[3])
    if "all" not in counts:
        raise RuntimeError("neither perf nor strace can count system calls here")
    return counts
