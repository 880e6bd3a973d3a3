// A base key read back into the parts that it is made of (docs/KEYS.md, "The bytes"), for
// explanations: what is shown of a key is what stands in it. Pure; any thread; views into the key.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace weir::keys {

struct KeyParts {
  struct Pair {
    std::string_view name;
    std::string_view value;
  };
  std::uint64_t fingerprint = 0;  // of the route's rule
  std::string_view scheme;
  std::string_view authority;  // empty with `hostname: false`
  std::string_view path;
  std::string_view query;
  std::string_view language;
  std::vector<Pair> headers;
  std::vector<Pair> cookies;
};

// Nothing for bytes that are no base key.
std::optional<KeyParts> read_key(std::string_view bytes);

}  // namespace weir::keys
