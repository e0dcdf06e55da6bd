"""make.py - makes the keys and certificates of this folder, good ones and each kind of bad one, for tests/trust/test_trust_x509.c.

    PYTHON tests/data/chains/make.py     (PYTHON has tests/requirements.txt; openssl for the SHA-1 certificate)

Roots and intermediates are valid from 2026 to 2046, leaves for the year 2027. No secret key is kept but an encrypted one that signs nothing.
"""
import datetime
import os
import pathlib
import random
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

here = pathlib.Path(__file__).resolve().parent
PEM = serialization.Encoding.PEM
year = lambda y: datetime.datetime(y, 1, 1)
name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def certificate(subject, key, issuer, issuer_key, *, ca=False, path=None, usage="digital_signature", extended=ExtendedKeyUsageOID.CODE_SIGNING, start=2027, end=2028, digest=hashes.SHA256(), more=()):
    builder = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key() if hasattr(key, "public_key") else key).serial_number(x509.random_serial_number())
               .not_valid_before(year(2026 if ca else start)).not_valid_after(year(2046 if ca else end)).add_extension(x509.BasicConstraints(ca, path), True))
    usage = "key_cert_sign" if ca and usage == "digital_signature" else usage
    if usage:
        bits = dict.fromkeys(("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
                              "decipher_only"), False)
        for bit in usage.split("+"):
            bits[bit] = True
        builder = builder.add_extension(x509.KeyUsage(**bits), True)
    if not ca and extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage([extended]), False)
    for extension in more:
        builder = builder.add_extension(extension, False)
    return builder.sign(issuer_key, digest)


def keep(file, certificate_or_key):
    if hasattr(certificate_or_key, "public_bytes") and isinstance(certificate_or_key, x509.Certificate):
        (here / file).write_bytes(certificate_or_key.public_bytes(PEM))
    elif hasattr(certificate_or_key, "private_bytes"):
        (here / file).write_bytes(certificate_or_key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    else:
        (here / file).write_bytes(certificate_or_key.public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


p256 = lambda: ec.generate_private_key(ec.SECP256R1())
root, mid, leaf = p256(), p256(), p256()
keep("root.pem", certificate("Root", root, "Root", root, ca=True))
keep("mid.pem", certificate("Mid", mid, "Root", root, ca=True))
keep("leaf.pem", certificate("Leaf", leaf, "Mid", mid))

# The leaf's usage.
keep("leaf-no-usage.pem", certificate("Leaf", leaf, "Mid", mid, usage=None, extended=None))
keep("leaf-encipherment.pem", certificate("Leaf", leaf, "Mid", mid, usage="key_encipherment", extended=None))
keep("leaf-encipherment-code.pem", certificate("Leaf", leaf, "Mid", mid, usage="key_encipherment"))
keep("leaf-server.pem", certificate("Leaf", leaf, "Mid", mid, extended=ExtendedKeyUsageOID.SERVER_AUTH))
keep("leaf-usage-only.pem", certificate("Leaf", leaf, "Mid", mid, extended=None))
keep("leaf-extended-only.pem", certificate("Leaf", leaf, "Mid", mid, usage=None))

# The path.
plain = p256()
keep("mid-not-ca.pem", certificate("Plain", plain, "Root", root, start=2026, end=2046))
keep("leaf-under-not-ca.pem", certificate("Leaf", leaf, "Plain", plain))
short = p256()
keep("root-path-0.pem", certificate("Short", short, "Short", short, ca=True, path=0))
keep("mid-under-path-0.pem", certificate("Mid", mid, "Short", short, ca=True))
other = p256()
keep("root-other.pem", certificate("Other", other, "Other", other, ca=True))
keep("root-same-name.pem", certificate("Root", other, "Root", other, ca=True))
keep("self-signed-leaf.pem", certificate("Self", plain, "Self", plain, start=2026, end=2046))
both = p256()
keep("root-that-signs.pem", certificate("Both", both, "Both", both, ca=True, usage="digital_signature+key_cert_sign"))
keep("leaf-before-its-issuer.pem", certificate("Leaf", leaf, "Mid", mid, start=2025, end=2030))

# Kinds of keys and hashes.
small, large = rsa.generate_private_key(65537, 1024), rsa.generate_private_key(65537, 4608)
keep("root-rsa-1024.pem", certificate("Small", small, "Small", small, ca=True))
keep("leaf-under-rsa-1024.pem", certificate("Leaf", leaf, "Small", small))
keep("root-rsa-4608.pem", certificate("Large", large, "Large", large, ca=True))
keep("leaf-under-rsa-4608.pem", certificate("Leaf", leaf, "Large", large))
good = rsa.generate_private_key(65537, 2048)
keep("root-rsa-2048.pem", certificate("Good", good, "Good", good, ca=True))
keep("leaf-under-rsa-2048.pem", certificate("Leaf", leaf, "Good", good))
keep("leaf-rsa.pem", certificate("Leaf", good, "Mid", mid))
keep("leaf-ed25519.pem", certificate("Leaf", ed25519.Ed25519PrivateKey.generate(), "Mid", mid))
keep("leaf-secp256k1.pem", certificate("Leaf", ec.generate_private_key(ec.SECP256K1()), "Mid", mid))
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    run = lambda *words: subprocess.run(words, check=True, capture_output=True)
    pathlib.Path("mid.key").write_bytes(mid.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    pathlib.Path("extensions").write_text("keyUsage=critical,digitalSignature\n")
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k", "-subj", "/CN=Leaf", "-out", "r")
    run("openssl", "x509", "-req", "-in", "r", "-CA", str(here / "mid.pem"), "-CAkey", "mid.key", "-sha1", "-days", "7000", "-set_serial", "5", "-extfile", "extensions", "-out", "sha1.pem")
    (here / "leaf-sha1.pem").write_bytes(pathlib.Path("sha1.pem").read_bytes())

# Keys alone.
for file, key in (("p256", leaf), ("rsa", good), ("ed25519", ed25519.Ed25519PrivateKey.generate()), ("secp256k1", ec.generate_private_key(ec.SECP256K1())), ("p224", ec.generate_private_key(ec.SECP224R1()))):
    keep(file + ".pub", key.public_key())
(here / "p256-encrypted.key").write_bytes(p256().private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"password")))

# What a verifier that looks at each link alone passes over. A root of their own, so that these can be made without the others.
def limits():
    root, mid, leaf = p256(), p256(), p256()
    keep("root-limits.pem", certificate("Limits", root, "Limits", root, ca=True))
    only = x509.NameConstraints([x509.DirectoryName(name("Only"))], None)
    for file, subject, extension in (("names", "Names", only), ("server", "Server", x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
                                     ("code", "Code", x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CODE_SIGNING]))):
        keep(f"mid-{file}.pem", certificate(subject, mid, "Limits", root, ca=True, more=[extension]))
        keep(f"leaf-under-{file}.pem", certificate("Leaf", leaf, subject, mid))
    keep("root-names.pem", certificate("Names", root, "Names", root, ca=True, more=[only]))
    dice = random.Random(5)
    for file, bits, exponent in (("8192", 8192, 65537), ("exponent", 2048, dice.getrandbits(2000) | 1)):
        costly = rsa.RSAPublicNumbers(exponent, dice.getrandbits(bits) | 1 | 1 << (bits - 1)).public_key()
        keep(f"mid-rsa-{file}.pem", certificate("Costly", costly, "Limits", root, ca=True))


limits()
