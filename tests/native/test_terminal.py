"""What a person sees and presses, on a pseudo-terminal: colours, the folded reasoning, line editing, Ctrl-C."""
import os
import pty
import re
import select
import signal
import struct
import subprocess
import time
import fcntl
import termios
import unittest

from common import ENDLESS, TINY, Case, arguments, environment, main, path, unsigned

CTRL_C, CTRL_D, UP = b"\x03", b"\x04", b"\x1b[A"
DIM = b"\x1b[2m"


class Terminal:
    """A program on a terminal of its own, 80 x 24."""

    def __init__(self, *words, **more):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(path(""))  # below which chat may write
            os.execve(arguments.retort, [arguments.retort, *unsigned(words)], environment(**more))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.seen = b""
        self.mark = 0

    def send(self, data):
        self.mark = len(self.seen)
        os.write(self.fd, data)

    def read(self, seconds):
        if not select.select([self.fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b""
        self.seen += data
        return bool(data)

    def wait_for(self, pattern, seconds=60):
        """Reads until `pattern` stands in what came since the last send."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen[self.mark:]):
            if time.monotonic() > end or not self.read(end - time.monotonic()):
                raise AssertionError(f"{pattern!r} did not come; seen: {self.seen[-2000:]!r}")
        return self.seen[self.mark:]

    def end(self, seconds=60):
        """Waits for the program's end; the exit code, or minus the signal."""
        end = time.monotonic() + seconds
        while self.read(max(0, end - time.monotonic())):
            pass
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError(f"the program did not end; seen: {self.seen[-2000:]!r}")


class Run(Case):
    def test_reasoning_is_dim_and_a_closing_line_follows(self):
        t = Terminal("run", "-m", TINY, "--thinking-budget", "8", "-n", "30", "--seed", "3", "Hello")
        self.assertEqual(t.end(), 0)
        self.assertIn(DIM, t.seen)
        self.assertRegex(t.seen, rb"loaded in .*tokens")
        self.assertNotIn(b"<think>", t.seen)

    def test_no_color(self):
        t = Terminal("run", "-m", TINY, "--thinking-budget", "8", "-n", "30", "--seed", "3", "Hello", NO_COLOR="1")
        self.assertEqual(t.end(), 0)
        self.assertNotIn(b"\x1b[", t.seen)
        self.assertIn(b"<think>", t.seen)
        self.assertIn(b"</think>", t.seen)

    def test_no_control_characters_from_a_model(self):
        t = Terminal("run", "-m", TINY, "--raw", "--temp", "100", "--top-p", "1", "-n", "600", "Hello", NO_COLOR="1")
        self.assertEqual(t.end(), 0)
        self.assertNotRegex(t.seen, rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
        self.assertIn(b"\xef\xbf\xbd", t.seen)

    def test_ctrl_c_keeps_the_partial_answer(self):
        t = Terminal("run", "-m", ENDLESS, "--top-k", "10", "-c", "400000", "--raw", "Hello")
        t.wait_for(rb".{40}")
        t.send(CTRL_C)
        self.assertEqual(t.end(), 130)

    def test_ctrl_c_with_json_still_prints_the_object(self):
        program = subprocess.Popen([arguments.retort, "run", "--allow-unsigned", "-m", ENDLESS, "--top-k", "10", "-c", "400000", "--raw", "--json", "Hello"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=environment())
        time.sleep(1.5)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 130, err)
        self.assertIn(b'"finish_reason": "interrupted"', out)


class Chat(Case):
    def start(self, *words, **more):
        t = Terminal("chat", "-m", ENDLESS, "--top-k", "10", "--thinking-budget", "12", "--seed", "3", *words, **more)
        t.wait_for(rb"/help lists commands")
        t.wait_for(rb">.* ")
        return t

    def test_answer_and_leave(self):
        t = self.start("-n", "40")
        t.send(b"Hello\r")
        seen = t.wait_for(rb"thought for \d+ tokens, [^>]*>")
        self.assertIn(DIM, seen)
        t.send(CTRL_D)
        self.assertEqual(t.end(), 0)

    def test_commands(self):
        t = self.start("-n", "20", "--hide-thinking")
        for line, says in ((b"/help", rb"/regen"), (b"/regen", rb"nothing to answer again"), (b"/rest", rb"did you mean /reset"), (b"/system Be brief.", rb"system message set"),
                           (b"/system", rb"Be brief"), (b"/info", rb"of 8192 tokens"), (b"/thinking", rb"without reasoning"), (b"/save", rb"/save FILE"),
                           (b"/save " + path("chat.txt").encode(), rb"saved to")):
            t.send(line + b"\r")
            t.wait_for(says)
            t.wait_for(rb">.* ")
        t.send(b"/quit\r")
        self.assertEqual(t.end(), 0)
        with open(path("chat.txt")) as file:
            self.assertIn("Be brief.", file.read())

    def test_ctrl_c_stops_the_answer_and_not_the_program(self):
        t = self.start("-c", "400000")
        for _ in range(2):
            t.send(b"Hello\r")
            t.wait_for(rb"thought for")
            time.sleep(0.2)
            t.send(CTRL_C)
            t.wait_for(rb"\(stopped\)[^>]*>.* ")  # the prompt after it: a random model's own text may hold ">" too
        t.send(CTRL_C)
        t.wait_for(rb"Ctrl-C again")
        t.wait_for(rb">.* ")
        t.send(CTRL_C)
        self.assertEqual(t.end(), 130)

    def test_editing_and_history(self):
        t = self.start("-n", "2", "--hide-thinking")
        t.send("/sytem B\u00e9 kind\x1b[D\x1b[D\x1b[D\x1b[D!".encode())  # arrows over a two-byte character
        t.wait_for(rb"!")
        t.send(b"\x01\x1b[C\x1b[C\x1b[Cs\r")  # to the start, right three, the missing letter
        t.wait_for(rb"system message set")
        t.wait_for(rb">.* ")
        t.send(b"/system\r")
        t.wait_for("system message: B\u00e9 !kind".encode())
        t.wait_for(rb">.* ")
        t.send(UP + UP)
        t.wait_for("B\u00e9 !kind".encode())
        t.send(b"\x15" + CTRL_D)
        self.assertEqual(t.end(), 0)
        t = self.start("-n", "2")  # kept for the next time
        t.send(UP)
        t.wait_for(rb"/system")
        t.send(b"\x15\x12!ki")  # Ctrl-R, and a part of it
        t.wait_for("/system B\u00e9 !kind".encode())
        t.send(b"\x1b\x15" + CTRL_D)
        self.assertEqual(t.end(), 0)
        name = path(".local/state/retort/history")
        self.assertEqual(os.stat(name).st_mode & 0o777, 0o600)
        with open(name, "rb") as file:
            kept = file.read()
        t = self.start("-n", "2", "--no-history")  # neither read nor kept
        t.send(UP + b"/system secret\r")
        t.wait_for(rb"system message set")
        t.send(CTRL_D)
        self.assertEqual(t.end(), 0)
        with open(name, "rb") as file:
            self.assertEqual(file.read(), kept)

    def test_what_is_typed_during_an_answer_waits(self):
        t = self.start("-n", "1500", "--hide-thinking")
        t.send(b"one\r")
        t.wait_for(rb"thinking")
        before = len(t.seen)
        t.send(b"/system typed ahead")
        t.wait_for(rb"cut: --max-tokens")
        self.assertNotIn(b"typed", t.seen[before:].split(b"cut: --max-tokens")[0])
        t.wait_for(rb"/system typed ahead")  # at the next prompt
        t.send(b"\r")
        t.wait_for(rb"system message set")
        t.send(CTRL_D)
        self.assertEqual(t.end(), 0)

    def test_pasted_lines_are_one_message(self):
        t = self.start("-n", "2", "--hide-thinking")
        t.send(b"one\rtwo\rthree\r")
        t.wait_for(rb"three[^>]*>")
        t.send(b"/save " + path("paste.json").encode() + b"\r")
        t.wait_for(rb"saved to")
        with open(path("paste.json")) as file:
            self.assertIn("one\\ntwo\\nthree", file.read())
        t.send(b"/quit\r")
        self.assertEqual(t.end(), 0)

    def test_dumb_terminal(self):
        t = Terminal("chat", "-m", TINY, "-n", "4", "--thinking-budget", "0", TERM="dumb")
        t.send(b"Hello\n" + CTRL_D)
        self.assertEqual(t.end(), 0)
        self.assertNotIn(b"\x1b", t.seen)


if __name__ == "__main__":
    main()
