"""make_corpus.py - makes the corpora of the trust fuzzers (tests/data/trust/) and the keys their targets know (tests/fuzz/trust_keys.h).

    PYTHON tests/fuzz/make_corpus.py --retort build/retort

Every file is what a real tool wrote: retort, PyPI model-signing, minisign, signify-openbsd and openssl, on small models made here. PYTHON has
tests/requirements.txt. The keys are new each time, so all files change together; the secret ones of the corpus sign nothing else.
"""
import argparse
import base64
import datetime
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

parser = argparse.ArgumentParser()
parser.add_argument("--retort", required=True)
arguments = parser.parse_args()
retort = os.path.abspath(arguments.retort)
tests = pathlib.Path(__file__).resolve().parent.parent
data = tests / "data" / "trust"

PEM = serialization.Encoding.PEM
PRIVATE = (PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())


def run(*words, stdin=b""):
    subprocess.run([str(w) for w in words], input=stdin, check=True, stdout=subprocess.DEVNULL)


def certificate(subject, key, issuer, issuer_key, ca, days=365 * 20):
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
    bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
                          "decipher_only"), False)
    bits["key_cert_sign" if ca else "digital_signature"] = True
    start = datetime.datetime(2026, 1, 1)
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key()).serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=days)).add_extension(x509.BasicConstraints(ca, None), True).add_extension(x509.KeyUsage(**bits), True))
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
    return builder.sign(issuer_key, hashes.SHA256())


def keep(folder, name, source):
    (data / folder).mkdir(parents=True, exist_ok=True)
    (data / folder / name).write_bytes(source if isinstance(source, bytes) else pathlib.Path(source).read_bytes())


def keep_bundle(name, path):
    keep("bundle", name + ".sig", path)
    keep("bundle", name + ".statement", base64.b64decode(json.loads(pathlib.Path(path).read_text())["dsseEnvelope"]["payload"]))


def model_files():
    dice = random.Random(1)
    pathlib.Path("model.gguf").write_bytes(dice.randbytes(1000))
    pathlib.Path("large.gguf").write_bytes(dice.randbytes((3 << 20) + 5))
    pathlib.Path("two.gguf").write_bytes(bytes((1 << 20) + 1))
    for name in ("a/b.gguf", "a.txt", "t\u00e9l\u00e9.json", "empty"):
        path = pathlib.Path("folder", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dice.randbytes(0 if name == "empty" else 40))


def bundles():
    sign = [sys.executable, "-m", "model_signing", "sign"]
    run(retort, "sign", "-k", "key.key", "model.gguf")
    keep_bundle("retort-key", "model.gguf.sig")
    run(retort, "sign", "-k", "key.key", "large.gguf", "-o", "large.sig")
    keep_bundle("retort-chunks", "large.sig")
    run(retort, "sign", "-k", "leaf.key", "--cert", "leaf.pem", "--cert", "mid.pem", "folder", "-o", "folder.sig")
    keep_bundle("retort-certificate-folder", "folder.sig")
    run(*sign, "key", "model.gguf", "--private_key", "key.key", "--signature", "python.sig")
    keep_bundle("python-key", "python.sig")
    run(*sign, "certificate", "folder", "--private_key", "leaf.key", "--signing_certificate", "leaf.pem", "--certificate_chain", "mid.pem", "--signature", "chain.sig")
    keep_bundle("python-certificate-folder", "chain.sig")


def minisign_files():
    run(retort, "keygen", "--minisign", "--no-password", "ours")
    run(retort, "sign", "-k", "ours.key", "model.gguf")
    keep("minisign", "retort.minisig", "model.gguf.minisig")
    keep("minisign", "retort.pub", "ours.pub")
    keep("minisign", "retort.key", "ours.key")
    run("minisign", "-G", "-W", "-p", "theirs.pub", "-s", "theirs.key")
    run("minisign", "-S", "-s", "theirs.key", "-m", "model.gguf")
    keep("minisign", "minisign.minisig", "model.gguf.minisig")
    run("minisign", "-S", "-l", "-s", "theirs.key", "-m", "model.gguf")
    keep("minisign", "minisign-whole.minisig", "model.gguf.minisig")
    keep("minisign", "minisign.pub", "theirs.pub")
    keep("minisign", "minisign.key", "theirs.key")
    run("signify-openbsd", "-G", "-n", "-p", "signify.pub", "-s", "signify.sec")
    run("signify-openbsd", "-S", "-s", "signify.sec", "-m", "model.gguf", "-x", "signify.sig")
    keep("minisign", "signify.pub", "signify.pub")
    keep("minisign", "signify.sig", "signify.sig")


