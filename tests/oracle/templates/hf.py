"""The reference: Python jinja2 set up as Hugging Face transformers sets it up for chat templates, and the C engine behind its driver."""
import datetime
import functools
import json
import struct
import subprocess

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox
import jinja2.utils

DATE = "2024-07-26"


class Generation(jinja2.ext.Extension):
    """{% generation %}: marks what the assistant says for training; it prints its body."""
    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


class Namespace(jinja2.utils.Namespace):
    def __setitem__(self, name, value):
        if isinstance(name, str) and name.startswith("_"):
            raise jinja2.exceptions.SecurityError("underscore")
        super().__setitem__(name, value)


class RaisedByTemplate(jinja2.exceptions.TemplateError):
    pass


def environment():
    env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols])

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise RaisedByTemplate(message)

    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = raise_exception
    env.globals["strftime_now"] = lambda f: datetime.date.fromisoformat(DATE).strftime(f)
    env.globals["namespace"] = Namespace
    return env


@functools.lru_cache(maxsize=16)
def compiled(env, source):
    return env.from_string(source)


def reference(env, source, variables):
    """(text, None), or (None, error)."""
    try:
        return compiled(env, source).render(**variables), None
    except (jinja2.exceptions.TemplateError, TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError, SyntaxError) as error:
        return None, error


class Engine:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _read(self, size):
        data = self.process.stdout.read(size)
        if len(data) != size:
            raise SystemExit(f"the driver died with {self.process.wait()}")
        return data

    def _number(self):
        return struct.unpack("<I", self._read(4))[0]

    def render(self, source, variables, date=DATE):
        """(text, None, spans), or (None, message, [])."""
        for part in (source, json.dumps(variables, ensure_ascii=False), date or ""):
            data = part.encode()
            self.process.stdin.write(struct.pack("<I", len(data)) + data)
        self.process.stdin.flush()
        status = self._number()
        text = self._read(self._number())
        spans = [(self._number(), self._number()) for _ in range(self._number())]
        if status:
            return None, text.decode(), []
        return text.decode(), None, spans

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def compare(env, engine, source, variables):
    """None where both agree, else a description."""
    want, want_error = reference(env, source, variables)
    got, got_error, _ = engine.render(source, variables)
    if want_error is None and got_error is None:
        return None if want == got else f"text differs\n  python: {want!r}\n  retort: {got!r}"
    if want_error is None:
        return f"python gives {want!r}\n  retort fails: {got_error}"
    if got_error is None:
        return f"python fails: {want_error!r}\n  retort gives {got!r}"
    if isinstance(want_error, RaisedByTemplate):
        # Messages end at a NUL, and are cut where the error has no more room.
        want_text, said = str(want_error).split("\0")[0], got_error.partition("the template refuses these messages: ")[2]
        if said != want_text and not (len(got_error.encode()) > 480 and want_text.startswith(said)):
            return f"python raises {want_text!r}\n  retort says: {got_error}"
    return None
