// A query taken apart. Parameters are split at '&' only and empty ones are nothing: what an app
// that also splits at ';' would read is part of a value here, and so is kept or removed with it.
#pragma once

#include <string_view>

#include "base/http/message.h"

namespace weir::keys {

inline std::string_view parameter_name(std::string_view parameter) {
  return parameter.substr(0, parameter.find('='));
}

template <class Visit>
void for_each_parameter(std::string_view query, Visit&& visit) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view parameter = query.substr(0, end);
    if (!parameter.empty()) visit(parameter);
    if (end == query.npos) return;
    query.remove_prefix(end + 1);
  }
}

// Whether the URL ends in a bare '?', or holds separators alone behind it. Such a query is neither
// absent nor has it anything that a rule could remove: it makes a URL of its own.
bool is_empty_query(const http::RequestHead& head);

// Whether the URL carries a signature, which covers its exact bytes: such a request is keyed and
// sent byte for byte, whatever the rule.
bool is_signed_query(std::string_view query);

// Whether the URL has a parameter that an app takes once only: the code that a log-in comes back
// with, the token of a mailed link. Fetched twice, it fails the second time.
bool is_used_once(std::string_view query);

// Compares two parameters' names as the most forgiving framework would tell them apart: decoded,
// without case, '.' and ' ' as '_', only what stands before a '['. Where that says "the same
// name", the order of the two may matter to the app and so is kept in the key.
int compare_families(std::string_view a, std::string_view b);

}  // namespace weir::keys
