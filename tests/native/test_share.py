"""test_share.py - what is shipped beside the program: the manual page names every command, and completion offers what the program has."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from common import Case, arguments, environment, main

SHARE = pathlib.Path(__file__).resolve().parents[2] / "native/share"


def commands():
    text = subprocess.run([arguments.retort, "help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"^  ([a-z]+) ", text.split("commands:\n")[1].split("\n\n")[0], re.M)


class Share(Case):
    def test_the_manual_page_names_every_command_and_nothing_else(self):
        page = (SHARE / "retort.1").read_text()
        listed = re.findall(r"^\.TP\n\.B ([a-z]+)$", page.split(".SH COMMANDS")[1].split(".SH")[0], re.M)
        self.assertEqual(sorted(listed), sorted(commands()))
        version = subprocess.run([arguments.retort, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
        self.assertIn(f'"retort {version}"', page)

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_the_manual_page_is_well_formed(self):
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", SHARE / "retort.1"], capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFSEQ": ""})
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def complete(self, *words):
        script = f'source "{SHARE}/retort.bash"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _retort; printf "%s\\n" "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", script, "bash", arguments.retort, *words], capture_output=True, text=True, env=environment(), check=True)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_completion(self):
        self.assertEqual(sorted(self.complete("")), sorted([*commands(), "help"]))
        self.assertEqual(self.complete("up"), ["update"])
        self.assertEqual(self.complete("help", "dev"), ["device"])
        self.assertEqual(self.complete("update", "--r"), ["--rollback"])
        for name in commands():
            offered = self.complete(name, "-")
            self.assertIn("--help", offered)
            self.assertIn("--json", offered)
        self.assertIn("--model", self.complete("run", "--"))

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_completion_for_fish(self):
        def complete(line):
            script = f'source {SHARE}/retort.fish; set -x PATH {os.path.dirname(arguments.retort)} $PATH; complete -C "{line}"'
            return [offered.split("\t")[0] for offered in subprocess.run(["fish", "-c", script], capture_output=True, text=True, check=True).stdout.splitlines()]
        self.assertEqual(sorted(complete("retort ")), sorted(commands()))
        self.assertEqual(complete("retort update --roll"), ["--rollback"])

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_the_service_is_well_formed(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("retort-update.service", "retort-update.timer"):
                text = (SHARE / name).read_text().replace("/usr/local/bin/retort", arguments.retort)
                pathlib.Path(folder, name).write_text(text)
            done = subprocess.run(["systemd-analyze", "verify", *(str(p) for p in sorted(pathlib.Path(folder).iterdir()))], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_service_calls_the_program_as_it_is(self):
        words = re.search(r"^ExecStart=/usr/local/bin/retort (.*)$", (SHARE / "retort-update.service").read_text(), re.M)[1].split()
        options = self.complete(words[0], "--")
        self.assertEqual([w for w in words if w.startswith("--") and w not in options], [])


if __name__ == "__main__":
    main()
