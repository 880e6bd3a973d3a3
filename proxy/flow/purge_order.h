// A purge as somebody asks for it, and the mark that it amounts to. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "proxy/flow/purge_book.h"
#include "proxy/flow/site.h"

namespace weir::flow {

struct PurgeOrder {
  enum class Kind : std::uint8_t { Url, Prefix, Match, Tags, All };
  Kind kind = Kind::All;
  // Of Url: "https://example.com/blog?page=2", where the scheme does not matter. Of Prefix and
  // Match: a path, or an authority with a path (purge_patterns.h).
  std::string text = {};
  std::vector<std::string> tags = {};  // of Tags: each of them
  bool soft = false;                   // stale instead of gone
};

// False: no route caches that URL, so nothing is marked. Invalid, with a sentence about the text,
// for one that cannot be meant.
Result<bool> purge(const Site& site, const PurgeOrder& order, PurgeBook& book);

// The URL under `authority` that a request for `path` and `query` names, as routes and keys have
// it. False: no route caches it.
bool purge_url(const Site& site, std::string_view scheme, std::string_view authority,
               std::string_view path, std::string_view query, bool has_query, bool soft,
               PurgeBook& book);

}  // namespace weir::flow
