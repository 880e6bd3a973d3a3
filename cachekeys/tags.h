// Tags of a response: by which names, besides its URL's, it can be purged. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"

namespace weir::keys {

// What an entry keeps of a tag: the same in every process, never 0. Two that share one are purged
// together, which costs a fetch and never more.
std::uint64_t tag_hash(std::string_view tag);
// Of a cache group (RFC 9875), which is its origin's own: "https" and "example.com" here.
std::uint64_t group_hash(std::string_view scheme, std::string_view authority,
                         std::string_view group);

// What a response says: Cache-Tag (between commas), Surrogate-Key (between spaces), xkey (either),
// and Cache-Groups, each of which is a tag for whoever purges, and a group of its origin besides.
// Sorted, each once.
std::vector<std::uint64_t> response_tags(const http::HeaderBlock& fields, std::string_view scheme,
                                         std::string_view authority,
                                         const std::vector<std::string>& of_route);

// Those that are Weir's alone to see, and no client's.
void remove_tag_fields(http::HeaderBlock& fields);

// The strings of a List (RFC 9651 3.1), of all lines of a field; what is no string is passed over.
void for_each_string(std::string_view list, const std::function<void(std::string_view)>& visit);

}  // namespace weir::keys
