#!/usr/bin/env python3
"""embed.py INDEX OUT: makes of the dashboard's files one page, and of that a C++ source.

Each `<link rel="stylesheet" href="FILE">` and `<script src="FILE"></script>` of INDEX becomes an
element that holds the file's text, so that a browser asks for nothing but the page. The policy that
goes with it names the hash of each, and allows no other script or style: text of a visitor's that
slipped into the page would not run.
"""

import base64
import hashlib
import re
import sys
from pathlib import Path

SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')

SOURCE = """// Made of the files in proxy/admin/dashboard by embed.py.
#include "proxy/admin/dashboard_page.h"

namespace weir::admin {{

std::string_view dashboard_html() {{
  return {{
{html},
      {length}}};
}}

std::string_view dashboard_policy() {{
  return
{policy};
}}

}}  // namespace weir::admin
"""


def hash_of(text):
    """As a policy names what stands between an element's tags."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def inline(pattern, tag, page, folder):
    """`page` with the files that `pattern` finds put in, and their hashes."""
    hashes = []

    def put(match):
        text = "\n" + (folder / match.group(1)).read_text(encoding="utf-8")
        if re.search(f"</{tag}", text, re.IGNORECASE):
            sys.exit(f"embed.py: {match.group(1)} holds a </{tag}, which would end it early")
        hashes.append(hash_of(text))
        return f"<{tag}>{text}</{tag}>"

    return pattern.sub(put, page), hashes


def policy_of(scripts, styles):
    return "; ".join([
        "default-src 'none'",
        f"script-src {' '.join(scripts)}",
        f"style-src {' '.join(styles)}",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        # No text ever becomes markup or code, not even by a mistake of the page's own scripts.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ])


def page_of(index):
    """The page, and its policy."""
    page = index.read_text(encoding="utf-8")
    page, styles = inline(STYLE, "style", page, index.parent)
    page, scripts = inline(SCRIPT, "script", page, index.parent)
    if re.search(r"\b(src|href)=\"(?!#|data:)", re.sub(r"(?s)<script>.*?</script>", "", page)):
        sys.exit(f"embed.py: {index} refers to something outside")
    return page, policy_of(scripts, styles)


def literal(text):
    """`text` as string literals, one a line; every byte that is not plain is an octal escape."""
    def escaped(byte):
        char = chr(byte)
        if char in '"\\':
            return "\\" + char
        return char if 0x20 <= byte < 0x7f and char != "?" else f"\\{byte:03o}"

    lines = text.splitlines(keepends=True)
    return "\n".join('      "' + "".join(map(escaped, line.encode())) + '"' for line in lines)


def main():
    index, out = Path(sys.argv[1]), Path(sys.argv[2])
    page, policy = page_of(index)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(SOURCE.format(html=literal(page), length=len(page.encode()),
                                 policy=literal(policy)), encoding="ascii")


if __name__ == "__main__":
    main()
