"""test_device_page.py - docs/DEVICE.md takes a maker from the tarball to an updated, signed model: its commands, one after the other, as they stand there.

    test_device_page.py --retort PROGRAM [--tarball FILE] [--board COMMAND]

The PC's commands run PROGRAM. The board's run what the tarball holds, under COMMAND if it is another machine's ("qemu-aarch64-static -cpu cortex-a76");
without a tarball they run PROGRAM, and the page's tar line is left out. Ember plays the fleet's model. Replaced are only the places: /var/lib, the stick, the web server.
"""
import functools
import http.server
import os
import pathlib
import re
import shutil
import threading
import unittest

from common import Case, arguments, main, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
EMBER = ROOT / "models/ember/ember.gguf"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


class Page(Case):
    def shim(self, who, command):
        """A folder for PATH in which `retort` is `command`."""
        path = self.path(who, "retort")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(f'#!/bin/sh\nexec {command} "$@"\n')
        os.chmod(path, 0o755)
        return self.path(who)

    def run_block(self, text, shim):
        for a, b in self.places.items():
            text = text.replace(a, b)
        return self.run_tool("bash", "-euo", "pipefail", "-c", text, more_env={"PATH": os.pathsep.join((shim, os.environ["PATH"]))})

    @unittest.skipUnless(program("jq"), "jq is not installed")
    def test_the_commands_of_the_page(self):
        blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "docs/DEVICE.md").read_text(), re.M | re.S)
        self.assertEqual(len(blocks), 5, "the page has other blocks than this test knows")
        install, keygen, release, stick, web = blocks
        for number in (12, 13):
            os.makedirs(self.path(f"release-{number}"))
            shutil.copy(EMBER, self.path(f"release-{number}", "bot.gguf"))
        for folder in ("media", "site/bot", "var"):
            os.makedirs(self.path(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.path("site")))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.places = {"/var/lib/": self.path("var/"), "/media/stick/": self.path("media/"), "https://models.example/": f"http://127.0.0.1:{server.server_address[1]}/"}
        pc = self.shim("pc", arguments.retort)

        shutil.copy(EMBER, self.path("var", "bot.gguf"))
        tar, *look = install.splitlines()
        self.assertRegex(tar, r"^tar xzf retort-0\.1\.0-aarch64-linux\.tar\.gz ")
        at = ""
        if arguments.tarball:
            self.assertEqual(os.path.basename(arguments.tarball), tar.split()[2])
            shutil.copy(arguments.tarball, self.folder.name)
            self.assertIn("retort: OK", self.run_block(tar, pc))
            at = tar.split()[2].removesuffix(".tar.gz")
        board = self.shim("board", f"{arguments.board} {self.path(at, 'retort') if at else arguments.retort}")
        said = self.run_block("\n".join(line.replace("./retort", "retort") for line in look), board)
        self.assertIn("5217", said)
        self.assertRegex(said, r"(?i)bandwidth")

        self.run_block(keygen, pc)
        self.run_block(release, pc)
        self.run_block(release.replace("release-12", "release-13").replace("bot@12", "bot@13"), pc)
        shutil.move(self.path("release-12"), self.path("media"))
        shutil.move(self.path("release-13"), self.path("site/bot"))
        said = self.run_block(stick, board)
        self.assertIn("now runs bot@12", said)
        self.assertIn("The answer is 5.", said)
        said = self.run_block(web, board)
        self.assertIn("now runs bot@13", said)
        self.assertIn("is back at bot@12", said)


if __name__ == "__main__":
    main()
