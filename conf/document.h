// A YAML document as a plain tree that knows where everything stood. Made by one pass over the
// parser's events instead of its own node type, which forgets duplicate keys, throws at every
// misstep and multiplies aliases without bound. The only file that includes yaml-cpp.
// Trees are immutable and share what aliases name.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weir::conf {

// One-based; line 0 is nowhere (a flag, a built-in).
struct Place {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

struct DocumentNode;
using NodeRef = std::shared_ptr<const DocumentNode>;

struct DocumentNode {
  enum class Kind : std::uint8_t { Null, Scalar, List, Map };
  struct Entry {
    std::string key;
    Place key_place;
    NodeRef value;
  };

  Kind kind = Kind::Null;
  Place place;
  std::string text;            // Scalar
  bool literal = false;        // Scalar: `${…}` in it is not the environment's
  std::vector<NodeRef> items;  // List
  std::vector<Entry> entries;  // Map, in the order of the file, duplicates kept
  std::size_t weight = 1;      // nodes that a walk over it meets, aliases counted each time
};

struct SyntaxError {
  Place place;
  std::string message;
};

inline constexpr std::size_t kMaxDocumentBytes = 1024 * 1024;
inline constexpr std::size_t kMaxDocumentNodes = 50'000;
inline constexpr std::size_t kMaxDocumentDepth = 64;

// The root of the only document in `text`; a Null node when there is nothing in it. Merge keys
// (`<<: *base`) are resolved.
std::expected<NodeRef, SyntaxError> parse_document(std::string_view text);

}  // namespace weir::conf
