"""Each house rule finds its breach, and leaves alone what only looks like one."""

import tempfile
import unittest
from pathlib import Path

from house_rules import Checker


def breaches(tree, built=None):
    """The breaches in a tree of {path: text}, as "path:line: message"."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in tree.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        checker = Checker(root, built)
        checker.run()
        return [f"{path}:{line}: {message}" for path, line, message in checker.breaches]


def function_of(lines):
    return "int f(int a) {\n" + "  a++;\n" * (lines - 2) + "}\n"


class HouseRules(unittest.TestCase):
    def expect(self, tree, *starts, built=None):
        found = breaches(tree, built)
        self.assertEqual(len(found), len(starts), found)
        for line, start in zip(found, starts):
            self.assertTrue(line.startswith(start), line)

    def test_file_length(self):
        self.expect({"base/a.h": "\n" * 400})
        self.expect({"base/a.h": "\n" * 401}, "base/a.h:401: 401 lines")
        for name in ["page.css", "page.html", "page.js"]:
            self.expect({name: "\n" * 401}, f"{name}:401: 401 lines")

    def test_function_length(self):
        self.expect({"base/a.h": function_of(70)})
        self.expect({"base/a.h": "\n" + function_of(71)}, "base/a.h:2: a function of 71 lines")
        in_class = "class A {\n public:\n  void g() {}\n" + function_of(71) + "};\n"
        self.expect({"base/a.h": in_class}, "base/a.h:4: a function of 71 lines")
        multi_line = "void f(int a,\n       int b) {\n" + "  g();\n" * 68 + "}\n"
        self.expect({"base/a.h": multi_line}, "base/a.h:1: a function of 71 lines")
        self.expect({"base/a.h": "namespace a {\n" + "int b();\n" * 80 + "}\n"})
        self.expect({"base/a.h": "struct A {\n" + "  int b();\n" * 80 + "};\n"})
        braces_in_text = 'void f() { g("{", \'{\'); }  // {\n' * 80
        self.expect({"base/a.h": braces_in_text})

    def test_line_length(self):
        self.expect({"base/a.h": "//" + "é" * 98 + "\n"})
        self.expect({"base/a.h": "\n//" + "x" * 99 + "\n"}, "base/a.h:2: 101 columns")
        self.expect({"a.js": "//" + "x" * 99 + "\n"}, "a.js:1: 101 columns")

    def test_readme(self):
        tree = {f"base/{name}.h": "" for name in "abcdefghi"}
        self.expect(tree)
        self.expect({**tree, "base/j.cc": ""}, "base:1: 10 sources and no README.md")
        self.expect({**tree, "base/j.cc": "", "base/README.md": ""})

    def test_layers(self):
        self.expect({"proxy/flow/a.h": '#include "backends/b.h"\n#include "proxy/flow/c.h"\n'})
        self.expect({"backends/a.h": '#include <vector>\n#include "proxy/b.h"\n'},
                    "backends/a.h:2: backends includes proxy")
        self.expect({"base/net/a.h": '#include "base/http/b.h"\n'},
                    "base/net/a.h:1: base/net includes base/http")
        self.expect({"base/a.h": '#include "b.h"\n'}, 'base/a.h:1: "b.h" is no header of a layer')
        self.expect({"attic/a.h": ""}, "attic/a.h:1: folder attic has no level")

    def test_wrapped_libraries(self):
        self.expect({"base/net/a.h": "#include <event2/event.h>\n"})
        self.expect({"proxy/front/a.h": "#include <event2/event.h>\n"},
                    "proxy/front/a.h:1: libevent is known to base/net alone")

    def test_sources_are_built(self):
        tree = {"base/a.cc": "", "base/b.cc": "", "base/c.h": ""}
        self.expect(tree, built={Path("base/a.cc"), Path("base/b.cc")})
        self.expect(tree, "base/b.cc:1: no target builds this source", built={Path("base/a.cc")})

    def test_no_waiting_by_the_clock(self):
        wait = "sleep" + "_for(one_second);\n"
        self.expect({"tests/a.h": wait}, "tests/a.h:1: a test that waits by the clock")
        self.expect({"tests/a.h": "// " + wait})
        self.expect({"base/a.h": wait})

    def test_no_unfinished_work(self):
        self.expect({"docs/a.md": "\nTO" + "DO: more\n"}, "docs/a.md:2: a marker")


if __name__ == "__main__":
    unittest.main()
