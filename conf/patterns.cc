#include "conf/patterns.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "base/text.h"

namespace weir::conf {
namespace {

// A path pattern in symbols: bytes, and two that are no bytes.
constexpr int kStar = 256;        // a run without "/"
constexpr int kDoubleStar = 257;  // any run
using Symbols = std::vector<int>;

Symbols to_symbols(std::string_view pattern) {
  Symbols out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '*') {
      out.push_back(static_cast<unsigned char>(pattern[i]));
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '*') {
      out.push_back(kDoubleStar);
      ++i;
    } else {
      out.push_back(kStar);
    }
  }
  return out;
}

// Whether `wide`, as a pattern, matches `narrow`, read as a text in which a star of either kind is
// one more symbol: one that only a star at least as strong may take. Then every text of `narrow`
// is one of `wide`. Row by row, so that no pattern costs more than its length times the other's.
bool symbols_cover(const Symbols& wide, const Symbols& narrow) {
  std::vector<char> row(narrow.size() + 1, 0);  // row[j]: wide[0, i) takes narrow[0, j)
  row[0] = 1;
  for (const int symbol : wide) {
    std::vector<char> next(narrow.size() + 1, 0);
    const bool any_star = symbol >= kStar;
    if (any_star) next[0] = row[0];
    for (std::size_t j = 1; j <= narrow.size(); ++j) {
      const int taken = narrow[j - 1];
      if (symbol == kDoubleStar) {
        next[j] = row[j] || next[j - 1];
      } else if (symbol == kStar) {
        next[j] = row[j] || (taken != '/' && taken != kDoubleStar && next[j - 1]);
      } else {
        next[j] = taken == symbol && row[j - 1];
      }
    }
    row = std::move(next);
  }
  return row.back() != 0;
}

// `/a/**` matches `/a` too.
std::optional<std::string_view> without_tail(std::string_view pattern) {
  if (!pattern.ends_with("/**") || pattern.size() == 3) return std::nullopt;
  return pattern.substr(0, pattern.size() - 3);
}

bool covers_one(std::string_view wide, std::string_view narrow) {
  if (symbols_cover(to_symbols(wide), to_symbols(narrow))) return true;
  const auto shorter = without_tail(wide);
  return shorter && symbols_cover(to_symbols(*shorter), to_symbols(narrow));
}

// What stands before the first star or escape, which may have another spelling; of `/a/**` it is
// `/a`, which it matches too.
std::string_view literal_prefix(std::string_view pattern) {
  std::string_view prefix = pattern.substr(0, pattern.find_first_of("*%"));
  if (prefix.size() < pattern.size() && prefix.ends_with('/')) prefix.remove_suffix(1);
  return prefix;
}

bool methods_cover(const Matcher& wide, const Matcher& narrow) {
  if (wide.methods.empty()) return true;
  if (narrow.methods.empty()) return false;
  return std::all_of(narrow.methods.begin(), narrow.methods.end(), [&](const std::string& method) {
    return std::find(wide.methods.begin(), wide.methods.end(), method) != wide.methods.end();
  });
}

// `RE` as a matcher that YAML reads back as it is meant.
std::string as_regex(std::string_view regex) {
  std::string out = "{regex: '";
  for (const char c : regex) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'}";
}

// The pattern, as it is written here, that someone means who wrote `text` as other servers want it:
// nginx's `~ RE`, `~* RE`, `^~ /prefix` and `= /path`, a bare regular expression, a glob on names.
std::string meant_by(std::string_view text) {
  if (text.starts_with("^~")) {
    const std::string_view prefix = trim_ows(text.substr(2));
    return fmt::format("{}{}", prefix, prefix.ends_with('/') ? "**" : "/**");
  }
  const std::string_view behind = text.empty() ? text : trim_ows(text.substr(1));
  if (text.starts_with("~*")) return as_regex("(?i)" + std::string(trim_ows(text.substr(2))));
  if (text.starts_with('~')) return behind.empty() ? "" : as_regex(behind);
  if (text.starts_with('=')) return std::string(behind);
  const bool regex = text.find_first_of("\\^$|(+") != std::string_view::npos ||
                     text.find(".*") != std::string_view::npos;
  if (regex) return as_regex(text);
  if (text.starts_with('*')) return fmt::format("/**{}", text.substr(1));
  if (text.starts_with('.')) return fmt::format("/**{}", text);
  return "";
}

