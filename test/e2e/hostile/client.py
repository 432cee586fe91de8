"""Clients over loopback: addresses of 127.0.0.0/8 stand for different machines, and each crowd is a process of its own."""

import asyncio
import base64
import hashlib
import hmac
import json
import multiprocessing
import random
import re
import selectors
import socket
import time
import uuid

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
TIMEOUT = 5


def request(method, path, token=None, body=None, headers=(), content_type="application/json"):
    lines = [f"{method} {path} HTTP/1.1", "Host: kampus.example", *headers]
    if token:
        lines.append("Authorization: Bearer " + token)
    data = b""
    if body is not None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines += ["Content-Type: " + content_type, f"Content-Length: {len(data)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def mint(secret, role, nim=None, sub=None):
    """An access token as auth-service signs it with JWT_SECRET."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    now = int(time.time())
    claims = {
        "iss": "kampus-auth", "aud": "kampus-api", "sub": sub or str(uuid.uuid4()), "role": role, "sid": str(uuid.uuid4()),
        "jti": str(uuid.uuid4()), "iat": now, "exp": now + 900,
    }
    if nim:
        claims["nim"] = nim
    signed = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    mac = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


class Connection:
    """Keep-alive, opened again after the server has closed it."""

    def __init__(self, port, source):
        self.port = port
        self.source = source
        self.reader = self.writer = None

    async def ask(self, data):
        """(status, body); OSError and the like where there was no answer."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(
                "127.0.0.1", self.port, local_addr=(self.source, 0), limit=1 << 20
            )
        try:
            self.writer.write(data)
            while True:
                head = await self.reader.readuntil(b"\r\n\r\n")
                status = int(head[9:12])
                if status >= 200:
                    break
            found = LENGTH.search(head)
            if found:
                body = await self.reader.readexactly(int(found[1]))
            elif b"chunked" in head.lower():
                body = await self.reader.readuntil(b"0\r\n\r\n")
            else:
                body = b""
            if b"connection: close" in head.lower():
                self.close()
            return status, body
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.writer = None


class Counts:
    """What came back: how often each status (or what broke), and how long it took."""

    def __init__(self):
        self.kinds = {}
        self.seconds = []

    async def ask(self, connection, data):
        began = time.monotonic()
        body = b""
        try:
            kind, body = await asyncio.wait_for(connection.ask(data), TIMEOUT)
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError, ValueError) as error:
            connection.close()
            kind = type(error).__name__
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.seconds.append(time.monotonic() - began)
        return kind, body

    @property
    def total(self):
        return sum(self.kinds.values())

    def share(self, *good):
        return sum(self.kinds.get(kind, 0) for kind in good) / max(self.total, 1)

    def p99(self):
        ordered = sorted(self.seconds)
        return ordered[int(0.99 * (len(ordered) - 1))] if ordered else 0.0

    def __str__(self):
        kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(self.kinds.items(), key=str))
        return f"{self.total} requests ({kinds}), p99 {self.p99() * 1000:.0f} ms"


async def paced(port, source, requests, seconds, per_second, clients=8):
    """So many a second, one request after the other of `requests`, however long the answers take."""
    counts = Counts()
    began = time.monotonic()

    async def client(number):
        connection = Connection(port, source)
        sent = number
        while True:
            due = began + sent / per_second
            if due > began + seconds:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await counts.ask(connection, requests[sent % len(requests)])
            sent += clients
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return counts


async def crowd(port, sources, requests, connections, seconds):
    """Every connection asks again as soon as it has its answer."""
    counts = Counts()
    until = time.monotonic() + seconds

    async def client(number):
        connection = Connection(port, sources[number % len(sources)])
        sent = number
        while time.monotonic() < until:
            kind, _ = await counts.ask(connection, requests[sent % len(requests)])
            sent += connections
            if not isinstance(kind, int):
                await asyncio.sleep(0.05)
        connection.close()

    await asyncio.gather(*(client(number) for number in range(connections)))
    return counts


async def waves(port, source, requests, size, every, seconds):
    """`size` requests at once, each with a connection of its own, again after `every` seconds."""
    counts = Counts()
    until = time.monotonic() + seconds
    tasks = []
    sent = 0

    async def one(data):
        connection = Connection(port, source)
        await counts.ask(connection, data)
        connection.close()

    while time.monotonic() < until:
        for _ in range(size):
            tasks.append(asyncio.create_task(one(requests[sent % len(requests)])))
            sent += 1
        await asyncio.sleep(every)
    await asyncio.gather(*tasks)
    return counts


async def once_each(port, sources, requests, connections, seconds):
    """All of `requests`, evenly within `seconds`."""
    counts = Counts()
    began = time.monotonic()

    async def client(number):
        connection = Connection(port, sources[number % len(sources)])
        for index in range(number, len(requests), connections):
            await asyncio.sleep(max(0.0, began + seconds * index / len(requests) - time.monotonic()))
            await counts.ask(connection, requests[index])
        connection.close()

    await asyncio.gather(*(client(number) for number in range(connections)))
    return counts


def hold(port, sources, data, number, seconds):
    """`number` connections that send `data` and then nothing; who is thrown out comes again. How many stood at the end."""
    selector = selectors.DefaultSelector()
    open_ones = 0

    def open_one(source):
        client = socket.socket()
        client.settimeout(2)
        try:
            client.bind((source, 0))
            client.connect(("127.0.0.1", port))
            client.sendall(data)
        except OSError:
            client.close()
            return 0
        client.setblocking(False)
        selector.register(client, selectors.EVENT_READ, source)
        return 1

    until = time.monotonic() + seconds
    for index in range(number):
        open_ones += open_one(sources[index % len(sources)])
    while time.monotonic() < until:
        for key, _ in selector.select(0.2):
            try:
                gone = not key.fileobj.recv(4096)
            except OSError:
                gone = True
            if gone:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                open_ones -= 1
        for _ in range(min(number - open_ones, 500)):
            open_ones += open_one(random.choice(sources))
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return open_ones


def pipelined(port, source, data, number, batch, seconds):
    """`number` requests within `seconds`, `batch` at a time on one connection; how many were answered."""
    answered = 0
    began = time.monotonic()
    client = None
    for sent in range(0, number, batch):
        time.sleep(max(0.0, began + seconds * sent / number - time.monotonic()))
        try:
            if client is None:
                client = socket.create_connection(("127.0.0.1", port), TIMEOUT, (source, 0))
            client.sendall(data * batch)
            got, tail = 0, b""
            while got < batch:
                piece = client.recv(1 << 16)
                if not piece:
                    raise OSError
                got += (tail + piece).count(b"HTTP/1.1 ")
                tail = piece[-8:]
            answered += got
        except OSError:
            if client:
                client.close()
            client = None
    return answered


class Background:
    """A crowd in a process of its own, so that clients do not wait for each other's Python."""

    def __init__(self, function, *arguments, **named):
        self.mine, other = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(
            target=self._run, args=(other, function, arguments, named), daemon=True
        )
        self.process.start()
        other.close()

    @staticmethod
    def _run(pipe, function, arguments, named):
        result = function(*arguments, **named)
        pipe.send(asyncio.run(result) if asyncio.iscoroutine(result) else result)

    def result(self):
        """Of what was asked for, when it is there."""
        result = self.mine.recv()
        self.process.join()
        return result
