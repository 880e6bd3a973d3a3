#include "conf/cursor.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "base/text.h"
#include "conf/environment.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return equals_ignore_case(text, word); });
}
bool reads_true(std::string_view text) {
  return is_one_of(text, {"true", "on", "yes"});
}
bool reads_false(std::string_view text) {
  return is_one_of(text, {"false", "off", "no"});
}

std::string describe(const DocumentNode& node) {
  switch (node.kind) {
    case DocumentNode::Kind::Null:
      return "nothing";
    case DocumentNode::Kind::Scalar:
      return quote(node.text);
    case DocumentNode::Kind::List:
      return "a list";
    case DocumentNode::Kind::Map:
      return "a map";
  }
  return "nothing";
}

// What is longer was not meant to be any of our names.
constexpr std::size_t kMaxWord = 64;

std::optional<std::string_view> near_name(std::string_view word,
                                          std::span<const std::string_view> names) {
  return word.size() > kMaxWord ? std::nullopt : nearest_name(word, names);
}

std::string child_path(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace

Cursor Cursor::outside(Reading& reading, std::string_view name, const std::string& text) {
  auto node = std::make_shared<DocumentNode>();
  node->kind = DocumentNode::Kind::Scalar;
  node->text = text;
  node->literal = true;
  return {reading, std::move(node), Place{}, std::string(name)};
}

void Cursor::error(std::string message) const {
  reading_->add_problem(place_, path_, std::move(message));
}

void Cursor::warn(std::string message) const {
  reading_->add_warning(place_, path_, std::move(message));
}

void Cursor::error_expected(std::string_view what) const {
  error(fmt::format("expected {}, found {}", what, describe(*node_)));
}

std::optional<std::string> Cursor::text(std::string_view expected) const {
  if (!is_scalar()) {
    error_expected(expected);
    return std::nullopt;
  }
  if (node_->literal) return node_->text;
  Result<std::string> value = expand(node_->text, reading_->environment());
  if (value) return std::move(*value);
  error(std::move(value.error().message));
  return std::nullopt;
}

std::optional<bool> Cursor::boolean(std::string_view expected) const {
  const std::optional<std::string> value = text(expected);
  if (!value) return std::nullopt;
  if (reads_true(*value)) return true;
  if (reads_false(*value)) return false;
  error(fmt::format("expected {}, found {}", expected, quote(*value)));
  return std::nullopt;
}

bool Cursor::is_off() const {
  if (!is_scalar()) return false;
  if (node_->literal) return reads_false(node_->text);
  const Result<std::string> value = expand(node_->text, reading_->environment());
  return value && reads_false(*value);
}

std::optional<std::uint64_t> Cursor::size(Range range) const {
  const std::optional<std::string> value = text("a size such as 64MiB");
  if (!value) return std::nullopt;
  const Result<std::uint64_t> bytes = parse_size(*value);
  if (!bytes) {
    error(bytes.error().message);
    return std::nullopt;
  }
  if (*bytes >= range.min && *bytes <= range.max) return *bytes;
  error(fmt::format("{} is out of range ({} to {})", quote(*value), format_size(range.min),
                    format_size(range.max)));
  return std::nullopt;
}

std::optional<std::int64_t> Cursor::seconds() const {
  const std::optional<std::int64_t> ms = milliseconds();
  if (!ms) return std::nullopt;
  if (*ms % 1'000 == 0) return *ms / 1'000;
  error(fmt::format("{} is not a whole number of seconds", format_duration(*ms)));
  return std::nullopt;
}

std::optional<std::int64_t> Cursor::milliseconds(Range range) const {
  const std::optional<std::string> value = text("a duration such as 30s");
  if (!value) return std::nullopt;
  const Result<std::int64_t> ms = parse_duration_ms(*value);
  if (!ms) {
    error(ms.error().message);
    return std::nullopt;
  }
  const auto unsigned_ms = static_cast<std::uint64_t>(*ms);
  if (unsigned_ms >= range.min && unsigned_ms <= range.max) return *ms;
  error(fmt::format("{} is out of range ({} to {})", quote(*value),
                    format_duration(static_cast<std::int64_t>(range.min)),
                    format_duration(static_cast<std::int64_t>(range.max))));
  return std::nullopt;
}

std::optional<std::uint64_t> Cursor::integer(Range range) const {
  const std::string expected = fmt::format("a number from {} to {}", range.min, range.max);
  const std::optional<std::string> value = text(expected);
  if (!value) return std::nullopt;
  const std::optional<std::uint64_t> number = parse_decimal(*value);
  if (number && *number >= range.min && *number <= range.max) return number;
  error(fmt::format("expected {}, found {}", expected, quote(*value)));
  return std::nullopt;
}

std::optional<std::size_t> Cursor::choice(std::span<const std::string_view> names,
                                          std::string_view other) const {
  const std::optional<std::string> value = text(join_names(names, " or "));
  if (!value) return std::nullopt;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == *value || (names[i] == "off" && reads_false(*value))) return i;
  }
  std::vector<std::string_view> forms(names.begin(), names.end());
  if (!other.empty()) forms.push_back(other);
  error(fmt::format("unknown value {}{}", quote(*value), suggestion(*value, forms)));
  return std::nullopt;
}

