"""test_tools.py - what we sign verifies with the Python and Go model-signing tools, minisign and signify, and the other way round.

The Go tool is not in any package registry: bundles that it made lie in tests/data/signed-by-go, and --go-tool PROGRAM tries both directions with the
tool itself. Certificates are made here, so that expired, not yet valid and misused ones can be tried.
"""
import datetime
import importlib.util
import os
import pathlib
import sys
import unittest

from common import REFUSED, Case, arguments, main, program

MODEL_SIGNING = importlib.util.find_spec("model_signing") is not None
no_model_signing = "PyPI model-signing is not installed in this Python"
if MODEL_SIGNING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MIB = 1 << 20


class Models(Case):
    """What is signed, and with which certificates."""

    def models(self):
        """A file, a folder with an empty file and names that sort in two ways, a split set."""
        yield self.file("model.gguf", 3 * MIB + 77)
        for name, size in (("a/b.gguf", 2 * MIB + 1), ("a.txt", 10), ("a/.hidden", 3), ("z", 0), ("t\u00e9l\u00e9.json", 5)):
            self.file(os.path.join("folder", name), size)
        yield self.path("folder")
        for i in (1, 2, 3):
            self.file(f"split/m-0000{i}-of-00003.gguf", MIB + i, seed=i)
        yield self.path("split")

    def signature(self, model):
        return os.path.join(model, "model.sig") if os.path.isdir(model) else model + ".sig"

    def victim(self, model):
        return {"folder": "folder/a/b.gguf", "split": "split/m-00002-of-00003.gguf"}.get(os.path.basename(model), "model.gguf")

    def chain(self, *, leaf_from=-1, leaf_to=30, usage="digital_signature", extended=ExtendedKeyUsageOID.CODE_SIGNING if MODEL_SIGNING else None, rsa_ca=False, depth=1):
        """Writes root.pem, mid.pem, leaf.pem, leaf.key; days from today."""
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
        new = lambda: rsa.generate_private_key(65537, 3072) if rsa_ca else ec.generate_private_key(ec.SECP384R1())

        def certificate(subject, key, issuer, issuer_key, start, end, ca):
            bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                                  "encipher_only", "decipher_only"), False)
            bits["key_cert_sign" if ca else usage or "digital_signature"] = True
            builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key()).serial_number(x509.random_serial_number())
                       .not_valid_before(now + start * day).not_valid_after(now + end * day).add_extension(x509.BasicConstraints(ca, None), True))
            if ca or usage:
                builder = builder.add_extension(x509.KeyUsage(**bits), True)
            if not ca and extended:
                builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), False)
            return builder.sign(issuer_key, hashes.SHA256())

        root_key, mid_key, leaf_key = new(), new(), ec.generate_private_key(ec.SECP256R1())
        made = {"root": certificate("Root", root_key, "Root", root_key, -100, 100, True), "mid": certificate("Mid", mid_key, "Root", root_key, -90, 90, True),
                "leaf": certificate("Signer", leaf_key, "Mid", mid_key, leaf_from, leaf_to, False)}
        for file, crt in made.items():
            pathlib.Path(self.path(file + ".pem")).write_bytes(crt.public_bytes(serialization.Encoding.PEM))
        pathlib.Path(self.path("leaf.key")).write_bytes(leaf_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def sign_with_chain(self, model):
        self.retort("sign", "-k", "leaf.key", "--cert", "leaf.pem", "--cert", "mid.pem", model)


@unittest.skipUnless(MODEL_SIGNING, no_model_signing)
class Oms(Models):
    def python(self, *words, **more):
        return self.run_tool(sys.executable, "-m", "model_signing", *words, **more)

    def test_keys_in_both_directions(self):
        for bits in (256, 384, 521):
            key = self.path(f"k{bits}")
            self.retort("keygen", key, "--bits", bits)
            for model in self.models():
                signature = self.signature(model)
                self.retort("sign", "-k", key + ".key", model)
                self.retort("verify", "--key", key + ".pub", model, says="good: signed by key")
                self.python("verify", "key", model, "--signature", signature, "--public_key", key + ".pub")
                os.remove(signature)
                self.python("sign", "key", model, "--private_key", key + ".key", "--signature", signature)
                self.retort("verify", "--key", key + ".pub", model, says="good: signed by key")
                victim = self.path(self.victim(model))
                self.flip(victim, MIB)
                self.retort("verify", "--key", key + ".pub", model, code=REFUSED, says="not the file that was signed")
                self.flip(victim, MIB)
                self.retort("verify", "--key", key + ".pub", model)

    def test_openssl_keys_and_split_set_by_its_first_file(self):
        if not program("openssl"):
            self.skipTest("openssl is not installed")
        self.run_tool("openssl", "ecparam", "-name", "secp384r1", "-genkey", "-out", "o.key")  # with its EC PARAMETERS block
        self.run_tool("openssl", "ec", "-in", "o.key", "-pubout", "-out", "o.pub")
        list(self.models())
        first = self.path("split", "m-00001-of-00003.gguf")
        self.retort("sign", "-k", "o.key", first)
        self.retort("verify", "--key", "o.pub", first, says="3 files")
        self.flip(self.path("split", "m-00003-of-00003.gguf"), 5)
        self.retort("verify", "--key", "o.pub", first, code=REFUSED)

    def test_folders_must_be_what_was_signed(self):
        self.retort("keygen", "k")
        folder = list(self.models())[1]
        self.retort("sign", "-k", "k.key", folder)
        self.file("folder/extra", 1)
        self.retort("verify", "--key", "k.pub", folder, code=REFUSED, says="extra is not among")
        os.remove(self.path("folder/extra"))
        os.remove(self.path("folder/a.txt"))
        self.retort("verify", "--key", "k.pub", folder, code=REFUSED, says="only")
        os.symlink("/etc/hostname", self.path("folder/a.txt"))
        self.retort("verify", "--key", "k.pub", folder, code=REFUSED, says="link")

    def test_a_signature_in_the_folder_under_any_name(self):
        """OMS 6.2: the signature file is no part of the model, wherever it lies; so it may be written anew."""
        self.retort("keygen", "k")
        folder = list(self.models())[1]
        for name in ("x.sig", "a/deep.json", "skill.oms.sig"):
            signature = os.path.join(folder, name)
            for _ in range(2):
                self.retort("sign", "-k", "k.key", "-o", signature, folder)
                self.retort("verify", "--key", "k.pub", "-s", signature, folder, says="6 files")
                self.python("verify", "key", folder, "--signature", signature, "--public_key", "k.pub")
                self.python("sign", "key", folder, "--private_key", "k.key", "--signature", signature)
                self.retort("verify", "--key", "k.pub", "-s", signature, folder, says="6 files")
            if name.endswith(".oms.sig"):
                self.retort("verify", "--key", "k.pub", folder, says="6 files")  # found by itself
                self.retort("verify", "--key", "k.pub", "-s", signature, self.file("folder/other", 1), code=REFUSED)
            else:
                os.remove(signature)
                self.retort("verify", "--key", "k.pub", folder, code=REFUSED, says="--signature FILE")

    def test_paths_left_out(self):
        self.retort("keygen", "k")
        folder = list(self.models())[1]
        self.file("folder/cache/deep/x", 3)
        self.file("folder/log", 3)
        os.symlink("/etc/hostname", self.path("folder/cache/link"))
        signature = self.signature(folder)
        both = ("--ignore-paths", "cache", "--ignore-paths", self.path("folder/log"))
        self.retort("sign", "-k", "k.key", folder, code=REFUSED, says="--ignore-paths")
        self.retort("sign", "-k", "k.key", *both, folder, says="6 files")
        os.remove(self.path("folder/cache/link"))
        self.python("verify", "key", folder, "--signature", signature, "--public_key", "k.pub")
        self.retort("verify", "--key", "k.pub", folder, says="2 left out")  # the signature says so
        self.retort("sign", "-k", "k.key", folder)
        self.file("folder/new", 3)
        self.retort("verify", "--key", "k.pub", folder, code=REFUSED, says="new is not among")
        self.retort("verify", "--key", "k.pub", "--ignore-paths", "folder/new", folder, says="1 left out: nobody vouches for it")
        self.retort("verify", "--key", "k.pub", "--ignore-unsigned-files", "--json", folder, says='"left_out":1')
        self.python("verify", "key", folder, "--signature", signature, "--public_key", "k.pub", "--ignore_unsigned_files")
        self.retort("verify", "--key", "k.pub", "--ignore-paths", "a.txt", "--ignore-unsigned-files", folder, code=REFUSED, says="only")  # signed, and not looked at
        self.retort("verify", "--key", "k.pub", "--ignore-paths", "../x", folder, code=2, says="no path inside")
        self.flip(self.path("folder/a.txt"), 1)
        self.retort("verify", "--key", "k.pub", "--ignore-unsigned-files", folder, code=REFUSED, says="not the file that was signed")

    def test_one_certificate_that_is_all(self):
        """Trusted as it is, it signs: as the Python tool has it."""
        if not program("openssl"):
            self.skipTest("openssl is not installed")
        model = self.file("model.gguf", 1000)
        for ca in ("TRUE", "FALSE"):
            self.run_tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "self.key", "-out", "self.pem", "-days", "9", "-subj",
                          "/CN=self", "-addext", "keyUsage=critical,digitalSignature", "-addext", f"basicConstraints=critical,CA:{ca}")
            self.retort("sign", "-k", "self.key", "--cert", "self.pem", model)
            self.python("verify", "certificate", model, "--signature", model + ".sig", "--certificate_chain", "self.pem")
            self.retort("verify", "--cert-root", "self.pem", model, says="certificate CN=self")

    def test_one_wrong_thing_at_a_time(self):
        self.retort("keygen", "k")
        self.retort("keygen", "other")
        model, second = self.file("model.gguf", 2 * MIB + 5), self.file("second.gguf", 2 * MIB + 5, seed=2)
        self.retort("sign", "-k", "k.key", "--name", "one", model)
        self.retort("sign", "-k", "k.key", "--name", "two", "--spec-name", second)
        verify = lambda **more: self.retort("verify", "--key", "k.pub", model, **more)
        verify()
        self.retort("verify", "--key", "other.pub", model, code=REFUSED, says="not among those")
        self.retort("verify", "--key", "k.pub", "--model-name", "one", model)
        self.retort("verify", "--key", "k.pub", "--model-name", "two", model, code=REFUSED)
        self.retort("verify", "--key", "k.pub", "-s", second + ".sig", model, code=REFUSED, says="not among")
        self.retort("verify", "--key", "k.pub", "-s", model + ".sig", second, code=REFUSED)
        self.retort("verify", "--cert-root", "k.pub", model, code="fails")
        self.retort("verify", "--key", "k.pub", "--allow-unsigned", model, code=2)
        for path in (model + ".chunks", model):
            data = pathlib.Path(path).read_bytes()
            for wrong in (data[:-1], data + b"\0", data[:40] + bytes([data[40] ^ 255]) + data[41:], b""):
                pathlib.Path(path).write_bytes(wrong)
                verify(code=REFUSED)
            pathlib.Path(path).write_bytes(data)
        os.replace(second + ".chunks", model + ".chunks")
        verify(code=REFUSED, says="not the list that was signed")
        os.remove(model + ".chunks")
        verify(says="whole files hashed")

    def test_certificates_in_both_directions(self):
        for rsa_ca in (False, True):
            self.chain(rsa_ca=rsa_ca)
            for model in self.models():
                signature = self.signature(model)
                self.sign_with_chain(model)
                self.retort("verify", "--cert-root", "root.pem", model, says="certificate CN=Signer")
                self.python("verify", "certificate", model, "--signature", signature, "--certificate_chain", "root.pem")
                os.remove(signature)
                self.python("sign", "certificate", model, "--private_key", "leaf.key", "--signing_certificate", "leaf.pem", "--certificate_chain", "mid.pem", "--signature", signature)
                self.retort("verify", "--cert-root", "root.pem", model, says="certificate CN=Signer")
                self.retort("trust", "add", "root.pem")
                self.retort("verify", model, says="certificate CN=Signer")
                self.retort("trust", "remove", "CN=Root")
                self.retort("verify", model, code=REFUSED)

    def refused_chain(self, says, **options):
        model = self.file("model.gguf", 1000)
        self.chain(**options)
        self.sign_with_chain(model)
        self.retort("verify", "--cert-root", "root.pem", model, code=REFUSED, says=says)
        return model

    def test_expired_and_future_leaves(self):
        model = self.refused_chain("expired", leaf_from=-20, leaf_to=-1)
        self.retort("verify", "--cert-root", "root.pem", "--at-signing-time", model)
        self.refused_chain("not yet valid", leaf_from=2, leaf_to=20)
        self.refused_chain("expired", leaf_from=-200, leaf_to=-150)
        self.retort("verify", "--cert-root", "root.pem", "--at-signing-time", model, code=REFUSED)  # before its issuer was valid

    def test_usage_of_the_leaf(self):
        model = self.file("model.gguf", 1000)
        chain = ("--private_key", "leaf.key", "--signing_certificate", "leaf.pem", "--certificate_chain", "mid.pem")
        for bad in ({"usage": "key_encipherment"}, {"extended": ExtendedKeyUsageOID.SERVER_AUTH}, {"usage": None, "extended": None}):
            self.chain(**bad)
            self.retort("sign", "-k", "leaf.key", "--cert", "leaf.pem", "--cert", "mid.pem", model, code="fails", says="not meant for signing")
            self.python("sign", "certificate", model, *chain, "--signature", model + ".sig")
            self.retort("verify", "--cert-root", "root.pem", model, code=REFUSED, says="not meant for signing")
        for good in ({"usage": None}, {"extended": None}):
            self.chain(**good)
            self.sign_with_chain(self.path("model.gguf"))
            self.retort("verify", "--cert-root", "root.pem", "model.gguf")

    def test_anchors(self):
        model = self.file("model.gguf", 1000)
        self.chain()
        self.sign_with_chain(model)
        for anchor in ("mid.pem", "leaf.pem"):
            self.retort("verify", "--cert-root", anchor, model, code=REFUSED, says="cannot be a root of trust")
            self.retort("trust", "add", anchor, code=REFUSED)
        os.rename(self.path("root.pem"), self.path("first.pem"))
        self.retort("verify", "--cert-root", "first.pem", model)
        self.chain()
        self.retort("verify", "--cert-root", "root.pem", model, code=REFUSED, says="does not lead to a root")
        both = pathlib.Path(self.path("both.pem"))
        both.write_bytes(b"".join(pathlib.Path(self.path(name)).read_bytes() for name in ("root.pem", "first.pem")))
        self.retort("trust", "add", both, says="trusted certificate (and 1 more) CN=Root")  # nobody slips in unseen
        self.retort("verify", model)


