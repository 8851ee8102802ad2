"""A host for `hydrant-transfers`, with threads, flock and http.client: blobs into a folder, files to a server.

The component decides: order, retries, how much at once, which bytes are right. This host performs what it is asked for
and says what came of it. One thread drives an operation; each open effect has a thread of its own, and all of them
speak through one queue. In the folder each verified blob is a file named by its oid; `stages` in it holds the others.
"""

import base64
import errno
import fcntl
import hashlib
import http.client
import os
import queue
import secrets
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

BLOCK = 64 << 10  # bytes read at once; a chunk may have 256 KiB
POINTER_BELOW = 1024  # bytes; the component looks into every file that could be a pointer
BEAT = 0.1  # seconds between two `so-far` of one effect
OURS = {"host", "content-length", "connection", "transfer-encoding"}  # headers that only the host sets
CONNECTIONS = {"http": http.client.HTTPConnection,
               "https": partial(http.client.HTTPSConnection, context=ssl.create_default_context())}
FAILURES = ((ssl.SSLCertVerificationError, "blocked"), (TimeoutError, "timed-out"), (PermissionError, "denied"),
            ((ConnectionError, socket.gaierror, ssl.SSLError, http.client.HTTPException), "offline"),
            (FileNotFoundError, "not-found"))
NUMBERS = {errno.ENETUNREACH: "offline", errno.EHOSTUNREACH: "offline",
           errno.ENOSPC: "no-space", errno.EDQUOT: "no-space"}
CALLS = threading.Lock()  # this wasmtime converts arguments in a set that all threads share: one call at a time


class Aborted(Exception):
    """The component no longer wants this effect."""


class Conflict(Exception):
    """The file is not what it was when it was hashed."""


class Host:
    """The compiled component and a folder. Operations may run at once, in threads and in processes."""

    def __init__(self, component, folder, watch=lambda tag, payload: None):
        """`watch` is called with each `note` and `retry`, from the thread that drives."""
        self.engine = Engine()
        self.component = Component.from_file(self.engine, str(component))
        self.folder, self.stages, self.watch = Path(folder), Path(folder, "stages"), watch
        self.stages.mkdir(parents=True, exist_ok=True)

    def hydrate(self, endpoint, wants, login=None, **config):
        """Brings blobs into the folder. `wants` are (name, oid, size), `login` is None or (user, password), `config` are
        fields of the contract's record. After Ctrl-C the report says `unfinished` for the rest."""
        wants = [record(name=name, oid=oid, size=size) for name, oid, size in wants]
        return Operation(self, "hydrate", endpoint, wants, login, config).run()

    def upload(self, endpoint, files, login=None, **config):
        """Brings files to the server; the report has the oid of each."""
        sources = [record(name=os.fspath(file), expects=None) for file in files]
        return Operation(self, "upload", endpoint, sources, login, config).run()


class Operation:
    """One operation, with an instance of the component for itself."""

    def __init__(self, host, kind, endpoint, items, login, config):
        self.host, self.login, self.origin = host, login, origin(endpoint)
        self.answers = queue.SimpleQueue()  # (id, reply); without a reply the effect's thread is done, without an id: stop
        self.open, self.cancelled, self.heads = {}, [], []
        self.stages = {}  # by id: ours, and nobody writes there
        self.store = Store(host.engine)
        self.instance = Linker(host.engine).instantiate(self.store, host.component)
        self.interface = self.instance.get_export_index(self.store, "hydrant:lfs/operations@0.1.0")
        settings = self.call("default-config", endpoint, secrets.randbits(64))
        vars(settings).update(vars(record(login="stored" if login else "none", **config)))
        self.handle = self.call(f"[static]operation.{kind}", settings, items)
        if isinstance(self.handle, Record):
            raise ValueError(f"{self.handle.code}: {self.handle.detail}")

    def call(self, name, *arguments):
        with CALLS:
            index = self.instance.get_export_index(self.store, name, self.interface)
            return self.instance.get_func(self.store, index)(self.store, *arguments)

    def method(self, name, *arguments):
        return self.call(f"[method]operation.{name}", self.handle, *arguments)

    def run(self):
        """Python interrupts its main thread alone. All that this one does is wait, so no step and no answer is lost."""
        with ThreadPoolExecutor(1) as pool:
            driven = pool.submit(self.drive)
            while True:
                try:
                    return driven.result()
                except KeyboardInterrupt:
                    self.answers.put((None, None))

    def drive(self):
        """The loop of the contract."""
        try:
            while (step := self.method("poll", now())).tag != "done":
                match step.tag:
                    case "perform":
                        effect = self.open[step.payload.id] = Effect(self, step.payload)
                        effect.start()
                    case "cancel":
                        effect = self.open.pop(step.payload)
                        effect.abort()
                        self.cancelled.append(effect)
                        self.method("reply", step.payload, Variant("failed", record(why="aborted", detail="")))
                    case "wait":
                        self.listen(step.payload)
                    case _:
                        self.host.watch(step.tag, step.payload)
            return self.method("finish-transfer")
        finally:
            for effect in self.open.values():
                effect.abort()
            for effect in [*self.open.values(), *self.cancelled]:
                if effect.ends_soon:  # What it staged is in order before anybody looks for leftovers.
                    effect.join()
            for stage in self.stages.values():
                stage.leave()

    def listen(self, until):
        """Sleeps until an answer comes or the tick passes, then takes every answer that is there."""
        while self.heads:
            self.heads.pop().judged.set()  # It was polled since, and nothing cancelled: the body may come.
        seconds = None if until is None else max(0, until - now().ticks) / 1000
        with suppress(queue.Empty):
            self.take(*self.answers.get(timeout=seconds))
            while True:
                self.take(*self.answers.get_nowait())

    def take(self, id, reply):
        if id is None:
            self.method("stop")
        elif id not in self.open:
            pass  # It was cancelled, and answered so: this comes too late.
        elif reply is None:
            del self.open[id]
        elif misuse := self.method("reply", id, reply):
            raise AssertionError(f"this host is wrong: {reply.tag} is {misuse}")
        elif reply.tag == "head":
            self.heads.append(self.open[id])


