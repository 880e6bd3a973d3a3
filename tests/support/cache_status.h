// The Cache-Status field (RFC 9211) of an answer, taken apart. A value.
#pragma once

#include <optional>
#include <string>

#include "tests/support/message.h"

namespace weir::test {

struct CacheStatus {
  std::string text;  // the whole field
  bool hit = false;
  bool stored = false;
  bool collapsed = false;
  std::optional<int> ttl;
  std::string fwd;
  std::string detail;
};

// Throws when the field is absent or not a list of one member named `weir`.
CacheStatus cache_status(const Response& response);

}  // namespace weir::test
