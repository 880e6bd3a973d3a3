"""Runs a test program beside real servers, and ends as it ends.

with_weir.py WEIR COMMAND…: the program finds in its environment WEIR_TEST_URL, and
WEIR_TEST_GUARDED_URL (a Unix socket that wants WEIR_TEST_TOKEN). A program that is not installed
is skipped.
"""

import os
import shutil
import subprocess
import sys

from weir_server import WeirServer

TOKEN = 'a"token"\\with#marks'


SKIPPED = 77  # what ctest takes for it


def main():
    if not shutil.which(sys.argv[2]):
        print(f'skipped: {sys.argv[2]} is not installed, and nothing else needs it')
        return SKIPPED
    binary = os.environ.get('WEIR_TEST_BINARY', sys.argv[1])
    server, guarded = WeirServer(binary), WeirServer(binary, unix=True, token=TOKEN)
    kept = {name: text for name, text in os.environ.items() if not name.startswith('WEIR_ADMIN')}
    code = subprocess.run(sys.argv[2:], check=False, stdin=subprocess.DEVNULL, env={
        **kept, 'WEIR_TEST_URL': server.url, 'WEIR_TEST_GUARDED_URL': guarded.url,
        'WEIR_TEST_TOKEN': TOKEN}).returncode
    server.close()
    guarded.close()
    return code


if __name__ == '__main__':
    sys.exit(main())
