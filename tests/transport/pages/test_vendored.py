"""The libraries of others in the employer app are those of their packages, byte for byte."""

import hashlib

from tests.support.architecture import ROOT, files

VENDORED = {
    "web/vendor/pdfjs/pdf.min.mjs": "0d29c4871eff0b72f3896825f2673ddf7dfbccf815a7095a5d14f5aa68fab0e5",
    "web/vendor/pdfjs/pdf.worker.min.mjs": "7fc442c268d107d656755252cf38c422a88e825b7f0caaac6a5f58364dff4179",
}


def test_the_files_are_those_of_the_package() -> None:
    assert set(VENDORED) == {path for path in files() if path.startswith("web/vendor/") and path.endswith(".mjs")}
    found = {path: hashlib.sha256((ROOT / path).read_bytes()).hexdigest() for path in VENDORED}
    assert found == VENDORED
