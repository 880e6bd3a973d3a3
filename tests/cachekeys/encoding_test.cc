#include <gtest/gtest.h>

#include "cachekeys/normalize.h"
#include "tests/cachekeys/request.h"

namespace weir::keys {
namespace {

TEST(AcceptEncoding, HasOneSpellingOfWhatTheClientTakes) {
  // Clients that take the same codings are sent to the app as one.
  const struct {
    const char* lines;
    const char* normal;
  } cases[] = {
      {"", ""},
      {"Accept-Encoding: gzip, deflate, br, zstd", "zstd, br, gzip"},
      {"Accept-Encoding: br;q=0.1,gzip", "br, gzip"},
      {"Accept-Encoding: GZIP", "gzip"},
      {"Accept-Encoding: x-gzip", "gzip"},
      {"Accept-Encoding: gzip;q=0, br", "br"},
      {"Accept-Encoding: gzip;q=abc, br", "br"},
      {"Accept-Encoding: *", "zstd, br, gzip"},
      {"Accept-Encoding: *;q=0, gzip", "gzip"},
      {"Accept-Encoding: gzip;q=0, *", "zstd, br"},
      {"Accept-Encoding: identity", ""},
      {"Accept-Encoding:", ""},
      {"Accept-Encoding: gzip\nAccept-Encoding: br", "br, gzip"},
      {"Accept-Encoding: agzip, gzipp", ""},
  };
  for (const auto& c : cases) {
    const TestRequest request(get("/", c.lines));
    std::string out;
    append_accept_encoding(request.head, out);
    EXPECT_EQ(out, c.normal) << c.lines;
  }
}

TEST(AcceptEncoding, SaysWhichStoredCodingsAClientTakes) {
  // A stored Content-Encoding goes only to a client that named it or anything.
  const struct {
    const char* lines;
    const char* coding;
    bool accepted;
  } cases[] = {
      {"", "", true},
      {"", "gzip", false},
      {"", "identity", true},
      {"Accept-Encoding: gzip", "gzip", true},
      {"Accept-Encoding: gzip", "x-gzip", true},
      {"Accept-Encoding: x-gzip", "GZIP", true},
      {"Accept-Encoding: gzip", "br", false},
      {"Accept-Encoding: gzip", "br, gzip", false},
      {"Accept-Encoding: gzip, br", "br, gzip", true},
      {"Accept-Encoding: gzip;q=0", "gzip", false},
      {"Accept-Encoding: *", "dcb", true},
      {"Accept-Encoding: *;q=0", "gzip", false},
      {"Accept-Encoding: deflate", "deflate", true},
      {"Accept-Encoding: gzip;q=0.001", "gzip", true},
  };
  for (const auto& c : cases) {
    const TestRequest request(get("/", c.lines));
    EXPECT_EQ(accepts_encoding(request.head, c.coding), c.accepted) << c.lines << " / " << c.coding;
  }
}

}  // namespace
}  // namespace weir::keys
