#include "base/http/field_id.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace weir::http {
namespace {

constexpr std::array<std::string_view, kFieldIdCount> kNames = {
    std::string_view{},
#define WEIR_HTTP_FIELD_NAME(id, text) std::string_view{text},
    WEIR_HTTP_FIELDS(WEIR_HTTP_FIELD_NAME)
#undef WEIR_HTTP_FIELD_NAME
};

constexpr std::size_t kMaxName = 32;

// A name, and 0x20 at each letter: two bytes are equal without case when they differ in nothing
// but that bit.
struct Folded {
  std::array<char, kMaxName> text{};
  std::array<char, kMaxName> case_bits{};
};

constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<Folded, kFieldIdCount> fold_names() {
  std::array<Folded, kFieldIdCount> folded{};
  for (std::size_t id = 0; id < kFieldIdCount; ++id) {
    for (std::size_t i = 0; i < kNames[id].size(); ++i) {
      folded[id].text[i] = kNames[id][i];
      folded[id].case_bits[i] = is_letter(kNames[id][i]) ? 0x20 : 0;
    }
  }
  return folded;
}

constexpr std::array<Folded, kFieldIdCount> kFolded = fold_names();

// A perfect hash of the length, the first and last byte and one behind the middle, where names that
// begin alike differ; the compiler looks for the multiplier.
constexpr std::size_t kSlots = 1024;

constexpr std::size_t slot_of(std::string_view name, std::uint32_t multiplier) {
  const auto byte = [name](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(name[at]) | 0x20U);
  };
  const std::uint32_t mixed =
      (byte(0) << 24 | byte(name.size() * 3 / 4) << 16 | byte(name.size() - 1) << 8 |
       static_cast<std::uint32_t>(name.size())) *
      multiplier;
  return mixed >> 22;
}
static_assert(kSlots == std::size_t{1} << (32 - 22));

constexpr bool is_perfect(std::uint32_t multiplier) {
  std::array<bool, kSlots> taken{};
  for (std::size_t id = 1; id < kFieldIdCount; ++id) {
    bool& slot = taken[slot_of(kNames[id], multiplier)];
    if (slot) return false;
    slot = true;
  }
  return true;
}

constexpr std::uint32_t find_multiplier() {
  std::uint32_t multiplier = 0x9e3779b1;
  while (!is_perfect(multiplier)) multiplier = multiplier * 5 + 2;
  return multiplier;
}

constexpr std::uint32_t kMultiplier = find_multiplier();

constexpr std::array<FieldId, kSlots> fill_slots() {
  std::array<FieldId, kSlots> slots{};
  for (std::size_t id = 1; id < kFieldIdCount; ++id) {
    slots[slot_of(kNames[id], kMultiplier)] = static_cast<FieldId>(id);
  }
  return slots;
}

constexpr std::array<FieldId, kSlots> kSlotIds = fill_slots();

template <class Word>
bool differs(std::string_view name, const Folded& folded, std::size_t at) {
  Word a, b, case_bits;
  std::memcpy(&a, &name[at], sizeof a);
  std::memcpy(&b, folded.text.data() + at, sizeof b);
  std::memcpy(&case_bits, folded.case_bits.data() + at, sizeof case_bits);
  return ((a ^ b) & static_cast<Word>(~case_bits)) != 0;
}

// Whole words, the last one overlapping its neighbour. Sizes are equal already.
bool matches(std::string_view name, const Folded& folded) {
  const std::size_t size = name.size();
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) {
      if (differs<std::uint64_t>(name, folded, at)) return false;
    }
    return !differs<std::uint64_t>(name, folded, size - 8);
  }
  if (size >= 4) {
    return !differs<std::uint32_t>(name, folded, 0) &&
           !differs<std::uint32_t>(name, folded, size - 4);
  }
  for (std::size_t at = 0; at < size; ++at) {
    if (differs<std::uint8_t>(name, folded, at)) return false;
  }
  return true;
}

static_assert(std::ranges::all_of(kNames, [](std::string_view n) { return n.size() <= kMaxName; }));

}  // namespace

FieldId field_id(std::string_view name) {
  if (name.empty()) return FieldId::Other;
  const FieldId id = kSlotIds[slot_of(name, kMultiplier)];
  const auto index = static_cast<std::size_t>(id);
  // Other's name is empty, so that it fails the comparison of sizes.
  if (kNames[index].size() != name.size()) return FieldId::Other;
  return matches(name, kFolded[index]) ? id : FieldId::Other;
}

std::string_view field_name(FieldId id) {
  const auto index = static_cast<std::size_t>(id);
  return index < kFieldIdCount ? kNames[index] : std::string_view{};
}

}  // namespace weir::http
