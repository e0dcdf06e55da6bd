"""test_download.py - `retort update --from URL`: against a server on this machine, with certificates made here, that is good, wrong, slow, cut off or lying."""
import datetime
import hashlib
import http.server
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import common
from common import REFUSED, arguments, main

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tiny_gguf

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def certificate(name, issuer=None, host=None, begin=NOW - DAY, end=NOW + DAY):
    """(key, certificate), of an authority where `host` is None."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer[1].subject if issuer else subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
    made = made.add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
    if host:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return key, made.sign(issuer[0] if issuer else key, hashes.SHA256())


class Handler(http.server.BaseHTTPRequestHandler):
    """Files of server.folder with ranges and validators. server.tricks maps a path to what goes wrong there."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_GET(self):
        server = self.server
        trick = server.tricks.get(self.path.rsplit("/", 1)[-1])
        server.log.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        if trick == "loop" or (isinstance(trick, str) and ":" in trick):
            return self.answer(302, b"", {"Location": self.path if trick == "loop" else trick})
        if isinstance(trick, int):
            return self.answer(trick, b"no")
        path = os.path.join(server.folder, self.path.replace("/moved/", "/").lstrip("/"))
        if "/old/" in self.path:
            return self.answer(301, b"", {"Location": self.path.replace("/old/", "/moved/")})
        if not os.path.isfile(path):
            return self.answer(404, b"there is no such file here")
        with open(path, "rb") as f:
            data = f.read()
        if trick == "other":
            data = b"x" + data[1:]
        tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        begin, status = 0, 200
        if self.headers.get("Range") and self.headers.get("If-Range") in (None, tag) and trick != "no ranges":
            begin, status = int(self.headers["Range"].split("=")[1].rstrip("-")), 206
            if begin >= len(data):
                return self.answer(416, b"")
        headers = {"ETag": tag}
        if status == 206:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        body = data[begin:]
        if trick == "long":
            return self.answer(status, body + b"more", headers)
        if trick == "short":  # a length that is honoured, but not the file's
            return self.answer(status, body[:-10], headers)
        if trick == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"\0" * 65536)
            except OSError:
                server.log.append(("hung up", None, None))
            return None
        if trick in ("dribble", "drops", "silent", "slow headers", "1xx"):
            return self.keep_waiting(trick, status, body, headers)
        if trick == "cut" and len(body) > 1 << 20:  # half of what is asked for, then the connection is gone
            return self.answer(status, body, headers, sent=len(body) // 2)
        if trick == "slow":
            return self.answer(status, body, headers, pause=0.02)
        return self.answer(status, body, headers)

    def keep_waiting(self, trick, status, body, headers):
        """Answers without end: a byte at a time, one byte and then good-bye, nothing, a header at a time, preliminary ones."""
        if trick == "drops":
            return self.answer(status, body, headers, sent=1)
        if trick == "dribble":
            return self.answer(status, body, headers, pause=0.002, piece=1)
        try:
            for i in range(600):
                if trick != "silent":
                    self.wfile.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" if trick == "1xx" else b"HTTP/1.1 200 OK\r\n" if i == 0 else f"X-{i}: y\r\n".encode())
                    self.wfile.flush()
                time.sleep(0.005 if trick == "1xx" else 0.05)
        except OSError:
            pass
        self.close_connection = True
        return None

    def answer(self, status, body, headers=(), sent=None, pause=0, piece=4096):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            for at in range(0, len(body) if sent is None else sent, piece):
                self.wfile.write(body[at:at + piece] if sent is None else body[at:min(at + piece, sent)])
                if pause:
                    self.wfile.flush()
                    time.sleep(pause)
        except OSError:
            pass
        if sent is not None:
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True


class Download(common.Installing):
    def setUp(self):
        super().setUp()
        self.site = self.path("site")
        os.mkdir(self.site)
        self.ca = certificate("test authority")
        self.ca_file = self.pem("ca.pem", self.ca[1])
        self.servers = []
        self.server = self.serve(certificate("localhost", self.ca, "localhost"))

    def tearDown(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def pem(self, name, *parts):
        with open(self.path(name), "wb") as f:
            for part in parts:
                f.write(part.public_bytes(serialization.Encoding.PEM) if isinstance(part, x509.Certificate) else
                        part.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return self.path(name)

    def serve(self, pair=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *words: None
        server.folder, server.tricks, server.log = self.site, {}, []
        if pair:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.pem(f"server{len(self.servers)}.pem", *pair))
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.url = f"{'https' if pair else 'http'}://localhost:{server.server_address[1]}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.servers.append(server)
        return server

    def release(self, number, key="fleet", single=False, big=False):
        name = f"bot-{number}-{key}-{single}"
        where = os.path.join(self.site, name)
        os.makedirs(where)
        model = os.path.join(where, "bot.gguf")
        tiny_gguf.make(model)
        if big:
            with open(os.path.join(where, "zz.bin"), "wb") as f:
                f.write(os.urandom(3 << 20))
        self.retort("sign", "-k", self.path(key + ".key"), "--name", f"bot@{number}", model if single else where)
        return name + ("/bot.gguf" if single else "/")

    def update(self, release, *more, server=None, ca=None, **how):
        return self.retort("update", "--from", (server or self.server).url + release, "--key", self.path("fleet.pub"), "--ca-file", ca or self.ca_file, self.dev, *more, **how)

    def test_folder_file_and_again(self):
        first = self.release(1)
        self.update(first, says="now runs bot@1")
        self.assertEqual(self.current(), 1)
        self.update(self.release(2, single=True), says="now runs bot@2")
        self.assertEqual(self.current(), 2)
        self.server.log.clear()
        self.update("bot-2-fleet-True/bot.gguf", says="already runs bot@2")
        self.assertEqual([p for p, _, _ in self.server.log], ["/bot-2-fleet-True/bot.gguf.sig"], "nothing but the signature may be fetched")
        self.update(first.rstrip("/"), code=REFUSED, says="older than the installed")
        self.assertEqual(len(self.server.log), 2)
        self.update(self.release(3), "--json", says='"release":3')
        self.tidy()

    def test_plain_http_and_redirects(self):
        plain = self.serve()
        self.update(self.release(1), server=plain, says="now runs bot@1")
        self.update("old/" + self.release(2), says="now runs bot@2")
        looped = self.release(3)
        self.server.tricks["bot.gguf"] = "loop"
        self.update(looped, code=1, says="redirected more than 5 times")
        self.server.tricks["bot.gguf"] = plain.url + looped + "bot.gguf"
        self.update(looped, code=1, says="not HTTPS")
        self.assertEqual(self.current(), 2)

    def test_servers_that_must_not_be_believed(self):
        good = self.release(1)
        other = self.serve(certificate("localhost", certificate("another authority"), "localhost"))
        self.update(good, server=other, code=1, says="not by an authority")
        self.update(good, server=self.serve(certificate("localhost", self.ca, "localhost", NOW - 3 * DAY, NOW - 2 * DAY)), code=1, says="expired")
        self.update(good, server=self.serve(certificate("localhost", self.ca, "localhost", NOW + 2 * DAY, NOW + 3 * DAY)), code=1, says="not valid yet")
        self.update(good, server=self.serve(certificate("elsewhere", self.ca, "elsewhere.example")), code=1, says="another host")
        self.update(good, ca=self.path("fleet.key"), code=2, says="no certificates")
        self.update(good, ca=self.path("nowhere"), code=1, says="cannot open")
        self.assertEqual([p for s in self.servers for p, _, _ in s.log], [], "nothing may be asked of a server that is not trusted")
        self.assertFalse(os.path.lexists(os.path.join(self.dev, "current")))

    def test_what_is_refused(self):
        self.update(self.release(1))
        self.server.log.clear()
        self.update(self.release(2, key="stranger"), code=REFUSED)
        self.assertEqual(len(self.server.log), 1, "nothing may be fetched after a signature that is not good")
        self.update("nothing/", code=3, says="404")
        self.server.tricks["model.sig"] = "endless"
        self.update(self.release(3), code=REFUSED, says="allowed")
        self.server.tricks["model.sig"] = 503
        self.update("bot-3-fleet-False/", code=1, says="503")
        self.release(4, big=True)
        four = "bot-4-fleet-False/"
        self.server.tricks = {"bot.gguf": "other"}
        self.update(four, code=REFUSED)
        self.tidy()
        for file, trick, says in (("zz.bin", "long", "signed"), ("zz.bin", "endless", "signed"), ("bot.gguf", "endless", "16777216 bytes that were allowed")):
            self.server.tricks = {file: trick}
            self.update(four, code=REFUSED, says=says)
        self.server.tricks = {"zz.bin": "short"}
        self.update(four, code=1, says="cannot get")
        for url in ("https://user:word@localhost/", "ftp://localhost/", "https://localhost/?a=b"):
            self.retort("update", "--from", url, "--key", self.path("fleet.pub"), "--ca-file", self.ca_file, self.dev, code="fails")
        self.assertEqual(self.current(), 1)
        self.server.tricks = {}
        self.update(four, says="now runs bot@4")
        self.tidy()

    def test_broken_connections_are_gone_on_with(self):
        for number, trick in ((1, "cut"), (2, "no ranges")):
            name = self.release(number, big=True)
            self.server.log.clear()
            self.server.tricks = {"zz.bin": trick}
            self.update(name, says=f"now runs bot@{number}")
            ranges = [(r, v) for p, r, v in self.server.log if p.endswith("zz.bin")]
            self.assertEqual(ranges[0], (None, None))
            if trick == "cut":
                self.assertEqual(ranges[1][0], f"bytes={(3 << 20) // 2}-")
                self.assertTrue(ranges[1][1])
        self.assertEqual(self.current(), 2)

    @unittest.skipUnless(arguments.watch, "the clock is the program's own here")
    def test_servers_that_keep_one_waiting(self):
        name, rush = self.release(1, big=True), {"LD_PRELOAD": arguments.watch, "RETORT_HURRY": "60"}
        for file, trick, says in (("model.sig", "1xx", "preliminary answers"), ("model.sig", "silent", ""), ("model.sig", "slow headers", ""), ("model.sig", "dribble", "the server"),
                                  ("zz.bin", "1xx", "preliminary answers"), ("zz.bin", "silent", ""), ("zz.bin", "slow headers", ""), ("zz.bin", "dribble", "less than 1000 bytes"), ("zz.bin", "drops", "cannot get")):
            with self.subTest(file=file, trick=trick):
                self.server.tricks, began = {file: trick}, time.time()
                self.update(name, code=1, says=says, more_env=rush)
                self.assertLess(time.time() - began, 20, "20 minutes of the program's clock")
        self.server.tricks = {}
        self.update(name, says="now runs bot@1")

    def begun(self, name, kill):
        """An update that is ended in the middle of zz.bin; how much of that has come."""
        words = [arguments.retort, "update", "--from", self.server.url + name, "--key", self.path("fleet.pub"), "--ca-file", self.ca_file, self.dev]
        part = os.path.join(self.dev, "download", "zz.bin")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.time() + 60
        while time.time() < deadline and (not os.path.exists(part) or os.path.getsize(part) < 200000):
            time.sleep(0.01)
        process.send_signal(kill)
        said = process.communicate(timeout=60)[1].decode()
        if kill == signal.SIGINT:
            self.assertEqual(process.returncode, 130, said)
            self.assertIn("interrupted", said)
        return os.path.getsize(part)

    def test_signals_end_a_download_soon(self):
        name = self.release(1, big=True)
        words = [arguments.retort, "update", "--from", self.server.url + name, "--key", self.path("fleet.pub"), "--ca-file", self.ca_file, self.dev]
        for file, trick in (("model.sig", "silent"), ("model.sig", "slow headers"), ("zz.bin", "silent"), ("zz.bin", "dribble")):
            self.server.tricks, best = {file: trick}, 9
            for _ in range(4):  # on a machine that does other things too, the best counts
                self.server.log.clear()
                process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                while not [p for p, _, _ in self.server.log if p.endswith(file)] and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(0.1)
                sent = time.time()
                process.send_signal(signal.SIGINT)
                said = process.communicate(timeout=60)[1].decode()
                self.assertEqual(process.returncode, 130, said)
                best = min(best, time.time() - sent)
                if best < 0.2:
                    break
            self.assertLess(best, 0.2, (file, trick))

    def test_interrupted_and_killed(self):
        self.update(self.release(1))
        for number, kill in ((2, signal.SIGINT), (3, signal.SIGKILL)):
            name = self.release(number, big=True)
            self.server.tricks = {"zz.bin": "slow"}
            had = self.begun(name, kill)
            self.assertEqual(self.current(), number - 1)
            self.server.log.clear()
            self.server.tricks = {}
            self.update(name, says=f"now runs bot@{number}")
            self.assertEqual([r for p, r, _ in self.server.log if p.endswith("zz.bin")], [f"bytes={had}-"])
            self.tidy()
        # A file that changed on the server meanwhile is fetched anew; so is all of another URL.
        name = self.release(4, big=True)
        self.server.tricks = {"zz.bin": "slow"}
        self.begun(name, signal.SIGKILL)
        with open(os.path.join(self.site, name, "zz.bin"), "r+b") as f:
            f.write(b"changed")
        self.retort("sign", "-k", self.path("fleet.key"), "--name", "bot@5", os.path.join(self.site, name))
        self.server.tricks = {}
        self.update(name, says="now runs bot@5")
        shutil.copytree(os.path.join(self.site, name), os.path.join(self.site, "copy"))
        self.server.tricks = {"zz.bin": "slow"}
        six = self.release(6, big=True)
        self.begun(six, signal.SIGKILL)
        self.server.tricks = {}
        self.server.log.clear()
        shutil.copytree(os.path.join(self.site, six), os.path.join(self.site, "six"))
        self.update("six/", says="now runs bot@6")
        self.assertEqual([r for p, r, _ in self.server.log if p.endswith("zz.bin")], [None])
        self.tidy()


if __name__ == "__main__":
    main()
