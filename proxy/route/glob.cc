#include "proxy/route/glob.h"

#include <algorithm>
#include <array>

#include "proxy/route/path_reading.h"

namespace weir::route {
namespace {

constexpr std::size_t kBits = 64;
constexpr std::size_t kStackWords = 4;

void set_bit(std::vector<std::uint64_t>& words, std::size_t base, std::size_t bit) {
  words[base + bit / kBits] |= std::uint64_t{1} << (bit % kBits);
}

bool has_bit(const std::uint64_t* words, std::size_t bit) {
  return (words[bit / kBits] >> (bit % kBits) & 1U) != 0;
}

// `/**/**` says no more than `/**`.
std::string without_repeats(std::string_view pattern) {
  std::string out(pattern);
  for (std::size_t at; (at = out.find("/**/**")) != std::string::npos;) out.erase(at, 3);
  return out;
}

}  // namespace

Glob::Glob(std::string_view pattern) {
  parse(without_repeats(pattern));
  cut_head_and_tail();
  if (!elements_.empty() && !literal_tree_) compile();
}

void Glob::parse(std::string_view pattern) {
  tree_ = pattern.ends_with("/**");
  while (!pattern.empty()) {
    const std::size_t star = std::min(pattern.find('*'), pattern.size());
    const std::string_view literal = pattern.substr(0, star);
    add_literal(literal);
    pattern.remove_prefix(star);
    const std::size_t stars = std::min(pattern.find_first_not_of('*'), pattern.size());
    if (stars == 0) continue;
    const bool folders = literal.ends_with('/') && stars == 2 && pattern.substr(2).starts_with('/');
    add_stars(pattern.substr(0, stars), folders);
    pattern.remove_prefix(folders ? stars + 1 : stars);
  }
}

void Glob::add_literal(std::string_view text) {
  std::string canonical;
  append_canonical(text, canonical);
  for (const char c : canonical) elements_.push_back({Kind::Byte, c});
}

void Glob::add_stars(std::string_view stars, bool whole_segment) {
  const Kind many = whole_segment ? Kind::Folders : Kind::Any;
  elements_.push_back({stars.size() == 1 ? Kind::Segment : many, 0});
}

void Glob::cut_head_and_tail() {
  const auto is_star = [](const Element& element) { return element.kind != Kind::Byte; };
  const auto first = std::find_if(elements_.begin(), elements_.end(), is_star);
  for (auto at = elements_.begin(); at != first; ++at) head_ += at->byte;
  // A tree's last slash may be missing from the path, so it is not part of the head.
  literal_tree_ = tree_ && first + 1 == elements_.end();
  if (literal_tree_) head_.pop_back();
  elements_.erase(elements_.begin(), first);
  while (!elements_.empty() && elements_.back().kind == Kind::Byte) {
    tail_.insert(tail_.begin(), elements_.back().byte);
    elements_.pop_back();
  }
}

void Glob::compile() {
  width_ = elements_.size() / kBits + 1;
  takes_.assign(256 * width_, 0);
  for (Words* words : {&stays_, &stays_within_, &skips_, &skips_behind_slash_}) {
    words->assign(width_, 0);
  }
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    switch (elements_[i].kind) {
      case Kind::Byte:
        set_bit(takes_, static_cast<unsigned char>(elements_[i].byte) * width_, i);
        break;
      case Kind::Any:
        set_bit(stays_, 0, i);
        [[fallthrough]];
      case Kind::Segment:
        set_bit(stays_within_, 0, i);
        set_bit(skips_, 0, i);
        break;
      case Kind::Folders:
        set_bit(stays_, 0, i);
        set_bit(stays_within_, 0, i);
        set_bit(skips_behind_slash_, 0, i);
        break;
    }
  }
}

bool Glob::match(std::string_view path) const {
  if (!path.starts_with(head_)) return false;
  path.remove_prefix(head_.size());
  if (elements_.empty()) return path.empty();
  if (literal_tree_) return path.empty() || path.front() == '/';
  if (!path.ends_with(tail_)) return false;
  path.remove_suffix(tail_.size());
  if (elements_.size() == 1 && elements_.front().kind == Kind::Any) return true;
  if (elements_.size() == 1 && elements_.front().kind == Kind::Segment) {
    return path.find('/') == std::string_view::npos;
  }
  return run(path);
}

bool Glob::run(std::string_view text) const {
  if (width_ == 1) return run_word(text);
  if (width_ <= kStackWords) {
    std::array<std::uint64_t, kStackWords> states{};
    return run_words(states.data(), text);
  }
  Words states(width_, 0);
  return run_words(states.data(), text);
}

// run_words for patterns whose states fit a register, which is nearly all.
bool Glob::run_word(std::string_view text) const {
  const auto skipped = [this](std::uint64_t states, bool behind_slash) {
    if (behind_slash) states |= (states & skips_behind_slash_[0]) << 1U;
    return states | (states & skips_[0]) << 1U;
  };
  std::uint64_t states = skipped(1, head_.ends_with('/'));
  for (const char c : text) {
    const std::uint64_t stays = c == '/' ? stays_[0] : stays_within_[0];
    states = (states & takes_[static_cast<unsigned char>(c)]) << 1U | (states & stays);
    if (states == 0) return false;
    states = skipped(states, c == '/');
  }
  const std::size_t end = elements_.size();
  return has_bit(&states, end) || (tree_ && has_bit(&states, end - 2));
}

bool Glob::run_words(std::uint64_t* states, std::string_view text) const {
  states[0] = 1;
  bool behind_slash = head_.ends_with('/');
  if (behind_slash) skip(states, skips_behind_slash_);
  skip(states, skips_);
  for (const char c : text) {
    step(states, static_cast<unsigned char>(c));
    behind_slash = c == '/';
    if (behind_slash) skip(states, skips_behind_slash_);
    skip(states, skips_);
    if (std::all_of(states, states + width_, [](std::uint64_t word) { return word == 0; })) {
      return false;
    }
  }
  const std::size_t end = elements_.size();
  return has_bit(states, end) || (tree_ && has_bit(states, end - 2));
}

// All states move at once: those that take the byte go one to the left, those that stay remain.
void Glob::step(std::uint64_t* states, unsigned char byte) const {
  const std::uint64_t* takes = &takes_[byte * width_];
  const Words& stays = byte == '/' ? stays_ : stays_within_;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    const std::uint64_t moved = states[i] & takes[i];
    states[i] = (moved << 1U) | carry | (states[i] & stays[i]);
    carry = moved >> (kBits - 1);
  }
}

void Glob::skip(std::uint64_t* states, const Words& skippable) const {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < width_; ++i) {
    const std::uint64_t moved = states[i] & skippable[i];
    states[i] |= (moved << 1U) | carry;
    carry = moved >> (kBits - 1);
  }
}

}  // namespace weir::route
