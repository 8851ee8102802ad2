"""The host against a real server, and against one that lies.

HYDRANT_BIN and HYDRANT_TRANSFERS_WASM name the command and the component; without them they are where a build leaves
them. Everything stays on loopback. Nothing here depends on how long something takes.
"""

import errno
import faulthandler
import hashlib
import json
import os
import queue
import random
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

from wasmtime.component import Variant

from effects import Effect, failure, now, origin, record, revision
from host import Host, Operation

TARGET = Path(__file__).resolve().parents[3] / "target"
COMMAND = os.environ.get("HYDRANT_BIN", TARGET / "release" / "hydrant")
COMPONENT = os.environ.get("HYDRANT_TRANSFERS_WASM", TARGET / "dist" / "hydrant-transfers.wasm")
POLL = 0.01  # seconds between two looks at what is waited for
HUNG = 300  # seconds after which a test hangs, and the run ends with every thread's stack
LOGIN = ("user", "secret")


def setUpModule():
    faulthandler.dump_traceback_later(HUNG, exit=True)
    # A run in the background begins with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def tearDownModule():
    faulthandler.cancel_dump_traceback_later()


def content(size, seed=0):
    return random.Random(seed).randbytes(size)


def oid_of(data):
    return hashlib.sha256(data).hexdigest()


