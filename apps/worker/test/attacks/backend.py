"""The setup code of a package, which runs where it is built: it looks for what is none of its business, and tells by failing."""

import glob
import os
import socket


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def build_wheel(folder, config=None, metadata=None):
    wanted = "canary"
    got = [name for name in WHERE + ["/etc/shadow", "/root/.ssh/id_rsa"] if read(name)]
    got += [path for path in glob.glob("/proc/[0-9]*/environ") if wanted in read(path)]
    got += [name for name in WRITTEN if written(name)]
    got += ["%s:%d" % address for address in CALLED if answers(address)]
    if any(name.startswith("mycloud") for name in os.environ if "TOKEN" in name):
        got.append("a token of its environment")
    raise RuntimeError("looked and got [%s]" % ", ".join(got))


def written(path):
    try:
        with open(path, "a") as file:
            file.write("spoilt")
        return True
    except OSError:
        return False


def answers(address):
    try:
        socket.create_connection(address, 3).close()
        return True
    except OSError:
        return False


# Filled in by the test: files to read, files to write to, and addresses to call.
WHERE = []
WRITTEN = []
CALLED = []