@unittest.skipUnless(MODEL_SIGNING, no_model_signing)
class Go(Models):
    def go(self, *words, **more):
        return self.run_tool(arguments.go_tool, *words, **more)

    def both_ways(self, model, method, trust, sign, verify):
        signature = self.signature(model)
        self.sign_with_chain(model) if method == "certificate" else self.retort("sign", "-k", sign[1], model)
        self.go("verify", method, model, "--signature", signature, *verify)
        self.flip(self.path(self.victim(model)), MIB)
        self.go("verify", method, model, "--signature", signature, *verify, code="fails")
        self.flip(self.path(self.victim(model)), MIB)
        os.remove(signature)
        self.go("sign", method, model, "--signature", signature, *sign)
        self.retort("verify", *trust, model, says="good: signed by")

    @unittest.skipUnless(arguments.go_tool, "the Go tool is not here (--go-tool PROGRAM)")
    def test_the_tool_in_both_directions(self):
        self.chain()
        for bits in (256, 384, 521):
            self.retort("keygen", f"k{bits}", "--bits", bits)
        for model in self.models():
            for bits in (256, 384, 521):
                self.both_ways(model, "key", ("--key", f"k{bits}.pub"), ("--private-key", f"k{bits}.key"), ("--public-key", f"k{bits}.pub"))
            self.both_ways(model, "certificate", ("--cert-root", "root.pem"), ("--private-key", "leaf.key", "--signing-certificate", "leaf.pem", "--certificate-chain", "mid.pem"),
                           ("--certificate-chain", "root.pem"))

    def test_bundles_made_by_it(self):
        data = pathlib.Path(__file__).resolve().parents[1] / "data/signed-by-go"
        for kind, model in zip(("file", "folder", "split"), self.models()):
            ways = {"certificate": ("--cert-root", data / "root.pem", "--at-signing-time")}
            ways.update({curve: ("--key", data / f"{curve}.pub") for curve in ("prime256v1", "secp384r1", "secp521r1")})
            for way, trust in ways.items():
                verify = lambda **more: self.retort("verify", "-s", data / f"{kind}-{way}.sig", *trust, model, **more)
                verify(says="certificate CN=Signer" if way == "certificate" else "key sha256:")
                self.flip(self.path(self.victim(model)), MIB)
                verify(code=REFUSED, says="not the file that was signed")
                self.flip(self.path(self.victim(model)), MIB)


