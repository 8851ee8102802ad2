"""What the component asks of its host: the four effects of a hydration, and the one more of an upload.

In the host's folder each verified blob is a file named by its oid. The folder `stages` in it holds what is not proved:
files named OID.STAGE, each locked by whoever may write to it. A lock dies with its process: where none is, the transfer
is over, and others may go on with what it left.
"""

import base64
import errno
import fcntl
import hashlib
import http.client
import os
import socket
import ssl
import threading
import time
from contextlib import ExitStack, closing, suppress
from functools import partial
from urllib.parse import urlsplit

from wasmtime.component import Record, Variant

BLOCK = 64 << 10  # bytes read at once; a chunk may have 256 KiB
BEAT = 0.1  # seconds between two `so-far` of one effect
OURS = {"host", "content-length", "connection", "transfer-encoding"}  # headers that only the host sets
CONNECTIONS = {"http": http.client.HTTPConnection,
               "https": partial(http.client.HTTPSConnection, context=ssl.create_default_context())}
FAILURES = ((ssl.SSLCertVerificationError, "blocked"), (TimeoutError, "timed-out"), (PermissionError, "denied"),
            ((ConnectionError, socket.gaierror, ssl.SSLError, http.client.HTTPException), "offline"))
NUMBERS = {errno.ENETUNREACH: "offline", errno.EHOSTUNREACH: "offline", errno.ENOENT: "not-found",
           errno.ENOSPC: "no-space", errno.EDQUOT: "no-space"}


class Conflict(Exception):
    """The file is not what it was when it was hashed."""


class Effect(threading.Thread):
    """One open effect. The method that has its name says what the grammar of that effect allows, in order."""

    def __init__(self, operation, task):
        super().__init__(daemon=True)
        self.host, self.id, self.effect, self.answers = operation.host, task.id, task.effect, operation.answers
        self.login, self.origin, self.stages = operation.login, operation.origin, operation.stages
        self.pointer_below = getattr(operation.limits, "pointer-bytes-below")
        self.wanted, self.judged, self.ends_soon, self.socket, self.told = True, threading.Event(), True, None, 0

    def run(self):
        try:
            getattr(self, self.effect.tag.replace("-", "_"))(self.effect.payload)
        except Conflict:
            self.say("conflict")
        except Exception as error:  # Whatever it is: without an answer the operation would not end.
            self.say("failed", failure(error))
        self.answers.put((self.id, None))

    def say(self, tag, payload=None):
        if tag == "so-far":
            if time.monotonic() - self.told < BEAT:
                return
            self.told = time.monotonic()
        self.answers.put((self.id, Variant(tag, payload)))

    def abort(self):
        self.wanted = False
        self.judged.set()
        if self.socket:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for bytes

    def check(self):
        if not self.wanted:
            raise InterruptedError

    def through(self, blocks, digest):
        """Lets blocks through, counted and hashed. An aborted socket may still give some: they go nowhere."""
        for block in blocks:
            self.check()
            digest.add(block)
            self.say("so-far", digest.size)
            yield block

    def hashed(self, file):
        """All that is left of a file."""
        digest = Digest()
        for _ in self.through(blocks(file), digest):
            pass
        return digest

    def stage_path(self, oid, id):
        return self.host.stages / f"{oid}.{id}"

    def has_blob(self, blob):
        with suppress(FileNotFoundError):
            if (self.host.folder / blob.oid).stat().st_size == blob.size:
                return self.say("present")  # only proved and synced bytes have this name
        sizes = {}
        for path in self.host.stages.glob(f"{blob.oid}.*"):
            id = path.suffix[1:]
            if file := self.stages.get(id) or claimed(path):
                self.stages[id], sizes[id] = file, size_of(file)
        fitting = [id for id in sizes if sizes[id] <= blob.size]
        longest = max(fitting, key=sizes.get, default=None)
        for id in sizes.keys() - {longest}:
            self.forget(blob.oid, id)
        if longest is None:
            return self.say("absent")
        self.say("partial", record(stage=longest, bytes=sizes[longest], validator=None))
        if sizes[longest] == blob.size:
            file = self.stages[longest]
            file.seek(0)
            self.say("received", self.hashed(file).blob())

    def keep_blob(self, staged):
        with self.stages.pop(staged.stage) as file:
            os.fsync(file.fileno())  # The bytes are durable before they get their name.
            self.stage_path(staged.blob.oid, staged.stage).rename(self.host.folder / staged.blob.oid)
        self.say("end")

    def drop_stage(self, id):
        self.forget("*", id)  # the id is enough: there is only one of it
        self.say("end")

    def forget(self, oid, id):
        with self.stages.pop(id):
            for path in self.host.stages.glob(f"{oid}.{id}"):
                path.unlink()

    def read_file(self, reading):
        with suppress(FileNotFoundError), open(reading.name, "rb") as file:
            # The state before: a file that changes while it is read has another one when it is sent.
            state, size = revision(file), size_of(file)
            if size < self.pointer_below or getattr(reading, "as-chunks"):
                for block in blocks(file):
                    self.check()
                    self.say("chunk", block)
                self.say("end")
            else:
                digest = self.hashed(file)
                if digest.size != size:
                    raise OSError(errno.EBUSY, "the file changes while it is read")
                self.say("received", digest.blob())
            return self.say("at", state)
        self.say("absent")

    def http(self, exchange):
        request = exchange.request
        headers = {header.name: header.value for header in request.headers if header.name.lower() not in OURS}
        if request.login != "none":
            # It belongs to the endpoint's own origin, and there is no other one to offer.
            if not self.login or request.login == "renewed" or origin(request.url) != self.origin:
                raise PermissionError(errno.EACCES, "there is no login for this server")
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.login).encode()).decode()
        with closing(self.connect(request.url, getattr(exchange, "idle-max"))) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # The server may have answered early: that says why.
                self.send(connection, request, headers)
            with connection.getresponse() as answer:  # of any status: nothing is followed
                fields = [record(name=name, value=value) for name, value in answer.getheaders()]
                self.say("head", record(status=answer.status, headers=fields))
                body = body_of(answer, getattr(exchange, "answer-bytes-max"))
                if exchange.stage and answer.status in (200, 203, 206):
                    return self.receive(exchange.stage, answer.status, body)
                for block in body:
                    self.check()
                    self.say("chunk", block)
                self.say("end")

    def connect(self, url, idle_max):
        scheme, host, port = origin(url)
        connection = CONNECTIONS[scheme](host, port, timeout=idle_max / 1000)
        self.ends_soon = False  # nothing wakes a thread that connects
        self.check()
        connection.connect()
        self.socket, self.ends_soon = connection.sock, True
        self.check()
        return connection

    def send(self, connection, request, headers):
        parts, body = urlsplit(request.url), request.body
        method, target = request.method.upper(), (parts.path or "/") + (parts.query and f"?{parts.query}")
        if not isinstance(body, Record):
            return connection.request(method, target, body, headers)
        try:
            file = open(body.name, "rb")
        except FileNotFoundError:
            raise Conflict from None
        with file:
            if revision(file) != body.revision:
                raise Conflict
            file.seek(body.offset)
            digest, headers["Content-Length"] = Digest(), str(body.length)
            connection.request(method, target, self.through(blocks(file, body.length), digest), headers)
            if revision(file) != body.revision:
                raise Conflict
        self.say("sent", digest.blob())

    def receive(self, stage, status, body):
        self.judged.wait()  # Before a byte reaches the stage the component has seen the head, and may have cancelled.
        self.check()
        path, digest = self.stage_path(stage.blob.oid, stage.id), Digest()
        with ExitStack() as stack:  # If this fails, the file is closed, and so unlocked for whoever goes on with it.
            if status == 206:
                file = stack.enter_context(self.stages.pop(stage.resume.stage))
                self.stage_path(stage.blob.oid, stage.resume.stage).rename(path)
                file.truncate(stage.resume.bytes)
                file.seek(0)
                digest = self.hashed(file)
            else:
                file = stack.enter_context(open(path, "x+b"))
                fcntl.flock(file, fcntl.LOCK_EX)
                if stage.resume:
                    self.forget(stage.blob.oid, stage.resume.stage)
            file.writelines(self.through(body, digest))
            file.flush()
            stack.pop_all()
        self.stages[stage.id] = file
        self.say("received", digest.blob())


