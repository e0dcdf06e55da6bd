"""Instructions a token on the three ARM tiers, counted by QEMU's user emulation (package qemu-user, plugin instructions.c), against llama.cpp cross-built from source.

    ./build.sh arm
    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36 && tar xzf llama_cpp_python-0.3.36.tar.gz    # the version of requirements.txt
    python3 tests/bench/instructions.py --llama llama_cpp_python-0.3.36/vendor/llama.cpp --model FILE...

Each figure is the difference between doing the work twice more and not, over twice its tokens: loading and start-up fall out. One thread. llama.cpp is built once
a tier for exactly that tier's instructions and repacks its weights at loading where it can.
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TIERS = {"neon": ("cortex-a72", "armv8-a"), "dotprod": ("cortex-a76", "armv8.2-a+dotprod"), "i8mm": ("max,sve=off", "armv8.6-a+dotprod+i8mm")}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--retort", default=os.path.join(ROOT, "build/aarch64-linux-gnu/retort"), help="cross-built program")
parser.add_argument("--llama", help="source of llama.cpp (as the sdist of llama-cpp-python has in vendor/); without it retort alone is counted")
parser.add_argument("--build", default=os.path.join(ROOT, "build/llama-arm"), help="where llama.cpp is built")
parser.add_argument("--model", action="append", default=[], help="GGUF file; default: Ember, in the program")
parser.add_argument("--tier", action="append", choices=TIERS, help="default: all")
parser.add_argument("-p", type=int, default=64, help="prompt tokens")
parser.add_argument("-n", type=int, default=8, help="generated tokens")
arguments = parser.parse_args()


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stderr


def build_peer(tier, arch):
    folder = os.path.join(arguments.build, tier)
    run("cmake", "-G", "Ninja", "-S", arguments.llama, "-B", folder, "-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64", "-DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc",
        "-DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++", "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=OFF", f"-DGGML_CPU_ARM_ARCH={arch}", "-DGGML_OPENMP=OFF", "-DBUILD_SHARED_LIBS=OFF",
        "-DLLAMA_BUILD_TESTS=OFF", "-DLLAMA_BUILD_TOOLS=OFF", "-DLLAMA_BUILD_EXAMPLES=OFF", "-DLLAMA_BUILD_SERVER=OFF", "-DLLAMA_BUILD_COMMON=OFF", "-DLLAMA_BUILD_APP=OFF")
    run("cmake", "--build", folder, "--target", "llama")
    program = os.path.join(folder, "peer")
    includes = [f"-I{arguments.llama}/include", f"-I{arguments.llama}/ggml/include"]
    run("aarch64-linux-gnu-gcc", "-O2", *includes, "-c", os.path.join(HERE, "instructions_peer.c"), "-o", program + ".o")
    libraries = [os.path.join(folder, name) for name in ("src/libllama.a", "ggml/src/libggml.a", "ggml/src/libggml-cpu.a", "ggml/src/libggml-base.a")]
    run("aarch64-linux-gnu-g++", "-static", program + ".o", *libraries, *libraries, "-lpthread", "-lm", "-o", program)
    return program


def count(plugin, cpu, words):
    said = run("qemu-aarch64", "-cpu", cpu, "-plugin", "file=" + plugin, *words)
    return int(said.rsplit("instructions ", 1)[1])


def per_token(plugin, cpu, words, tokens):
    return (count(plugin, cpu, words(3)) - count(plugin, cpu, words(1))) / (2 * tokens)


def main():
    with tempfile.TemporaryDirectory() as work:
        plugin = os.path.join(work, "instructions.so")
        run("cc", "-O2", "-shared", "-fPIC", os.path.join(HERE, "instructions.c"), "-o", plugin)
        print(f"{'model':28} {'tier':8} {'work':8} {'retort':>14} {'llama.cpp':>14} {'ratio':>6}   million instructions a token")
        for model in arguments.model or [None]:
            of_retort = ["-m", model, "--allow-unsigned"] if model else []
            path = model or os.path.join(ROOT, "models/ember/ember.gguf")
            for tier in arguments.tier or TIERS:
                cpu, arch = TIERS[tier]
                peer = build_peer(tier, arch) if arguments.llama else None
                for work_name, p, n in (("prefill", arguments.p, 0), ("decode", 0, arguments.n)):
                    own = per_token(plugin, cpu, lambda r: [arguments.retort, "bench", "--json", "-t", "1", *of_retort, "-p", str(p), "-n", str(n), "-r", str(r)], p + n)
                    line = f"{os.path.basename(path)[:28]:28} {tier:8} {work_name:8} {own / 1e6:14.3f}"
                    if peer:
                        other = per_token(plugin, cpu, lambda r: [peer, path, str(p), str(n), str(r)], p + n)
                        line += f" {other / 1e6:14.3f} {own / other:6.2f}"
                    print(line, flush=True)


if __name__ == "__main__":
    main()