class Names(Case):
    def test_what_is_signed_can_be_verified(self):
        """Whatever `sign` accepts, `verify` accepts too; other names are refused before anything is written."""
        self.retort("keygen", "k")
        self.retort("keygen", "--minisign", "--no-password", "m")
        ways = {"k.key": ("--key", "k.pub", ".sig"), "m.key": ("--minisign-key", "m.pub", ".minisig")}
        for good in ("model.gguf", "a b", "\u00e9 \u65e5\u672c", "...", "-x", "a'\"$"):
            for key, (option, public, suffix) in ways.items():
                path = self.file(good, 2 * MIB)
                self.retort("sign", "-k", key, path)
                self.retort("verify", option, public, path)
        for bad in (b"a\\b", b"a\nb", b"\x1b[1m", b"\xff", b"\xc0\xae", b"\x7f", b"\xc2\x80"):
            for key, (option, public, suffix) in ways.items():
                for more in ((), ("--spec-name",)) if key == "k.key" else ((),):
                    path = os.fsencode(self.file("x", 2 * MIB))[:-1] + bad
                    os.rename(self.path("x"), path)
                    self.run_bytes("sign", "-k", key, *more, path, fails="cannot be signed")
                    self.assertFalse(os.path.exists(path + suffix.encode()))
            folder = os.fsencode(self.path("folder"))
            os.makedirs(folder, exist_ok=True)
            os.rename(path, os.path.join(folder, bad))
            self.run_bytes("sign", "-k", "k.key", folder, fails="cannot be signed")
            self.assertFalse(os.path.exists(os.path.join(folder, b"model.sig")))
            os.remove(os.path.join(folder, bad))
        for name in ("a\nb", "a\x1bb", b"\xff"):
            self.run_bytes("sign", "-k", "k.key", "--name", name, self.file("y", 10), fails="name")
            self.run_bytes("sign", "-k", "m.key", "--comment", name, self.file("y", 10), fails="")

    def test_names_that_nobody_signs(self):
        """Where no name is signed, any will do."""
        for name in ("a\\b", "a\nb", "\x1b[1m"):
            path = self.file(name, 10)
            self.retort("verify", "--allow-unsigned", path, says="NOT CHECKED")
            self.retort("trust", "add", path)
            self.retort("verify", path, says="pinned")
            os.remove(path)

    def test_the_file_that_is_not_pinned_is_named(self):
        self.retort("trust", "add", self.file("folder/m.gguf", 10))
        self.retort("verify", self.path("folder"), says="pinned")
        self.file("folder/z.pub", 20)
        self.retort("verify", self.path("folder"), code=REFUSED, says="z.pub has the SHA-256")

    def run_bytes(self, *words, fails):
        code, text = self.retort(*(os.fsdecode(w) if isinstance(w, bytes) else w for w in words), code=None)
        self.assertNotEqual(code, 0, text)
        self.assertIn(fails, text)

    def test_files_that_only_look_like_chunk_lists(self):
        self.retort("keygen", "k")
        for name, size in (("a.gguf", 3 * MIB), ("small", 5), ("small.chunks", 7), ("alone.chunks", 9), ("b.chunks", 2 * MIB)):
            self.file(f"folder/{name}", size)
        for more in ((), ("--no-chunks",), ()):
            self.retort("sign", "-k", "k.key", *more, self.path("folder"))
            self.retort("verify", "--key", "k.pub", self.path("folder"))
        self.flip(self.path("folder/alone.chunks"), 3)
        self.retort("verify", "--key", "k.pub", self.path("folder"), code=REFUSED)


