"""test_installed.py --source DIR --work DIR --deps DIR [--cc CC]: the library as another program meets it. Builds and installs it, then
builds examples/ against what was installed, once through find_package and once through pkg-config, and has it answer."""
import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys

parser = argparse.ArgumentParser()
for option in ("source", "work", "deps", "cc"):
    parser.add_argument("--" + option, required=True)
a = parser.parse_args()
source, work = pathlib.Path(a.source), pathlib.Path(a.work)
prefix = work / "moved"  # installed elsewhere, then moved: no file may name the place
ember = source / "models/ember/ember.gguf"


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode:
        sys.exit(f"{' '.join(str(c) for c in command)}\n{done.stdout}\nended with {done.returncode}")
    return done.stdout


def check(condition, what):
    if not condition:
        sys.exit(what)


def install():
    shutil.rmtree(prefix, ignore_errors=True)
    shutil.rmtree(work / "first", ignore_errors=True)
    run("cmake", "-S", source, "-B", work / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DRETORT_LIBRARY=ON", "-DRETORT_TESTS=OFF",
        f"-DRETORT_DEPS={a.deps}", f"-DCMAKE_C_COMPILER={a.cc}")
    run("cmake", "--build", work / "build")
    run("cmake", "--install", work / "build", "--prefix", work / "first")
    (work / "first").rename(prefix)


def symbols():
    """Exported is what the header declares, nothing else; the static library's other symbols are local."""
    declared = set(re.findall(r"^RETORT_API[^;{]*?\b(retort_\w+)\(", (source / "runtime/include/retort.h").read_text(), re.M))
    shared = {line.split()[-1] for line in run("nm", "-D", "--defined-only", library / "libretort.so").splitlines()}
    static = {line.split()[-1] for line in run("nm", "-g", "--defined-only", library / "libretort.a").splitlines() if " " in line}
    check(shared == declared, f"exported and not declared, or the other way round: {sorted(shared ^ declared)}")
    check(static == declared, f"global in the static library: {sorted(static ^ declared)}")
    abi = re.search(r"RETORT_ABI_VERSION (\d+)", (source / "runtime/include/retort.h").read_text())[1]
    check(f"[libretort.so.{abi}]" in run("readelf", "-d", library / "libretort.so"), "the soname does not follow RETORT_ABI_VERSION")


def answers(program):
    digest = hashlib.sha256(ember.read_bytes()).hexdigest()
    questions = ['[{"role":"user","content":"What is %s?"}]' % sum for sum in ("4821 + 396", "77 + 15")]
    text = run(program, ember, digest, *questions, env=environment)
    check("5217" in text and "92" in text, f"{program}: not the sums: {text}")
    refused = subprocess.run([program, ember, "0" * 64, *questions], capture_output=True, text=True, env=environment)
    check(refused.returncode == 1 and "not pinned" in refused.stdout, f"{program}: another file's digest was taken: {refused.stdout}")


def by_cmake():
    run("cmake", "-S", source / "examples", "-B", work / "example", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_C_COMPILER={a.cc}")
    run("cmake", "--build", work / "example")
    answers(work / "example/answer_shared")
    answers(work / "example/answer_static")


def flags(*more):
    return run("pkg-config", *more, "--cflags", "--libs", "retort", env=environment).split()


def by_pkg_config():
    warnings = ["-std=gnu17", "-Wall", "-Wextra", "-Werror"]
    run(a.cc, *warnings, source / "examples/answer.c", "-o", work / "answer", *flags(), "-pthread")
    answers(work / "answer")
    program = source / "tests/library/neighbours.c"
    for name, how in (("shared", flags()), ("static", ["-Wl,-Bstatic", *flags(), "-Wl,-Bdynamic", "-lm"])):
        run(a.cc, *warnings, "-Wno-builtin-declaration-mismatch", "-rdynamic", program, "-o", work / name, *how)
        check("do not meet" in run(work / name, env=environment), "neighbours")


install()
library = next(prefix.rglob("libretort.a")).parent
environment = dict(os.environ, LD_LIBRARY_PATH=str(library), PKG_CONFIG_PATH=str(library / "pkgconfig"))
symbols()
by_cmake()
if shutil.which("pkg-config"):
    by_pkg_config()
else:
    print("pkg-config is not here: only find_package was tried")
print("installed, moved, found and answered")
