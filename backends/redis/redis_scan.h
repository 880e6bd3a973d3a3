// What SCAN answers. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/redis/reply.h"

namespace weir::backends::redis {

// So many places are looked at by one SCAN, about.
inline constexpr std::string_view kScanCount = "200";

struct Scanned {
  std::string next;  // where to go on; "0": that was all
  std::vector<std::string_view> names = {};
};
// Views into the reply. Empty: it is none of SCAN's.
inline std::optional<Scanned> read_scan(const Reply& reply) {
  if (reply.elements.size() != 2 || reply.elements[0].type != Reply::Type::Bulk ||
      reply.elements[1].type != Reply::Type::Array) {
    return std::nullopt;
  }
  Scanned out{.next = std::string(reply.elements[0].bytes())};
  for (const Reply& name : reply.elements[1].elements) out.names.push_back(name.bytes());
  return out;
}

}  // namespace weir::backends::redis
