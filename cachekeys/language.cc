#include <array>
#include <span>

#include "base/text.h"
#include "cachekeys/field_lines.h"
#include "cachekeys/normalize.h"
#include "cachekeys/weights.h"

namespace weir::keys {
namespace {

// No browser sends half as many; a bound keeps the choice cheap whatever a client sends.
constexpr std::size_t kMaxRanges = 64;

struct Range {
  std::string_view tag;
  int weight = 0;
};

struct Ranges {
  std::array<Range, kMaxRanges> all;
  std::size_t count = 0;
  std::span<const Range> view() const { return {all.data(), count}; }
};

// RFC 4647 2.1: 1*8ALPHA *("-" 1*8alphanum), or "*".
bool is_language_range(std::string_view tag) {
  if (tag == "*") return true;
  std::size_t run = 0;
  bool primary = true;
  for (const char c : tag) {
    const char lower = ascii_lower(c);
    if (c == '-') {
      if (run == 0) return false;
      run = 0;
      primary = false;
    } else if ((lower >= 'a' && lower <= 'z') || (!primary && c >= '0' && c <= '9')) {
      if (++run > 8) return false;
    } else {
      return false;
    }
  }
  return run > 0;
}

Ranges parse_ranges(const http::RequestHead& head) {
  Ranges ranges;
  for_each_line(head, http::FieldId::AcceptLanguage, [&](std::string_view line) {
    for_each_list_element(line, [&](std::string_view element) {
      const Weighted weighted = parse_weighted(element);
      if (ranges.count == kMaxRanges || weighted.weight < 0) return;
      if (is_language_range(weighted.value)) {
        ranges.all[ranges.count++] = {weighted.value, weighted.weight};
      }
    });
  });
  return ranges;
}

std::string_view primary_of(std::string_view tag) {
  return tag.substr(0, tag.find('-'));
}

void append_lower(std::string_view text, std::string& out) {
  for (const char c : text) out.push_back(ascii_lower(c));
}

// The range of greatest weight whose primary language is not `other`; the first of equals.
const Range* best_range(std::span<const Range> ranges, std::string_view other) {
  const Range* best = nullptr;
  for (const Range& range : ranges) {
    if (range.weight == 0 || range.tag == "*") continue;
    if (equals_ignore_case(primary_of(range.tag), other)) continue;
    if (best == nullptr || range.weight > best->weight) best = &range;
  }
  return best;
}

void append_client_languages(std::span<const Range> ranges, std::string& out) {
  const Range* first = best_range(ranges, {});
  if (first == nullptr) return;
  append_lower(first->tag, out);
  const Range* second = best_range(ranges, primary_of(first->tag));
  if (second == nullptr) return;
  out.append(", ");
  append_lower(second->tag, out);
}

// Whether the longest range that covers `tag` excludes it with q=0.
bool is_excluded(std::span<const Range> ranges, std::string_view tag) {
  const Range* nearest = nullptr;
  for (const Range& range : ranges) {
    const bool covers = starts_with_ignore_case(tag, range.tag) &&
                        (tag.size() == range.tag.size() || tag[range.tag.size()] == '-');
    if (covers && (nearest == nullptr || range.tag.size() > nearest->tag.size())) nearest = &range;
  }
  return nearest != nullptr && nearest->weight == 0;
}

// RFC 4647 3.4: the range, cut from its end until one of the list is equal to it.
const std::string* look_up(std::string_view range, const std::vector<std::string>& list) {
  while (!range.empty()) {
    for (const std::string& tag : list) {
      if (equals_ignore_case(tag, range)) return &tag;
    }
    const std::size_t cut = range.rfind('-');
    if (cut == range.npos) return nullptr;
    range = range.substr(0, cut);
    // A single letter or digit only introduces what was cut off.
    if (range.size() >= 2 && range[range.size() - 2] == '-') range.remove_suffix(2);
  }
  return nullptr;
}

const std::string* first_allowed(std::span<const Range> ranges,
                                 const std::vector<std::string>& list) {
  for (const std::string& tag : list) {
    if (!is_excluded(ranges, tag)) return &tag;
  }
  return nullptr;
}

std::string_view negotiate(std::span<const Range> ranges, const std::vector<std::string>& list) {
  const std::string* best = nullptr;
  int best_weight = 0;
  for (const Range& range : ranges) {
    if (range.weight <= best_weight) continue;
    const std::string* tag =
        range.tag == "*" ? first_allowed(ranges, list) : look_up(range.tag, list);
    if (tag == nullptr || is_excluded(ranges, *tag)) continue;
    best = tag;
    best_weight = range.weight;
  }
  if (best == nullptr) best = first_allowed(ranges, list);
  return best != nullptr ? *best : list.front();
}

}  // namespace

void append_language(const http::RequestHead& head, const conf::LanguageRule& rule,
                     std::string& out) {
  if (rule.mode == conf::LanguageRule::Mode::None) return;
  const bool listed = rule.mode == conf::LanguageRule::Mode::List && !rule.list.empty();
  if (!head.has(http::FieldId::AcceptLanguage)) {
    if (listed) out.append(rule.list.front());
    return;
  }
  const Ranges ranges = parse_ranges(head);
  if (listed) {
    append_lower(negotiate(ranges.view(), rule.list), out);
  } else {
    append_client_languages(ranges.view(), out);
  }
}

}  // namespace weir::keys