def pem_files(chain):
    for name, pem in chain.items():
        keep("pem", name + ".pem", pem)
    for name in ("leaf", "mid"):
        keep("pem", name + ".der", x509.load_pem_x509_certificate(chain[name]).public_bytes(serialization.Encoding.DER))
    for bits in (256, 384, 521):
        run(retort, "keygen", f"k{bits}", "--bits", bits)
        keep("pem", f"p{bits}.pub", f"k{bits}.pub")
        keep("pem", f"p{bits}.key", f"k{bits}.key")
        run(retort, "sign", "-k", f"k{bits}.key", "model.gguf", "-o", "der.sig")
        keep("pem", f"p{bits}.signature.der", base64.b64decode(json.loads(pathlib.Path("der.sig").read_text())["dsseEnvelope"]["signatures"][0]["sig"]))
    run("openssl", "ecparam", "-name", "secp384r1", "-genkey", "-out", "parameters.key")
    keep("pem", "openssl-parameters.key", "parameters.key")
    run("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", "parameters.key", "-out", "pkcs8.key")
    keep("pem", "openssl-pkcs8.key", "pkcs8.key")


def header(public_key, root):
    literal = lambda pem: "\n".join(f'    "{line}\\n"' for line in pem.decode().splitlines())
    (tests / "fuzz" / "trust_keys.h").write_text(f"""/* trust_keys.h - the key and the root that the fuzz targets trust. Written by make_corpus.py. */
#ifndef FUZZ_TRUST_KEYS_H
#define FUZZ_TRUST_KEYS_H

#include "trust/x509.h"

enum {{ FUZZ_TIME = 1800000000 }};

typedef struct fuzz_keys {{
  rt_key *key;
  rt_anchors *anchors;
}} fuzz_keys;

/* Opened at the first call, and kept where the leak checker sees them. */
static inline fuzz_keys *fuzz_open_keys(void) {{
  static fuzz_keys keys;
  static const char key[] =
{literal(public_key)};
  static const char root[] =
{literal(root)};
  const retort_buffer file = {{sizeof(retort_buffer), root, sizeof root - 1, "root"}};
  if (keys.key) return &keys;
  if (rt_key_open_public(NULL, key, sizeof key - 1, "key", &keys.key, NULL) != RETORT_OK || rt_anchors_open(NULL, &file, 1, &keys.anchors, NULL) != RETORT_OK) __builtin_trap();
  return &keys;
}}

#endif
""")


def main():
    keys = {"root": rsa.generate_private_key(65537, 2048), "mid": ec.generate_private_key(ec.SECP384R1()), "leaf": ec.generate_private_key(ec.SECP256R1())}
    chain = {"root": certificate("Root", keys["root"], "Root", keys["root"], True), "mid": certificate("Mid", keys["mid"], "Root", keys["root"], True),
             "leaf": certificate("Signer", keys["leaf"], "Mid", keys["mid"], False)}
    chain = {name: one.public_bytes(PEM) for name, one in chain.items()}
    for name, pem in chain.items():
        pathlib.Path(name + ".pem").write_bytes(pem)
    pathlib.Path("leaf.key").write_bytes(keys["leaf"].private_bytes(*PRIVATE))
    run(retort, "keygen", "key")
    shutil.rmtree(data, ignore_errors=True)
    model_files()
    bundles()
    minisign_files()
    pem_files(chain)
    run(retort, "sign", "-k", "key.key", "two.gguf")
    for name in ("large.gguf.chunks", "two.gguf.chunks"):
        keep("chunks", name, name)
    header(pathlib.Path("key.pub").read_bytes(), chain["root"])


with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.environ["HOME"] = folder
    main()