// What to write in the place of a pattern that does not begin with a slash.
std::string hint_for_path(std::string_view text) {
  const std::string meant = meant_by(text);
  if (meant.starts_with('{') || (!meant.empty() && !check_path_pattern(meant))) {
    return fmt::format("try {}", meant);
  }
  const std::string rooted = fmt::format("/{}", text);
  const bool near = !text.empty() && text.find("://") == std::string_view::npos &&
                    text.find_first_of("~=^*") != 0 && !check_path_pattern(rooted);
  return fmt::format("it begins with \"/\": try {}", near ? rooted : "/blog/**");
}

}  // namespace

std::optional<std::string> check_path_pattern(std::string_view pattern) {
  const std::string quoted = quote(pattern);
  if (pattern.find("***") != std::string_view::npos) {
    return fmt::format("{} is not a path pattern (`*` stays within a segment, `**` crosses them)",
                       quoted);
  }
  if (!pattern.starts_with('/') && !pattern.starts_with("**")) {
    return fmt::format("{} is not a path pattern ({})", quoted, hint_for_path(pattern));
  }
  for (const char c : pattern) {
    if (c == '?' || c == '#') {
      return fmt::format("{} is not a path pattern (a path holds no query and no fragment)",
                         quoted);
    }
    if (std::string_view("{}[]\\^|").find(c) != std::string_view::npos) {
      return fmt::format(
          "{} is not a path pattern (only * and ** are special: write a list of "
          "patterns, or a regex)",
          quoted);
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == 0x7F) {
      return fmt::format("{} is not a path pattern (it holds control characters)", quoted);
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_host_pattern(std::string_view pattern) {
  const bool bracketed = pattern.starts_with('[') && pattern.ends_with(']');
  const bool plain = std::all_of(pattern.begin(), pattern.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == '*' || (bracketed && (c == ':' || c == '[' || c == ']'));
  });
  if (plain && !pattern.empty()) return std::nullopt;
  if (!bracketed && pattern.find(':') != std::string_view::npos) {
    return fmt::format("{} is not a host pattern (a host without scheme and port)", quote(pattern));
  }
  return fmt::format("{} is not a host pattern (try example.org or \"*.example.org\")",
                     quote(pattern));
}

std::optional<std::string> check_regex(const std::string& regex) {
  RE2::Options options(RE2::Quiet);
  const RE2 compiled(regex, options);
  if (compiled.ok()) return std::nullopt;
  return fmt::format("{} is not a regular expression: {}", quote(regex), compiled.error());
}

bool path_covers(std::string_view wide, std::string_view narrow) {
  if (wide == narrow || wide == "**") return true;
  if (paths_disjoint(wide, narrow)) return false;  // the cheap answer to most questions
  if (!covers_one(wide, narrow)) return false;
  if (const auto shorter = without_tail(narrow); shorter && !covers_one(wide, *shorter)) {
    return false;
  }
  // A `/**/` may stand for one slash. With more than one of them there is no certainty.
  const std::size_t middle = narrow.find("/**/");
  if (middle == std::string_view::npos) return true;
  std::string joined(narrow);
  joined.erase(middle, 3);
  return joined.find("/**/") == std::string::npos && path_covers(wide, joined);
}

bool paths_disjoint(std::string_view a, std::string_view b) {
  const std::string_view x = literal_prefix(a);
  const std::string_view y = literal_prefix(b);
  const std::size_t common = std::min(x.size(), y.size());
  if (x.substr(0, common) != y.substr(0, common)) return true;
  // A pattern without either is one path.
  return x.size() == a.size() && y.size() == b.size() && a != b;
}

bool matcher_covers(const Matcher& wide, const Matcher& narrow) {
  const bool any_path = wide.path.empty() || wide.path == "**";
  if (!any_path && (narrow.path.empty() || !path_covers(wide.path, narrow.path))) return false;
  if (!wide.regex.empty() && wide.regex != narrow.regex) return false;
  // A star of the narrow host can only be taken by a star of the wide one.
  if (!wide.host.empty() && (narrow.host.empty() || !wildcard_match(wide.host, narrow.host))) {
    return false;
  }
  return methods_cover(wide, narrow);
}

}  // namespace weir::conf
