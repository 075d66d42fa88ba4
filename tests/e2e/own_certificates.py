# SPDX-License-Identifier: Apache-2.0
"""Certificates of recipients' own as their programs would have them, made by openssl; and what is sealed to them, opened."""
import pathlib
import subprocess
import tempfile
import time

CONFIG = """[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = optional
[mail]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature, keyAgreement
extendedKeyUsage = emailProtection
subjectAltName = email:{address}
"""


class OwnCertificate:
    """A self-signed P-256 certificate and its key, in a folder of their own."""

    def __init__(self, address, seconds=86400):
        self.folder = tempfile.TemporaryDirectory()
        place = pathlib.Path(self.folder.name)
        self.key, self.certificate = place / "own.key", place / "own.pem"
        (place / "ca.conf").write_text(CONFIG.format(folder=place, address=address))
        (place / "index").touch()
        (place / "serial").write_text("01\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out", place / "own.csr",
                "-subj", "/CN=Own")
        now = time.time()
        stamp = lambda at: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at))
        self.ends = int(now) + seconds
        openssl("ca", "-batch", "-selfsign", "-config", place / "ca.conf", "-in", place / "own.csr", "-keyfile", self.key, "-out",
                self.certificate, "-notext", "-startdate", stamp(now - 3600), "-enddate", stamp(self.ends), "-extensions", "mail")
        self.pem = self.certificate.read_text()

    def open(self, file):
        """What the mail says that is sealed to it; nothing when it is sealed to another."""
        done = subprocess.run(["openssl", "cms", "-decrypt", "-in", str(file), "-recip", str(self.certificate), "-inkey", str(self.key)],
                              capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True)