std::vector<Cursor> Cursor::items(std::string_view expected) const {
  std::vector<Cursor> out;
  if (!is_list()) {
    error_expected(expected);
    return out;
  }
  for (std::size_t i = 0; i < node_->items.size(); ++i) {
    const NodeRef& item = node_->items[i];
    out.emplace_back(*reading_, item, item->place, fmt::format("{}[{}]", path_, i));
  }
  return out;
}

std::vector<Cursor> Cursor::one_or_more() const {
  if (is_list()) return items("a list");
  return {*this};
}

Section::Section(const Cursor& cursor, std::string_view expected) : cursor_(cursor) {
  if (!cursor.is_map()) {
    cursor.error_expected(expected);
    return;
  }
  std::vector<const DocumentNode::Entry*> sorted;
  for (const DocumentNode::Entry& entry : cursor.node().entries) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->key < b->key; });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->key != sorted[i - 1]->key) continue;
    cursor.reading().add_problem(sorted[i]->key_place, cursor.path(),
                                 fmt::format("the key {} is given twice (first on line {})",
                                             quote(sorted[i]->key), sorted[i - 1]->key_place.line));
  }
}

Cursor Section::make(const DocumentNode::Entry& entry) const {
  // An absent value has no place of its own that a person would look at.
  const bool null = entry.value->kind == DocumentNode::Kind::Null;
  return {cursor_.reading(), entry.value, null ? entry.key_place : entry.value->place,
          child_path(cursor_.path(), entry.key)};
}

std::optional<Cursor> Section::take(std::string_view key) {
  known_.emplace_back(key);
  for (const DocumentNode::Entry& entry : cursor_.node().entries) {
    if (entry.key == key) return make(entry);
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, Cursor>> Section::all() {
  std::vector<std::pair<std::string, Cursor>> out;
  std::set<std::string_view> seen;
  for (const DocumentNode::Entry& entry : cursor_.node().entries) {
    if (seen.insert(entry.key).second) out.emplace_back(entry.key, make(entry));
  }
  return out;
}

Cursor Section::at_key(std::string_view key) const {
  for (const DocumentNode::Entry& entry : cursor_.node().entries) {
    if (entry.key != key) continue;
    return {cursor_.reading(), entry.value, entry.key_place, child_path(cursor_.path(), key)};
  }
  return cursor_;
}

void Section::mistaken_for(std::string_view name, std::initializer_list<std::string_view> slips) {
  for (const std::string_view slip : slips) slips_.emplace_back(slip, name);
}

void Section::elsewhere(std::string_view where, std::span<const std::string_view> names) {
  for (const std::string_view name : names) elsewhere_.emplace_back(name, where);
}

std::string Section::hint_for(std::string_view key) const {
  const auto there =
      std::ranges::find(elsewhere_, key, [](const auto& pair) { return pair.first; });
  if (there != elsewhere_.end()) return fmt::format(" (it stands {})", there->second);
  const std::optional<std::string_view> near = meant_by(key);
  return near ? fmt::format(" (did you mean \"{}\"?)", *near) : "";
}

std::optional<std::string_view> Section::meant_by(std::string_view key) const {
  const auto slip = std::find_if(slips_.begin(), slips_.end(),
                                 [&](const auto& pair) { return pair.first == key; });
  if (slip != slips_.end()) return slip->second;
  const std::vector<std::string_view> names(known_.begin(), known_.end());
  return near_name(key, names);
}

void Section::finish() {
  for (const DocumentNode::Entry& entry : cursor_.node().entries) {
    if (std::find(known_.begin(), known_.end(), entry.key) != known_.end()) continue;
    cursor_.reading().add_problem(
        entry.key_place, cursor_.path(),
        fmt::format("unknown key {}{}", quote(entry.key), hint_for(entry.key)));
  }
}

void Section::boolean(std::string_view key, bool& target) {
  const std::optional<Cursor> cursor = take(key);
  if (!cursor) return;
  if (const auto value = cursor->boolean()) target = *value;
}

void Section::size(std::string_view key, std::uint64_t& target, Range range) {
  const std::optional<Cursor> cursor = take(key);
  if (!cursor) return;
  if (const auto value = cursor->size(range)) target = *value;
}

void Section::seconds(std::string_view key, std::int64_t& target) {
  const std::optional<Cursor> cursor = take(key);
  if (!cursor) return;
  if (const auto value = cursor->seconds()) target = *value;
}

void Section::milliseconds(std::string_view key, std::int64_t& target, Range range) {
  const std::optional<Cursor> cursor = take(key);
  if (!cursor) return;
  if (const auto value = cursor->milliseconds(range)) target = *value;
}

void Section::integer(std::string_view key, std::uint32_t& target, Range range) {
  const std::optional<Cursor> cursor = take(key);
  if (!cursor) return;
  if (const auto value = cursor->integer(range)) target = static_cast<std::uint32_t>(*value);
}

std::string join_names(std::span<const std::string_view> names, std::string_view last_joint) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last_joint : std::string_view(", ");
    out += names[i];
  }
  return out;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> names) {
  if (const auto near = near_name(word, names)) {
    return fmt::format(" (did you mean \"{}\"?)", *near);
  }
  return fmt::format(" ({})", join_names(names, " or "));
}

}  // namespace weir::conf
