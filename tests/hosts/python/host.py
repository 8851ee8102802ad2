"""A host for `hydrant-transfers` in Python: it brings blobs into a folder, and files to a server.

The component decides: order, retries, how much at once, which bytes are right. The host performs what it is asked for
and says what came of it. This is the loop. One thread drives an operation, each open effect has a thread of its own,
and all of these speak through one queue; `effects.py` is what they do.
"""

import os
import queue
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record, Variant

from effects import Effect, now, origin, record

CALLS = threading.Lock()  # Python's wasmtime converts values in a set that all threads share: one call at a time


class Host:
    """The compiled component and a folder. Operations may run at once, in threads and in processes."""

    def __init__(self, component, folder, watch=lambda tag, payload: None):
        """`watch` is called with each `note` and `retry`, from the thread that drives."""
        self.engine = Engine()
        self.component = Component.from_file(self.engine, str(component))
        self.folder, self.stages, self.watch = Path(folder), Path(folder, "stages"), watch
        self.stages.mkdir(parents=True, exist_ok=True)

    def hydrate(self, endpoint, wants, login=None, **config):
        """Brings blobs into the folder. `wants` are (name, oid, size), `login` is None or (user, password), `config`
        are fields of the contract's record. After Ctrl-C the report says `unfinished` for the rest."""
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
        self.answers = queue.SimpleQueue()  # (id, reply); no reply: the effect's thread is done; no id: stop
        self.open, self.cancelled, self.heads = {}, [], []
        self.stages = {}  # open files by stage id: locked by us, and no effect writes there
        self.store = Store(host.engine)
        self.instance = Linker(host.engine).instantiate(self.store, host.component)
        self.interface = self.instance.get_export_index(self.store, "hydrant:lfs/operations@0.1.0")
        self.limits = self.call("limits")
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
            try:
                driven = pool.submit(self.drive)
                return driven.result()
            except KeyboardInterrupt:
                self.answers.put((None, None))
                return driven.result()

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
            for file in self.stages.values():
                file.close()

    def listen(self, until):
        """Sleeps until an answer comes or the tick passes, then takes every answer that is there."""
        while self.heads:
            self.heads.pop().judged.set()  # It was polled since, and nothing cancelled: the body may come.
        with suppress(queue.Empty):
            self.take(*self.answers.get(timeout=until and max(0, until - now().ticks) / 1000))
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