class Digest:
    """Counts and hashes."""

    def __init__(self):
        self.sha256, self.size = hashlib.sha256(), 0

    def add(self, block):
        self.sha256.update(block)
        self.size += len(block)

    def blob(self):
        return record(oid=self.sha256.hexdigest(), size=self.size)


def claimed(path):
    """A leftover, ours while it is open. None while somebody else has it, or once somebody moved it. An empty one has
    just begun."""
    with suppress(OSError), ExitStack() as stack:
        if path.stat().st_size:
            file = stack.enter_context(open(path, "r+b"))
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                stack.pop_all()
                return file


def record(**fields):
    """A WIT record; its field names have hyphens where Python's have underscores."""
    made = Record()
    vars(made).update((name.replace("_", "-"), value) for name, value in fields.items())
    return made


def now():
    return record(ticks=time.monotonic_ns() // 1_000_000, wall=time.time_ns() // 1_000_000)


def origin(url):
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)


def size_of(file):
    return os.fstat(file.fileno()).st_size


def revision(file):
    state = os.fstat(file.fileno())
    return f"{state.st_dev}-{state.st_ino}-{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}"


def blocks(file, length=1 << 63):
    while length and (block := file.read(min(BLOCK, length))):
        length -= len(block)
        yield block


def body_of(answer, bytes_max):
    """The body up to that bound. http.client takes one that was cut for one that is over."""
    while bytes_max and (block := answer.read1(min(BLOCK, bytes_max))):
        bytes_max -= len(block)
        yield block
    if bytes_max and answer.length:
        raise ConnectionResetError(errno.ECONNRESET, "the answer was cut")


def failure(error):
    """In the words of the contract; of the exception's own only the system's: others may name paths and secrets."""
    why = next((why for kinds, why in FAILURES if isinstance(error, kinds)), None)
    why = why or NUMBERS.get(getattr(error, "errno", None), "io")
    return record(why=why, detail=getattr(error, "strerror", None) or type(error).__name__)
