// Problems: collecting them in the order of the file, and showing them to a person.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "conf/cursor.h"
#include "conf/load.h"

namespace weir::conf {
namespace {

// Lines longer than this are cut around the column.
constexpr std::size_t kExcerptWidth = 96;

// What names of settings have in them whose values are secret.
constexpr std::array<std::string_view, 5> kSecretWords = {"tok", "passw", "pwd", "secret",
                                                          "apikey"};

// More errors than a person reads at once.
constexpr std::size_t kMaxProblems = 100;

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

// One terminal column a character: tabs and control bytes become spaces.
std::string printable(std::string_view line) {
  std::string out(line);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
  }
  return out;
}

// ---- what no terminal and no log is to show ----

// Signs stay in their columns.
void mask(std::string& line, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, line.size()); ++i) {
    if (line[i] > ' ' && line[i] != '"' && line[i] != '\'') line[i] = '*';
  }
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

// Where the value ends that begins at `from`: with its quote, or, in a map between braces, at what
// separates it from another; a list, and what is no map's, with the line.
std::size_t value_end(std::string_view line, std::size_t from) {
  const char first = line[from];
  if (first == '"' || first == '\'') return std::min(line.find(first, from + 1), line.size());
  const bool in_braces = line.substr(0, from).contains('{');
  if (!in_braces || first == '[' || first == '{') return line.size();
  const std::size_t variable =
      line.substr(from).starts_with("${") ? line.find('}', from) + 1 : from;
  return std::min(line.find_first_of(",}]", variable), line.size());
}

// `password: …`, and any name that speaks of a secret, right or misspelled a little. A value that
// is a variable's name alone tells nothing.
void mask_named_secrets(std::string& line) {
  for (std::size_t colon = line.find(':'); colon != std::string::npos;
       colon = line.find(':', colon + 1)) {
    std::size_t end = colon;
    while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '"' || line[end - 1] == '\''))
      --end;
    std::size_t begin = end;
    while (begin > 0 && is_name_char(line[begin - 1])) --begin;
    const std::string name = to_lower(std::string_view(line).substr(begin, end - begin));
    const auto speaks_of = [&name](std::string_view word) { return name.contains(word); };
    if (!std::ranges::any_of(kSecretWords, speaks_of)) continue;
    const std::size_t value = line.find_first_not_of(' ', colon + 1);
    if (value == std::string::npos) return;
    const bool is_variable =
        line.compare(value, 2, "${") == 0 && line.find(":-", value) == std::string::npos;
    if (!is_variable) mask(line, value, value_end(line, value));
  }
}

// The password of https://user:password@host.
void mask_userinfo(std::string& line) {
  for (std::size_t at = line.find("://"); at != std::string::npos; at = line.find("://", at + 3)) {
    const std::size_t host_end = std::min(line.find_first_of("/ ,}\"'", at + 3), line.size());
    const std::size_t sign = std::string_view(line).substr(0, host_end).rfind('@');
    const std::size_t colon = line.find(':', at + 3);
    if (sign == std::string::npos || sign < at || colon > sign) continue;
    mask(line, colon + 1, sign);
  }
}

std::string excerpt_of(std::string_view line) {
  std::string out = printable(line);
  mask_named_secrets(out);
  mask_userinfo(out);
  return out;
}

struct Window {
  std::string text;
  std::size_t caret = 0;  // characters before it
};

// The part of `line` around `column` (one-based, in bytes), cut between characters.
Window cut(std::string_view line, std::size_t column) {
  std::vector<std::size_t> starts;  // of characters
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!continues_character(line[i])) starts.push_back(i);
  }
  const auto at = std::lower_bound(starts.begin(), starts.end(), column - 1);
  const auto caret = static_cast<std::size_t>(at - starts.begin());
  if (starts.size() <= kExcerptWidth) return {std::string(line), caret};
  std::size_t first = caret > kExcerptWidth / 2 ? caret - kExcerptWidth / 2 : 0;
  first = std::min(first, starts.size() - kExcerptWidth);
  const std::size_t last = first + kExcerptWidth;
  const std::size_t end = last < starts.size() ? starts[last] : line.size();
  Window window{std::string(line.substr(starts[first], end - starts[first])), caret - first};
  if (first > 0) {
    window.text = "..." + window.text;
    window.caret += 3;
  }
  if (last < starts.size()) window.text += "...";
  return window;
}

// Those without a place come last.
std::pair<bool, Place> order(const Problem& problem) {
  return {problem.source.line == 0, {problem.source.line, problem.source.column}};
}

void sort_unique(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return order(a) < order(b); });
  const auto same = [](const Problem& a, const Problem& b) {
    if (order(a) != order(b) || a.message != b.message) return false;
    return a.source.line > 0 || a.path == b.path;
  };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

}  // namespace

// Without what there is none of.
std::string headline(const Problem& problem) {
  std::string out;
  if (problem.source.line > 0) {
    out =
        fmt::format("{}:{}:{}: ", problem.source.file, problem.source.line, problem.source.column);
  } else if (!problem.source.file.empty()) {
    out = fmt::format("{}: ", problem.source.file);
  }
  if (!problem.path.empty()) out += printable(problem.path) + ": ";
  return out + problem.message;
}

std::string render(const Problem& problem) {
  std::string out = headline(problem) + "\n";
  if (problem.source.line == 0 || problem.excerpt.empty()) return out;
  const std::size_t column = std::clamp<std::size_t>(
      problem.source.column > 0 ? static_cast<std::size_t>(problem.source.column) : 1, 1,
      problem.excerpt.size() + 1);
  const Window window = cut(problem.excerpt, column);
  out += fmt::format("  {}\n  {}^\n", window.text, std::string(window.caret, ' '));
  return out;
}

Reading::Reading(std::string_view text, std::string file, const Environment& environment)
    : file_(std::move(file)), lines_(split_lines(text)), environment_(environment) {}

Source Reading::source(Place place) const {
  return {place.line > 0 ? file_ : std::string(), place.line, place.column};
}

void Reading::add_problem(Place place, std::string path, std::string message) {
  problems_.push_back({source(place), std::move(path), std::move(message), {}});
}

void Reading::add_warning(Place place, std::string path, std::string message) {
  warnings_.push_back({source(place), std::move(path), std::move(message), {}});
}

void Reading::add_file_problem(std::string path, std::string message) {
  problems_.push_back({Source{file_, 0, 0}, std::move(path), std::move(message), {}});
}

void Reading::add_file_warning(std::string path, std::string message) {
  warnings_.push_back({Source{file_, 0, 0}, std::move(path), std::move(message), {}});
}

std::vector<Problem> Reading::take_problems() {
  sort_unique(problems_);
  if (problems_.size() > kMaxProblems) {
    const std::size_t more = problems_.size() - kMaxProblems;
    problems_.resize(kMaxProblems);
    add_file_problem("", fmt::format("and {} more errors", more));
  }
  for (Problem& problem : problems_) problem.excerpt = excerpt_of(line(problem.source.line));
  return std::exchange(problems_, {});
}

std::string_view Reading::line(int number) const {
  const auto index = static_cast<std::size_t>(number);
  return number > 0 && index <= lines_.size() ? lines_[index - 1] : std::string_view();
}

std::vector<std::string> Reading::take_warnings() {
  sort_unique(warnings_);
  std::vector<std::string> lines;
  for (const Problem& warning : std::exchange(warnings_, {})) lines.push_back(headline(warning));
  return lines;
}

}  // namespace weir::conf
