#include "cachekeys/query.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/text.h"
#include "cachekeys/normalize.h"
#include "cachekeys/patterns.h"
#include "cachekeys/percent.h"

namespace weir::keys {
namespace {

// A parameter's name, one character at a time in the form that compare_families speaks of.
class FamilyCursor {
 public:
  explicit FamilyCursor(std::string_view parameter) : rest_(parameter_name(parameter)) {
    std::size_t size = 0;
    while (!rest_.empty() && decoded(size) == ' ') rest_.remove_prefix(size);
  }
  // The next character, or -1 at the end.
  int next() {
    if (rest_.empty()) return -1;
    std::size_t size = 0;
    const char c = decoded(size);
    if (c == '[') return -1;
    rest_.remove_prefix(size);
    return c == '.' || c == ' ' ? '_' : static_cast<unsigned char>(ascii_lower(c));
  }

 private:
  // The character that the name begins with, and how many bytes spell it.
  char decoded(std::size_t& size) const {
    size = 1;
    const int high = rest_.front() == '%' && rest_.size() >= 3 ? hex_value(rest_[1]) : -1;
    const int low = high >= 0 ? hex_value(rest_[2]) : -1;
    if (low < 0) return rest_.front() == '+' ? ' ' : rest_.front();
    size = 3;
    return static_cast<char>(high * 16 + low);
  }

  std::string_view rest_;
};

bool is_signature_name(std::string_view name) {
  return equals_ignore_case(name, "signature") || equals_ignore_case(name, "sig") ||
         equals_ignore_case(name, "hmac") || starts_with_ignore_case(name, "x-amz-") ||
         starts_with_ignore_case(name, "x-goog-");
}

bool keeps(const conf::QueryRule& rule, std::string_view parameter) {
  return parameter_role(parameter, rule) == ParameterRole::Kept;
}

}  // namespace

ParameterRole parameter_role(std::string_view parameter, const conf::QueryRule& rule) {
  if (rule.mode == conf::QueryRule::Mode::None) return ParameterRole::NotNamed;
  thread_local std::string scratch;
  const std::string_view name = decoded_name(parameter_name(parameter), scratch);
  if (rule.mode == conf::QueryRule::Mode::Only) {
    return matches_any(rule.only, name) ? ParameterRole::Kept : ParameterRole::NotNamed;
  }
  if (!rule.keep_tracking && is_tracking_parameter(name)) return ParameterRole::Tracking;
  return matches_any(rule.ignore, name) ? ParameterRole::Ignored : ParameterRole::Kept;
}

bool is_empty_query(const http::RequestHead& head) {
  return head.has_query && head.query.find_first_not_of('&') == head.query.npos;
}

bool is_signed_query(std::string_view query) {
  thread_local std::string scratch;
  bool found = false;
  for_each_parameter(query, [&](std::string_view parameter) {
    found = found || is_signature_name(decoded_name(parameter_name(parameter), scratch));
  });
  return found;
}

int compare_families(std::string_view a, std::string_view b) {
  FamilyCursor left(a);
  FamilyCursor right(b);
  for (;;) {
    const int x = left.next();
    const int y = right.next();
    if (x != y) return x < y ? -1 : 1;
    if (x < 0) return 0;
  }
}

void append_key_query(std::string_view query, const conf::QueryRule& rule, std::string& out) {
  if (query.empty()) return;
  if (is_signed_query(query)) {
    out.append(query);
    return;
  }
  thread_local std::vector<std::string_view> kept;
  kept.clear();
  for_each_parameter(query, [&](std::string_view parameter) {
    if (keeps(rule, parameter)) kept.push_back(parameter);
  });
  // All views are into `query`, so that their addresses are their order; std::stable_sort would
  // allocate.
  std::ranges::sort(kept, [](std::string_view a, std::string_view b) {
    const int order = compare_families(a, b);
    return order != 0 ? order < 0 : std::less<>{}(a.data(), b.data());
  });
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i > 0) out.push_back('&');
    append_normal_escapes(kept[i], out);
  }
}

void append_sent_query(std::string_view query, const conf::QueryRule& rule, std::string& out,
                       std::string& removed) {
  if (query.empty()) return;
  if (is_signed_query(query)) {
    out.append(query);
    return;
  }
  const std::size_t out_start = out.size();
  const std::size_t removed_start = removed.size();
  for_each_parameter(query, [&](std::string_view parameter) {
    const bool keep = keeps(rule, parameter);
    std::string& target = keep ? out : removed;
    if (target.size() > (keep ? out_start : removed_start)) target.push_back('&');
    target.append(parameter);
  });
}

}  // namespace weir::keys