class Effect(threading.Thread):
    """One open effect. The method that has its name says what the grammar of that effect allows, in order."""

    def __init__(self, operation, task):
        super().__init__(daemon=True)
        self.operation, self.host, self.task = operation, operation.host, task
        self.wanted, self.judged, self.ends_soon, self.socket, self.told = True, threading.Event(), True, None, 0

    def run(self):
        try:
            getattr(self, self.task.effect.tag.replace("-", "_"))(self.task.effect.payload)
        except Conflict:
            self.say("conflict")
        except Exception as error:  # Whatever it is: without an answer the operation would not end.
            self.say("failed", failure(error))
        self.operation.answers.put((self.task.id, None))

    def say(self, tag, payload=None):
        if tag == "so-far":
            if time.monotonic() - self.told < BEAT:
                return
            self.told = time.monotonic()
        self.operation.answers.put((self.task.id, Variant(tag, payload)))

    def abort(self):
        self.wanted = False
        self.judged.set()
        with suppress(AttributeError, OSError):
            self.socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for bytes

    def check(self):
        if not self.wanted:
            raise Aborted

    def through(self, blocks, digest):
        """Lets blocks through, counted and hashed. An aborted socket may still give some; they go nowhere."""
        for block in blocks:
            self.check()
            digest.add(block)
            self.say("so-far", digest.size)
            yield block

    def has_blob(self, blob):
        with suppress(FileNotFoundError):
            if (self.host.folder / blob.oid).stat().st_size == blob.size:
                return self.say("present")  # only proved and synced bytes have this name
        for stage in [stage for stage in list(self.operation.stages.values()) if stage.oid == blob.oid]:
            self.operation.stages.pop(stage.id).leave()  # claimed for a try that came to nothing
        leftovers = sorted(filter(None, map(claimed, self.host.stages.glob(f"{blob.oid}.*"))), key=Stage.bytes)
        if not leftovers:
            return self.say("absent")
        longest = leftovers.pop()
        for stage in leftovers:
            stage.drop()
        self.operation.stages[longest.id] = longest
        self.say("partial", record(stage=longest.id, bytes=longest.bytes(), validator=None))
        if longest.bytes() == blob.size:
            self.say("received", self.hashed(longest.file).blob())

    def keep_blob(self, staged):
        stage = self.operation.stages.pop(staged.stage)
        with stage.file:
            stage.file.flush()
            os.fsync(stage.file.fileno())  # The bytes are durable before they get their name.
            stage.path.rename(self.host.folder / staged.blob.oid)
        self.say("end")

    def drop_stage(self, id):
        self.operation.stages.pop(id).drop()
        self.say("end")

    def read_file(self, reading):
        try:
            file = open(reading.name, "rb")
        except FileNotFoundError:
            return self.say("absent")
        with file:
            # The state before: a file that changes while it is read has another one when it is sent.
            state, size = revision(file), os.fstat(file.fileno()).st_size
            if size < POINTER_BELOW or getattr(reading, "as-chunks"):
                for block in blocks(file):
                    self.check()
                    self.say("chunk", block)
                self.say("end")
            else:
                digest = self.hashed(file)
                if digest.size != size:
                    raise OSError(errno.EBUSY, "the file changes while it is read")
                self.say("received", digest.blob())
        self.say("at", state)

    def hashed(self, file, digest=None):
        digest = digest or Digest()
        for _ in self.through(blocks(file), digest):
            pass
        return digest

    def http(self, exchange):
        request = exchange.request
        headers = {header.name: header.value for header in request.headers if header.name.lower() not in OURS}
        if request.login != "none":
            # It belongs to the endpoint's own origin, and there is no other one to offer.
            if not self.operation.login or request.login == "renewed" or origin(request.url) != self.operation.origin:
                raise PermissionError(errno.EACCES, "there is no login for this server")
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.operation.login).encode()).decode()
        with closing(self.connect(request.url, getattr(exchange, "idle-max"))) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):  # The server may have answered early: that says why.
                self.send(connection, request, headers)
            with connection.getresponse() as answer:  # of any status: nothing is followed
                told = [record(name=name, value=value) for name, value in answer.getheaders()]
                self.say("head", record(status=answer.status, headers=told))
                body = body_of(answer, getattr(exchange, "answer-bytes-max"))
                if exchange.stage and answer.status in (200, 206):
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
        target = (parts.path or "/") + (parts.query and f"?{parts.query}")
        if not isinstance(body, Record):
            return connection.request(request.method.upper(), target, body, headers)
        try:
            file = open(body.name, "rb")
        except FileNotFoundError:
            raise Conflict from None
        with file:
            if revision(file) != body.revision:
                raise Conflict
            file.seek(body.offset)
            digest, headers["Content-Length"] = Digest(), str(body.length)
            connection.request(request.method.upper(), target, self.through(blocks(file, body.length), digest), headers)
            if revision(file) != body.revision:
                raise Conflict
        self.say("sent", digest.blob())

    def receive(self, wanted, status, body):
        self.judged.wait()  # The component sees the head before a byte can reach the stage.
        self.check()
        path = self.host.stages / f"{wanted.blob.oid}.{wanted.id}"
        older = wanted.resume and self.operation.stages.pop(wanted.resume.stage)
        if status == 206:
            stage = older.move(path, wanted.resume.bytes)
        else:
            stage = Stage(path, open(path, "x+b"))
            if older:
                older.drop()
        try:
            digest = self.hashed(stage.file)
            stage.file.writelines(self.through(body, digest))
        except BaseException:
            stage.leave()
            raise
        self.operation.stages[stage.id] = stage
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