@unittest.skipUnless(program("minisign"), "minisign is not installed")
class Minisign(Case):
    def test_both_directions(self):
        model = self.file("model.gguf", 2 * MIB + 9)
        self.retort("keygen", "--minisign", "--no-password", "ours")
        self.retort("sign", "-k", "ours.key", model)
        self.run_tool("minisign", "-V", "-p", "ours.pub", "-m", model, says="Signature and comment signature verified")
        self.retort("verify", "--minisign-key", "ours.pub", "--model-name", "model.gguf", model, says="minisign key")
        self.retort("verify", "--minisign-key", "ours.pub", "--model-name", "x", model, code=REFUSED)
        self.run_tool("minisign", "-S", "-s", "ours.key", "-m", model)  # their tool with our key
        self.retort("verify", "--minisign-key", "ours.pub", model)
        self.run_tool("minisign", "-G", "-W", "-p", "theirs.pub", "-s", "theirs.key")
        self.retort("verify", "--minisign-key", "theirs.pub", model, code=REFUSED, says="not among those")
        self.run_tool("minisign", "-S", "-s", "theirs.key", "-m", model, "-t", "a comment")
        self.retort("verify", "--minisign-key", "theirs.pub", model, says="a comment")
        self.retort("sign", "-k", "theirs.key", model)  # our tool with their key
        self.run_tool("minisign", "-V", "-p", "theirs.pub", "-m", model)
        self.flip(model, 2 * MIB)
        self.retort("verify", "--minisign-key", "theirs.pub", model, code=REFUSED, says="does not fit")

    def test_passwords(self):
        model = self.file("model.gguf", 1000)
        self.retort("keygen", "--minisign", "ours", stdin=b"secret\n")
        self.run_tool("minisign", "-S", "-s", "ours.key", "-m", model, stdin=b"secret\n")
        self.retort("verify", "--minisign-key", "ours.pub", model)
        self.retort("sign", "-k", "ours.key", model, stdin=b"wrong\n", code=REFUSED, says="wrong password")
        self.retort("sign", "-k", "ours.key", model, stdin=b"secret\n")
        self.run_tool("minisign", "-V", "-p", "ours.pub", "-m", model)

    def test_old_signatures_over_the_whole_file_are_refused(self):
        model = self.file("model.gguf", 1000)
        self.run_tool("minisign", "-G", "-W", "-p", "k.pub", "-s", "k.key")
        self.run_tool("minisign", "-S", "-l", "-s", "k.key", "-m", model)
        self.retort("verify", "--minisign-key", "k.pub", model, code="fails", says="sign again")


@unittest.skipUnless(program("signify-openbsd"), "signify-openbsd is not installed")
class Signify(Case):
    def test_read(self):
        model = self.file("model.gguf", 9 * MIB + 9)
        self.run_tool("signify-openbsd", "-G", "-n", "-p", "k.pub", "-s", "k.sec")
        self.run_tool("signify-openbsd", "-S", "-s", "k.sec", "-m", model, "-x", model + ".sig")
        self.retort("verify", "--minisign-key", "k.pub", model, says="signify key")
        self.flip(model, 8 * MIB + 1)
        self.retort("verify", "--minisign-key", "k.pub", model, code=REFUSED)
        self.retort("keygen", "--minisign", "--no-password", "other")
        self.retort("verify", "--minisign-key", "other.pub", model, code=REFUSED)


if __name__ == "__main__":
    main()
