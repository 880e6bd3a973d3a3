// The normal forms of the parts of a key. Each function appends to `out`, which the callers reuse.
// Pure, any thread, no allocation once `out` has grown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "cachekeys/recipe.h"

namespace weir::keys {

// The query's parameters that the rule keeps, for the key: sorted by name, equal names in their
// order, `a` distinct from `a=`, only escapes of unreserved characters decoded.
void append_key_query(std::string_view query, const conf::QueryRule& rule, std::string& out);
// The same parameters for the app: byte for byte, in their order. `removed` gets the others.
void append_sent_query(std::string_view query, const conf::QueryRule& rule, std::string& out,
                       std::string& removed);
// What the rule makes of one parameter, `a=1`, of a query that is not signed.
enum class ParameterRole : std::uint8_t {
  Kept,
  NotNamed,  // the rule lists those that are kept, or keeps none
  Tracking,  // the built-in list
  Ignored,   // the rule's `ignore`
};
ParameterRole parameter_role(std::string_view parameter, const conf::QueryRule& rule);
bool is_tracking_parameter(std::string_view name);
bool is_harmless_cookie(std::string_view name);

// Accept-Language as the rule says it is keyed and sent; empty when nothing is sent.
void append_language(const http::RequestHead& head, const conf::LanguageRule& rule,
                     std::string& out);
// "br, gzip" and the like: those of zstd, br, gzip that the client accepts, in that order.
void append_accept_encoding(const http::RequestHead& head, std::string& out);
// Whether an answer in these content codings may be given to the client.
bool accepts_encoding(const http::RequestHead& head, std::string_view content_encoding);

// One cookie of a Cookie field.
struct Cookie {
  std::string_view name;
  std::string_view value;
};
// Calls `visit(Cookie)` for each pair of every Cookie field, in order.
template <class Visit>
void for_each_cookie(const http::RequestHead& head, Visit&& visit);

enum class CookieRole : std::uint8_t { Keyed, Session, Harmless, Ignored, Matters };
CookieRole cookie_role(std::string_view name, const conf::CookieRule& rule);

}  // namespace weir::keys

#include "cachekeys/cookie_pairs.inl"