class Stage:
    """A file named OID.ID. It is ours while it is open: the lock tells every other operation, and dies with us."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.oid, self.id = path.name.split(".")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def bytes(self):
        return os.fstat(self.file.fileno()).st_size

    def move(self, path, bytes):
        """The same file under a name that must be new, cut to what is resumed."""
        os.link(self.path, path)
        self.path.unlink()
        self.file.truncate(bytes)
        return Stage(path, self.file)

    def leave(self):
        """For whoever goes on with it."""
        with suppress(OSError), self.file:
            self.file.flush()
            if not self.bytes():
                self.path.unlink()

    def drop(self):
        with self.file:
            self.path.unlink()


def claimed(path):
    """A leftover; none while somebody writes there, or once somebody else took it. An empty one just begins."""
    with suppress(OSError):
        if path.stat().st_size:
            file = open(path, "r+b")
            with suppress(OSError):
                stage = Stage(path, file)
                if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                    return stage
            file.close()


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


def revision(file):
    state = os.fstat(file.fileno())
    return f"{state.st_dev}-{state.st_ino}-{state.st_size}-{state.st_mtime_ns}-{state.st_ctime_ns}"


def blocks(file, length=None):
    while length != 0 and (block := file.read(BLOCK if length is None else min(BLOCK, length))):
        length = length and length - len(block)
        yield block


def body_of(answer, bytes_max):
    """The body up to that bound. http.client takes one that was cut for one that is over."""
    while bytes_max and (block := answer.read1(min(BLOCK, bytes_max))):
        bytes_max -= len(block)
        yield block
    if bytes_max and answer.length:
        raise ConnectionResetError(errno.ECONNRESET, "the answer was cut")


def failure(error):
    """In the words of the contract; of the exception's own only the system's, for others may name paths and secrets."""
    why = next((why for kinds, why in FAILURES if isinstance(error, kinds)), None)
    why = why or NUMBERS.get(getattr(error, "errno", None), "io")
    return record(why=why, detail=getattr(error, "strerror", None) or type(error).__name__)
