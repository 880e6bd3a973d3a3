#include "base/http/message.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/check.h"
#include "base/text.h"

namespace weir::http {
namespace {

// Room for a usual head at once: doubling up to it from nothing copies it four times.
constexpr std::size_t kFirstBytes = 512;
constexpr std::size_t kFirstFields = 16;

}  // namespace

Method parse_method(std::string_view token) {
  switch (token.size()) {
    case 3:
      if (token == "GET") return Method::Get;
      return token == "PUT" ? Method::Put : Method::Other;
    case 4:
      if (token == "POST") return Method::Post;
      return token == "HEAD" ? Method::Head : Method::Other;
    case 5:
      if (token == "PATCH") return Method::Patch;
      if (token == "QUERY") return Method::Query;
      if (token == "TRACE") return Method::Trace;
      return token == "PURGE" ? Method::Purge : Method::Other;
    case 6:
      return token == "DELETE" ? Method::Delete : Method::Other;
    case 7:
      if (token == "OPTIONS") return Method::Options;
      return token == "CONNECT" ? Method::Connect : Method::Other;
    default:
      return Method::Other;
  }
}

bool is_safe(Method method) {
  return method == Method::Get || method == Method::Head || method == Method::Options ||
         method == Method::Trace || method == Method::Query;
}

bool is_idempotent(Method method) {
  return is_safe(method) || method == Method::Put || method == Method::Delete;
}

const FieldView* RequestHead::find(std::string_view name) const {
  if (const FieldId id = field_id(name); id != FieldId::Other) return find(id);
  for (const FieldView& field : fields) {
    if (field.id == FieldId::Other && equals_ignore_case(field.name, name)) return &field;
  }
  return nullptr;
}

void RequestHead::add(FieldView field) {
  fields.push_back(field);
  WEIR_CHECK(fields.size() <= UINT16_MAX);
  std::uint16_t& first = first_[static_cast<std::size_t>(field.id)];
  if (first == 0 && field.id != FieldId::Other) first = static_cast<std::uint16_t>(fields.size());
}

void RequestHead::clear() {
  method = Method::Other;
  method_text = target = scheme = authority = path = query = {};
  has_query = false;
  minor_version = 1;
  keep_alive = true;
  expect_continue = false;
  framing = Framing::None;
  content_length = 0;
  fields.clear();
  first_.fill(0);
}

void RequestHead::rebase(const char* from, const char* to) {
  const auto move = [from, to](std::string_view& view) {
    if (view.data() != nullptr) view = {to + (view.data() - from), view.size()};
  };
  // An absolute-form target without a path has a literal for it, which does not move.
  const char* const target_end = target.data() + target.size();
  if (!std::less<>{}(path.data(), target.data()) && !std::less<>{}(target_end, path.data())) {
    move(path);
  }
  for (std::string_view* view : {&method_text, &target, &scheme, &authority, &query}) move(*view);
  for (FieldView& field : fields) {
    move(field.name);
    move(field.value);
  }
}

FieldView HeaderBlock::view(const Slot& slot) const {
  return {slot.id,
          {bytes_.data() + slot.name_at, slot.name_size},
          {bytes_.data() + slot.value_at, slot.value_size}};
}

FieldView HeaderBlock::operator[](std::size_t index) const {
  return view(slots_[index]);
}

// `name` and `value` may be views into this very block, so the old bytes outlive the copying.
std::uint32_t HeaderBlock::store(std::string_view name, std::string_view value) {
  const std::size_t at = bytes_.size();
  const std::size_t needed = at + name.size() + value.size();
  WEIR_CHECK(needed <= UINT32_MAX);
  if (needed <= bytes_.capacity()) {
    bytes_.append(name).append(value);
  } else {
    std::string grown;
    grown.reserve(std::max({needed, 2 * bytes_.capacity(), kFirstBytes}));
    grown.append(bytes_).append(name).append(value);
    bytes_ = std::move(grown);
  }
  return static_cast<std::uint32_t>(at);
}

void HeaderBlock::add_slot(FieldId id, std::string_view name, std::string_view value) {
  WEIR_CHECK(name.size() <= UINT16_MAX);
  const auto name_size = static_cast<std::uint16_t>(name.size());
  const auto value_size = static_cast<std::uint32_t>(value.size());
  const std::uint32_t at = store(name, value);
  if (slots_.capacity() == 0) slots_.reserve(kFirstFields);
  slots_.push_back({at, at + name_size, value_size, name_size, id});
}

void HeaderBlock::add(std::string_view name, std::string_view value) {
  add_slot(field_id(name), name, value);
}

void HeaderBlock::add(FieldId id, std::string_view value) {
  WEIR_CHECK(id != FieldId::Other);
  add_slot(id, field_name(id), value);
}

void HeaderBlock::set(FieldId id, std::string_view value) {
  WEIR_CHECK(id != FieldId::Other);
  const auto first = std::ranges::find(slots_, id, &Slot::id);
  if (first == slots_.end()) {
    add(id, value);
    return;
  }
  if (value.size() <= first->value_size) {
    if (!value.empty()) std::memmove(bytes_.data() + first->value_at, value.data(), value.size());
  } else {
    first->value_at = store({}, value);
  }
  first->value_size = static_cast<std::uint32_t>(value.size());
  slots_.erase(
      std::remove_if(first + 1, slots_.end(), [id](const Slot& slot) { return slot.id == id; }),
      slots_.end());
}

void HeaderBlock::remove(FieldId id) {
  std::erase_if(slots_, [id](const Slot& slot) { return slot.id == id; });
}

std::optional<FieldView> HeaderBlock::find(FieldId id) const {
  for (const Slot& slot : slots_) {
    if (slot.id == id) return view(slot);
  }
  return std::nullopt;
}

std::optional<FieldView> HeaderBlock::find(std::string_view name) const {
  if (const FieldId id = field_id(name); id != FieldId::Other) return find(id);
  for (const Slot& slot : slots_) {
    const FieldView field = view(slot);
    if (field.id == FieldId::Other && equals_ignore_case(field.name, name)) return field;
  }
  return std::nullopt;
}

std::string_view HeaderBlock::value(FieldId id) const {
  const auto field = find(id);
  return field ? field->value : std::string_view{};
}

std::string HeaderBlock::joined(FieldId id) const {
  std::string out;
  bool first = true;
  for (const Slot& slot : slots_) {
    if (slot.id != id) continue;
    if (!first) out += ", ";
    first = false;
    out += view(slot).value;
  }
  return out;
}

}  // namespace weir::http
