"""make.py - signs small models with the Go implementation of OpenSSF model signing, for tests/trust/test_tools.py.

    PYTHON tests/data/signed-by-go/make.py GO_TOOL     (PYTHON has tests/requirements.txt)

GO_TOOL is `model-signing` of github.com/sampras343/model-transparency-go at 1d81e7b, built with `go build ./cmd/model-signing`. The models are not
kept: they are the bytes of Python's generator (test_tools.py: Models.models). Secret keys are not kept either.
"""
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOOL = os.path.abspath(sys.argv[1])
sys.path.append(str(HERE.parents[1] / "trust"))
sys.argv[1:] = ["--retort", "-"]
import test_tools  # noqa: E402


class Maker(test_tools.Models):
    def runTest(self):
        self.chain()
        keys = {}
        for curve in ("prime256v1", "secp384r1", "secp521r1"):
            keys[curve] = self.path(curve + ".key")
            self.run_tool("openssl", "ecparam", "-name", curve, "-genkey", "-noout", "-out", keys[curve])
            self.run_tool("openssl", "ec", "-in", keys[curve], "-pubout", "-out", HERE / f"{curve}.pub")
        for kind, model in zip(("file", "folder", "split"), self.models()):
            signature = self.path("signature")
            for curve, key in keys.items():
                self.run_tool(TOOL, "sign", "key", model, "--private-key", key, "--signature", signature)
                shutil.copy(signature, HERE / f"{kind}-{curve}.sig")
            self.run_tool(TOOL, "sign", "certificate", model, "--private-key", "leaf.key", "--signing-certificate", "leaf.pem", "--certificate-chain", "mid.pem", "--signature", signature)
            shutil.copy(signature, HERE / f"{kind}-certificate.sig")
        shutil.copy(self.path("root.pem"), HERE)


maker = Maker()
maker.setUp()
maker.runTest()
maker.doCleanups()
