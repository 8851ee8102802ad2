"""engine.py ENGINE TESTS: the component in Python's wasmtime answers the pointer and endpoint vectors.

The linker is empty: that it instantiates at all shows that the component asks for nothing. The last line says what
was seen; the exit code is 1 when an answer differs.
"""

import base64
import json
import sys
from pathlib import Path

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Record

POINTER_HEAD_BYTES = 1024


def record(**fields):
    """A WIT record; its field names have hyphens where Python's have underscores."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


class Guest:
    """One instance of the component, its functions by interface and name."""

    def __init__(self, path):
        engine = Engine()
        self.store = Store(engine)
        component = Component.from_file(engine, path)
        self.instance = Linker(engine).instantiate(self.store, component)

    def call(self, interface, name, *arguments):
        outer = self.instance.get_export_index(self.store, f"hydrant:lfs/{interface}@0.1.0")
        inner = self.instance.get_export_index(self.store, name, outer)
        return self.instance.get_func(self.store, inner)(self.store, *arguments)


def pointer_answer(guest, vector):
    """What the component says of a pointer vector, in the vector's words."""
    text = vector.get("input")
    data = text.encode() if text is not None else base64.b64decode(vector["input_b64"])
    sample = record(head=data[:POINTER_HEAD_BYTES], file_size=len(data))
    kind = guest.call("pointers", "classify", sample)
    if kind.tag != "pointer":
        word = {"content": "not-a-pointer", "malformed": "malformed"}[kind.tag]
        return {"error": kind.payload.flaw, "class": word}
    found = kind.payload
    extensions = [{"priority": e.priority, "name": e.name, "oid": e.oid} for e in found.extensions]
    return {"ok": {"oid": found.oid, "size": found.size, "canonical": found.canonical, "extensions": extensions}}


def endpoint_answer(guest, vector):
    """What the component says of an endpoint vector, in the vector's words."""
    settings = [record(key=key, value=value) for key, value in vector["config"].items()]
    result = guest.call("endpoints", "derive", settings, vector["operation"], vector["remote"])
    if result.tag == "err":
        return {"error": result.payload.code}
    found = result.payload
    answer = {"url": found.url}
    if found.ssh is not None:
        named = getattr(found.ssh, "user-and-host")
        answer["ssh"] = {"user_and_host": named, "port": found.ssh.port, "path": found.ssh.path}
    return answer


def main():
    engine, tests = sys.argv[1], Path(sys.argv[2])
    vectors = json.loads((tests / "vectors" / "lfs-vectors.json").read_text())
    guest = Guest(engine)
    asked, different = 0, []
    for group, answer in (("pointer", pointer_answer), ("endpoint", endpoint_answer)):
        for vector in vectors[group]:
            asked += 1
            got = answer(guest, vector)
            if got != vector["expect"]:
                different.append(f"{group} {vector['name']}: expected {vector['expect']}, got {got}")
    if different:
        print("; ".join(different[:5]))
        print(f"{len(different)} of {asked} answers differ: {different[0]}")
        return 1
    print(f"{asked} pointer and endpoint vectors, every answer as expected")
    return 0


if __name__ == "__main__":
    sys.exit(main())
