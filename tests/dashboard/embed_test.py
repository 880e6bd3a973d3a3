"""The dashboard's files become one page whose policy allows its own scripts and nothing else."""

import base64
import hashlib
import re
import sys
import tempfile
import unittest
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "proxy/admin/dashboard"
sys.path.insert(0, str(FOLDER))
import embed  # pylint: disable=wrong-import-position


def page_of(**files):
    """The page and its policy of {name: text}, with `index` for the page itself."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            suffix = {"index": ".html", "style": ".css"}.get(name, ".js")
            Path(folder, name + suffix).write_text(text, encoding="utf-8")
        return embed.page_of(Path(folder, "index.html"))


def hash_of(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class Embed(unittest.TestCase):
    def test_puts_files_in_and_names_their_hashes(self):
        page, policy = page_of(index='<link rel="stylesheet" href="style.css">'
                                     '<p>é</p><script src="a.js"></script>',
                               style="p {}", a="run();")
        self.assertEqual(page, "<style>\np {}</style><p>é</p><script>\nrun();</script>")
        self.assertIn(f"script-src {hash_of(chr(10) + 'run();')};", policy)
        self.assertIn(f"style-src {hash_of(chr(10) + 'p {}')};", policy)
        self.assertNotIn("unsafe", policy)

    def test_refuses_what_would_end_an_element_early(self):
        with self.assertRaisesRegex(SystemExit, "would end it early"):
            page_of(index='<script src="a.js"></script>', a='"</SCRIPT>"')

    def test_refuses_a_page_that_refers_to_something_outside(self):
        for outside in ['<img src="https://example.com/a.png">', '<link href="b.css">']:
            with self.assertRaisesRegex(SystemExit, "something outside"):
                page_of(index=outside)
        page_of(index='<a href="#below">', a="")

    def test_literals_give_the_bytes_back(self):
        text = 'a "quoted" \\ line ??/\n\té\n'
        escapes = {"\\\\": "\\", '\\"': '"'}

        def unescaped(match):
            return escapes.get(match.group()) or chr(int(match.group()[1:], 8))

        lines = [line.strip()[1:-1] for line in embed.literal(text).split("\n")]
        back = re.sub(r'\\(?:\\|"|[0-7]{3})', unescaped, "".join(lines))
        self.assertEqual(back.encode("latin-1").decode(), text)

    def test_the_dashboard_holds_no_address_and_makes_no_markup_of_text(self):
        page, policy = embed.page_of(FOLDER / "index.html")
        namespaces = {"http://www.w3.org/2000/svg", "https://example.com/blog?page=2"}
        addresses = set(re.findall(r"https?://[^\s'\"`<>]+", page))
        self.assertEqual({one.rstrip(".,") for one in addresses} - namespaces, set())
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("]:
            self.assertNotIn(sink, page)
        self.assertEqual(policy.count("'sha256-"), len(list(FOLDER.glob("*.js"))) + 1)


if __name__ == "__main__":
    unittest.main()