class Case(unittest.TestCase):
    """A folder, a host for it, and words for what is expected."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.host = Host(COMPONENT, self.folder / "blobs")

    def file(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return path

    def well(self, report):
        ended = [outcome.ended and outcome.ended.detail for outcome in report.outcomes]
        self.assertEqual(ended, [None] * len(ended))
        self.assertIsNone(report.ended)

    def ill(self, report):
        """The code of the only outcome."""
        [outcome] = report.outcomes
        self.assertIsNotNone(outcome.ended)
        return outcome.ended.code

    def holds(self, *blobs):
        """The folder holds these blobs, whole, and nothing else."""
        self.assertEqual(list(self.host.stages.iterdir()), [])
        held = {path.name: path.read_bytes() for path in self.host.folder.iterdir() if path.is_file()}
        self.assertEqual(held, {oid_of(data): data for data in blobs})


class RealServer(Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        serve = [COMMAND, "--json", "serve", "--listen", "127.0.0.1:0", "--store", folder.name]
        child = cls.enterClassContext(subprocess.Popen(serve, stdout=subprocess.PIPE, text=True))
        cls.addClassCleanup(child.terminate)
        said = ""
        while not said.endswith("}\n"):
            line = child.stdout.readline()
            assert line, "the server ended"
            said += line
        said = json.loads(said)
        cls.endpoint, cls.login = said["url"] + "/repository", (said["user"], said["token"])

    def test_files_go_up_and_blobs_come_down(self):
        blobs = [content(20 << 20)] + [content(number**3, number) for number in range(49)]
        files = [self.file(f"file {number}", data) for number, data in enumerate(blobs)]
        report = self.host.upload(self.endpoint, files, self.login)
        self.well(report)
        self.assertEqual([outcome.oid for outcome in report.outcomes], [oid_of(data) for data in blobs])
        wants = [(outcome.name, outcome.oid, outcome.size) for outcome in report.outcomes]
        self.well(self.host.hydrate(self.endpoint, wants, self.login))
        self.holds(*blobs)
        # What is held is not asked for: the address has no server.
        self.well(self.host.hydrate("http://127.0.0.1:1", wants))

    def test_a_wrong_login_and_none(self):
        file = self.file("file", content(2000))
        for login in [("hydrant", "wrong"), None]:
            self.assertEqual(self.ill(self.host.upload(self.endpoint, [file], login)), "auth")

    def test_a_misuse_changes_nothing(self):
        file = self.file("file", b"a small one")
        source = record(name=str(file), expects=None)
        operation = Operation(self.host, "upload", self.endpoint, [source], self.login, {})
        step = operation.method("poll", now())
        self.assertEqual((step.tag, step.payload.effect.tag), ("perform", "read-file"))
        for finish in ["finish-batch", "finish-locks"]:
            self.assertEqual(operation.method(finish), "another-kind")
        too_much = Variant("chunk", bytes((256 << 10) + 1))
        for misuse, reply in [("too-large", too_much), ("out-of-order", Variant("present"))]:
            self.assertEqual(operation.method("reply", step.payload.id, reply), misuse)
        self.assertEqual(operation.method("reply", 77, Variant("end")), "unknown-effect")
        with open(file, "rb") as opened:
            state = revision(opened)
        for reply in [Variant("chunk", file.read_bytes()), Variant("end"), Variant("at", state)]:
            self.assertIsNone(operation.method("reply", step.payload.id, reply))
        report = operation.run()
        self.well(report)
        self.assertEqual(report.outcomes[0].oid, oid_of(b"a small one"))


class Liar(ThreadingHTTPServer):
    """Offers one blob. `tell(asked, number)` answers the number-th request for it."""

    def __init__(self, data, tell):
        super().__init__(("127.0.0.1", 0), Asked)
        self.data, self.tell, self.seen, self.counting = data, tell, [], threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.want = ("blob", oid_of(data), len(data))


class Asked(BaseHTTPRequestHandler):
    """One request to a liar."""

    def do_POST(self):
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        actions = {batch["operation"]: {"href": self.server.url}}
        objects = [{"oid": it["oid"], "size": it["size"], "actions": actions} for it in batch["objects"]]
        self.give(200, json.dumps({"objects": objects}).encode(), {"Content-Type": "application/vnd.git-lfs+json"})

    def do_GET(self):
        with self.server.counting:
            self.server.seen.append(self.headers)
            number = len(self.server.seen)
        self.server.tell(self, number)

    def begin(self, status, length, headers=()):
        self.send_response(status)
        for name, value in {"Content-Length": length, **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()

    def give(self, status, data, headers=()):
        self.begin(status, len(data), headers)
        self.wfile.write(data)

    def give_blob(self):
        """What an honest server says, from the byte on that is asked for."""
        data = self.server.data
        if "Range" not in self.headers:
            return self.give(200, data)
        first = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
        self.give(206, data[first:], {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"})

    def give_half(self):
        self.begin(200, len(self.server.data))
        self.wfile.write(self.server.data[: len(self.server.data) // 2])

    def wait_for_the_end(self):
        """Until the other side hangs up."""
        try:
            self.rfile.read()
        except ConnectionResetError:
            pass

    def log_message(self, *words):
        pass


class LyingServer(Case):
    data = content(1_000_000)

    def liar(self, tell):
        liar = Liar(self.data, tell)
        threading.Thread(target=liar.serve_forever, args=[POLL], daemon=True).start()
        self.addCleanup(liar.server_close)
        self.addCleanup(liar.shutdown)
        return liar

    def test_a_cut_connection_is_resumed(self):
        liar = self.liar(lambda asked, number: asked.give_half() if number == 1 else asked.give_blob())
        retries = []
        self.host.watch = lambda tag, payload: tag == "retry" and retries.append(payload.name)
        self.well(self.host.hydrate(liar.url, [liar.want]))
        self.assertEqual([seen["Range"] for seen in liar.seen], [None, "bytes=500000-999999"])
        self.assertEqual(retries, ["blob"])
        self.holds(self.data)

    def test_what_a_stopped_operation_left_is_resumed(self):
        def tell(asked, number):
            if number > 1:
                return asked.give_blob()
            asked.give_half()
            asked.wait_for_the_end()

        def interrupt(tag, payload):
            self.host.watch = quiet
            signal.pthread_kill(main, signal.SIGINT)

        liar, main, quiet = self.liar(tell), threading.get_ident(), self.host.watch
        self.host.watch = interrupt  # once some bytes are there
        self.assertEqual(self.ill(self.host.hydrate(liar.url, [liar.want])), "unfinished")
        [left] = self.host.stages.iterdir()
        first = left.stat().st_size
        self.well(self.host.hydrate(liar.url, [liar.want]))
        self.assertEqual(liar.seen[1]["Range"], f"bytes={first}-999999")
        self.holds(self.data)

    def test_a_whole_leftover_is_proved_and_kept(self):
        liar = self.liar(lambda asked, number: asked.give_blob())
        oid = oid_of(self.data)
        (self.host.stages / f"{oid}.a-shorter-one").write_bytes(b"useless")
        (self.host.stages / f"{oid}.whole").write_bytes(self.data)
        self.well(self.host.hydrate(liar.url, [liar.want]))
        self.assertEqual(liar.seen, [])
        self.holds(self.data)

    def test_a_wrong_leftover_is_found_out(self):
        for left in [content(1_000_000, 1), content(400_000, 1), content(1_000_001, 1)]:
            with self.subTest(len(left)):
                (self.host.folder / oid_of(self.data)).unlink(missing_ok=True)
                liar = self.liar(lambda asked, number: asked.give_blob())
                (self.host.stages / f"{oid_of(self.data)}.wrong").write_bytes(left)
                self.well(self.host.hydrate(liar.url, [liar.want]))
                self.holds(self.data)

    def test_another_part_than_asked_for_spoils_no_stage(self):
        half = len(self.data) // 2
        left = self.host.stages / f"{oid_of(self.data)}.left"
        left.write_bytes(self.data[:half])

        def tell(asked, number):
            self.assertEqual(left.read_bytes(), self.data[:half])
            if number == 1:
                return asked.give(206, self.data[:half], {"Content-Range": f"bytes 0-{half - 1}/{len(self.data)}"})
            self.assertIsNone(asked.headers["Range"])
            asked.give_blob()

        liar = self.liar(tell)
        self.well(self.host.hydrate(liar.url, [liar.want]))
        self.assertEqual(len(liar.seen), 2)
        self.assertEqual((self.host.folder / oid_of(self.data)).read_bytes(), self.data)

    def test_two_at_once_and_one_of_them_gets_wrong_bytes(self):
        both = threading.Barrier(2)

        def tell(asked, number):
            if number > 2:
                return asked.give_blob()
            both.wait()
            asked.give_half()
            both.wait()
            rest = self.data[len(self.data) // 2:]
            asked.wfile.write(rest if number == 1 else bytes(len(rest)))

        liar, reports = self.liar(tell), []
        run = lambda: reports.append(self.host.hydrate(liar.url, [liar.want]))
        threads = [threading.Thread(target=run) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for report in reports:
            self.well(report)
        self.assertEqual((len(reports), len(liar.seen)), (2, 3))
        self.holds(self.data)

    def test_a_stage_that_is_written_is_nobody_elses(self):
        more, reports = threading.Event(), []

        def tell(asked, number):
            if number > 1:
                return asked.give_blob()
            asked.give_half()
            more.wait()
            asked.wfile.write(self.data[len(self.data) // 2:])

        liar = self.liar(tell)
        first = threading.Thread(target=lambda: reports.append(self.host.hydrate(liar.url, [liar.want])))
        first.start()
        while not any(stage.stat().st_size for stage in self.host.stages.iterdir()):
            first.join(POLL)
        self.well(self.host.hydrate(liar.url, [liar.want]))
        more.set()
        first.join()
        self.well(reports[0])
        self.assertEqual([seen["Range"] for seen in liar.seen], [None, None])
        self.holds(self.data)

    def test_wrong_bytes_once_are_right_in_the_end(self):
        liar = self.liar(lambda asked, number: asked.give(200, bytes(1_000_000)) if number == 1 else asked.give_blob())
        self.well(self.host.hydrate(liar.url, [liar.want]))
        self.assertEqual([seen["Range"] for seen in liar.seen], [None, None])
        self.holds(self.data)

    def test_an_answer_without_end_is_read_to_its_bound(self):
        def tell(asked, number):
            asked.begin(200, 1 << 60)
            try:
                while True:
                    asked.wfile.write(bytes(1 << 16))
            except (BrokenPipeError, ConnectionResetError):
                pass

        liar = self.liar(tell)
        self.assertEqual(self.ill(self.host.hydrate(liar.url, [liar.want])), "integrity")
        self.holds()

    def test_silence_ends_after_idle_max(self):
        liar = self.liar(lambda asked, number: asked.wait_for_the_end())
        report = self.host.hydrate(liar.url, [liar.want], idle_max=50, retries_max=0)
        self.assertEqual(self.ill(report), "host")
        self.assertIn("TimeoutError", report.outcomes[0].ended.detail)
        self.holds()

    def test_a_login_stays_with_its_origin(self):
        other = self.liar(lambda asked, number: asked.give_blob())
        liar = self.liar(lambda asked, number: asked.give(302, b"elsewhere", {"Location": other.url + "/blob"}))
        self.well(self.host.hydrate(liar.url, [liar.want], LOGIN))
        self.assertEqual([seen["Authorization"] for seen in liar.seen], ["Basic dXNlcjpzZWNyZXQ="])
        self.assertEqual([seen["Authorization"] for seen in other.seen], [None])
        self.holds(self.data)

    def test_a_file_that_changes_after_it_was_hashed_is_a_conflict(self):
        file = self.file("file", self.data)
        liar = self.liar(None)
        liar.verify_request = lambda request, address: file.write_bytes(b"changed") and True
        self.assertEqual(self.ill(self.host.upload(liar.url, [file])), "conflict")


class Words(unittest.TestCase):
    def test_failures_are_the_contracts(self):
        table = {
            "offline": [ConnectionRefusedError(), OSError(errno.EPIPE, ""), OSError(errno.ENETUNREACH, ""),
                        OSError(errno.EHOSTUNREACH, ""), socket.gaierror(socket.EAI_AGAIN, ""),
                        socket.gaierror(socket.EAI_NONAME, ""), ssl.SSLEOFError(8, "")],
            "timed-out": [TimeoutError(), OSError(errno.ETIMEDOUT, "")],
            "denied": [OSError(errno.EACCES, ""), OSError(errno.EPERM, "")],
            "not-found": [OSError(errno.ENOENT, "")],
            "no-space": [OSError(errno.ENOSPC, ""), OSError(errno.EDQUOT, "")],
            "blocked": [ssl.SSLCertVerificationError(1, "")],
            "io": [OSError(errno.EIO, ""), ValueError("a secret"), KeyError("a path")],
        }
        for why, errors in table.items():
            for error in errors:
                told = failure(error)
                self.assertEqual(told.why, why, repr(error))
                self.assertNotRegex(told.detail, "secret|path")

    def test_a_login_is_for_one_origin_and_there_is_no_other_login(self):
        for url, login in [("http://127.0.0.1:2/", "stored"), ("https://127.0.0.1:1/", "stored"),
                           ("http://127.0.0.1:1/", "renewed")]:
            answers, request = queue.SimpleQueue(), record(url=url, login=login, headers=[])
            here = origin("http://127.0.0.1:1")
            limits = record(**{"pointer-bytes-below": 1024})
            operation = SimpleNamespace(host=None, answers=answers, stages={}, login=LOGIN, origin=here, limits=limits)
            Effect(operation, record(id=1, effect=Variant("http", record(request=request)))).run()
            self.assertEqual(answers.get()[1].payload.why, "denied")

    def test_what_cannot_begin_says_why(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(ValueError, "malformed"):
            Host(COMPONENT, folder).hydrate("not an address", [])


if __name__ == "__main__":
    unittest.main()
