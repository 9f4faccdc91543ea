"""How much memory a server keeps. Measured in a separate process, as the settings cannot be undone."""

import platform
import subprocess
import sys

import pytest

HASHING = """
import os, threading
from pathlib import Path
from portal.accounts.passwords import Passwords
from portal.memory import tune_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

tune_memory()
passwords = Passwords()
before = resident()
threads = [threading.Thread(target=passwords.hash, args=("a long enough phrase",)) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for _ in range(2): passwords.hash("a long enough phrase")
print(resident() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are not told what to keep")
def test_the_memory_in_which_passwords_were_hashed_is_given_back():
    grown = int(subprocess.run([sys.executable, "-c", HASHING], capture_output=True, check=True).stdout)
    assert grown < 10_000_000  # bytes; one hash takes 19 MB
