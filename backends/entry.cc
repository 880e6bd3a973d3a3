#include "backends/entry.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <utility>

#include "base/check.h"
#include "base/heap.h"
#include "base/http/h1_writer.h"

namespace weir::backends {
namespace {

constexpr std::size_t kTagBytes = sizeof(std::uint64_t);
constexpr std::size_t kTagCountBytes = sizeof(std::uint32_t);

// A slot of 8 bytes in a table that is between three eighths and three quarters full.
constexpr std::size_t kTableShare = 16;
constexpr std::int32_t kNoTime = std::numeric_limits<std::int32_t>::min();

std::int32_t packed(std::int64_t seconds) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(std::clamp(seconds, -kMost, kMost));
}
std::int32_t packed(const std::optional<std::int64_t>& seconds) {
  return seconds ? packed(*seconds) : kNoTime;
}
std::optional<std::int64_t> unpacked(std::int32_t seconds) {
  return seconds == kNoTime ? std::nullopt : std::optional<std::int64_t>(seconds);
}

// A store's reference to its account, and the bytes, given back.
void settle(ByteAccount* account, std::uint64_t bytes) {
  if (account) Ref<ByteAccount>::adopt(account)->subtract(bytes);
}

bool bind(std::atomic<ByteAccount*>& place, Ref<ByteAccount> account) {
  ByteAccount* nobody = nullptr;
  if (!place.compare_exchange_strong(nobody, account.get(), std::memory_order_relaxed)) {
    return false;
  }
  account.detach();
  return true;
}

std::string joined(const Body& body) {
  std::string bytes;
  bytes.reserve(body.size());
  for (const Piece& piece : body.pieces()) bytes += piece.bytes();
  return bytes;
}

// Takes one list with its tag from a marker's bytes.
struct TaggedList {
  std::uint8_t tag = 0;
  TextList list;
};
std::optional<TaggedList> take_list(std::string_view& bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto tag = static_cast<std::uint8_t>(bytes.front());
  bytes.remove_prefix(1);
  const auto size = take_count(bytes);
  if (!size || *size > bytes.size()) return std::nullopt;
  const TextList list(bytes.substr(0, *size));
  bytes.remove_prefix(*size);
  return TaggedList{tag, list};
}

void append_list(std::string& out, std::uint8_t tag, const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) TextList::append(list, text);
  out.push_back(static_cast<char>(tag));
  append_count(out, list.size());
  out += list;
}

}  // namespace

// ---- StoredBody ----

StoredBody::StoredBody(Body body)
    : body_(std::move(body)), charge_(heap_bytes(this) + body_.charge()) {}

StoredBody::StoredBody(Ref<const FarBody> far) : far_(std::move(far)), charge_(heap_bytes(this)) {}

StoredBody::~StoredBody() {
  settle(account_.load(std::memory_order_relaxed), charge_);
}

bool StoredBody::bind_account(const Ref<ByteAccount>& account) const {
  return bind(account_, account);
}

// ---- Entry ----

EntryRef Entry::make(const Source& source) {
  const bool is_response = source.kind == Kind::Response;
  const std::size_t inline_size = source.body ? 0 : source.inline_bytes.size();
  const std::size_t bytes = sizeof(Entry) + source.key.bytes.size() + source.status_line.size() +
                            source.fields.size() + (is_response ? 2 : 0) + inline_size +
                            (source.tags.empty() ? 0 : kTagCountBytes + source.tags.size());
  WEIR_CHECK(bytes <= std::numeric_limits<std::uint32_t>::max());
  WEIR_CHECK(source.status_line.size() <= kMaxStatusLine);
  void* const block = ::operator new(bytes);
  return EntryRef(new (block) Entry(source));
}

void Entry::destroy(const Entry* entry) {
  entry->~Entry();
  ::operator delete(const_cast<Entry*>(entry));
}

Entry::Entry(const Source& source)
    : own_charge_(static_cast<std::uint32_t>(heap_bytes(this) + kTableShare)),
      hash_(source.key.hash),
      body_(source.body),
      response_ms_(source.meta.response_ms),
      seq_(source.meta.seq),
      initial_age_s_(packed(source.meta.initial_age_s)),
      lifetime_s_(packed(source.meta.lifetime_s)),
      stale_while_revalidate_s_(packed(source.meta.stale_while_revalidate_s)),
      stale_if_error_s_(packed(source.meta.stale_if_error_s)),
      key_size_(static_cast<std::uint32_t>(source.key.bytes.size())),
      head_size_(
          source.kind == Kind::Response ? static_cast<std::uint32_t>(source.fields.size() + 2) : 0),
      inline_size_(body_ ? 0 : static_cast<std::uint32_t>(source.inline_bytes.size())),
      status_line_size_(static_cast<std::uint16_t>(source.status_line.size())),
      status_(source.meta.status),
      origin_(source.meta.origin),
      kind_(static_cast<std::uint8_t>(source.kind)),
      validate_always_(source.meta.validate_always),
      must_revalidate_(source.meta.must_revalidate),
      shared_with_personal_(source.meta.shared_with_personal),
      without_encoding_(source.meta.without_encoding),
      varies_(source.meta.varies),
      has_tags_(!source.tags.empty()) {
  char* at = reinterpret_cast<char*>(this + 1);
  const std::string_view blank_line = head_size_ == 0 ? "" : "\r\n";
  for (const std::string_view part : {source.key.bytes, source.status_line, source.fields,
                                      blank_line, source.inline_bytes.substr(0, inline_size_)}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  if (has_tags_ != 0) {
    const auto count = static_cast<std::uint32_t>(source.tags.size() / kTagBytes);
    std::memcpy(at, &count, kTagCountBytes);
    std::ranges::copy(source.tags, at + kTagCountBytes);
  }
  note_fields();
}

Entry::~Entry() {
  ByteAccount* const account = account_.load(std::memory_order_relaxed);
  settle(account, own_charge_ + (pays_for_body_ ? body_->charge() : 0));
}

// Where the fields lie that a hit asks for; of several the first.
void Entry::note_fields() {
  for_each_field([this](const http::FieldView& field) {
    Noted what = Noted::Count;
    if (field.id == http::FieldId::ETag) what = Noted::Etag;
    if (field.id == http::FieldId::LastModified) what = Noted::LastModified;
    if (field.id == http::FieldId::ContentEncoding) what = Noted::ContentEncoding;
    const auto index = static_cast<std::size_t>(what);
    constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
    if (what == Noted::Count || noted_size_[index] != 0) return;
    const auto at = static_cast<std::size_t>(field.value.data() - head_start());
    if (at > kMost || field.value.size() > kMost) {
      // A validator as long or as far back as that is none; a coding is one in any case.
      if (what == Noted::ContentEncoding) coding_is_far_ = 1;
      return;
    }
    noted_at_[index] = static_cast<std::uint16_t>(at);
    noted_size_[index] = static_cast<std::uint16_t>(field.value.size());
  });
}

std::string_view Entry::tag_bytes() const {
  if (has_tags_ == 0) return {};
  const char* const at = head_start() + head_size_ + inline_size_;
  std::uint32_t count = 0;
  std::memcpy(&count, at, kTagCountBytes);
  return {at + kTagCountBytes, count * kTagBytes};
}

std::vector<std::uint64_t> Entry::tags() const {
  const std::string_view bytes = tag_bytes();
  std::vector<std::uint64_t> tags(bytes.size() / kTagBytes);
  if (!tags.empty()) std::memcpy(tags.data(), bytes.data(), bytes.size());
  return tags;
}

EntryRef Entry::copy() const {
  Source source;
  source.kind = kind();
  source.key = key();
  source.meta = meta();
  source.status_line = status_line();
  source.fields = field_lines();
  source.inline_bytes = marker_bytes();
  source.body = body_;
  source.tags = tag_bytes();
  EntryRef copied = make(source);
  copied->place_.last_use.store(last_use(), std::memory_order_relaxed);
  return copied;
}

EntryMeta Entry::meta() const {
  EntryMeta meta;
  meta.status = status_;
  meta.response_ms = response_ms_;
  meta.initial_age_s = initial_age_s_;
  meta.lifetime_s = unpacked(lifetime_s_);
  meta.stale_while_revalidate_s = unpacked(stale_while_revalidate_s_);
  meta.stale_if_error_s = unpacked(stale_if_error_s_);
  meta.validate_always = validate_always_ != 0;
  meta.must_revalidate = must_revalidate_ != 0;
  meta.shared_with_personal = shared_with_personal_ != 0;
  meta.origin = origin_;
  meta.without_encoding = without_encoding_ != 0;
  meta.varies = varies_ != 0;
  meta.seq = seq();
  return meta;
}

std::optional<std::string_view> Entry::field(http::FieldId id) const {
  std::string_view lines = field_lines();
  while (const std::optional<http::FieldView> field = take_field(lines)) {
    if (field->id == id) return field->value;
  }
  return std::nullopt;
}

http::HeaderBlock Entry::fields() const {
  http::HeaderBlock block;
  for_each_field([&](const http::FieldView& field) { block.add(field.name, field.value); });
  return block;
}

std::uint64_t Entry::body_size() const {
  if (kind() != Kind::Response) return 0;
  return body_ ? body_->size() : inline_size_;
}

std::size_t Entry::body_parts() const {
  if (body_) return body_->body().pieces().size();
  return body_size() == 0 ? 0 : 1;
}

std::string_view Entry::body_part(std::size_t index) const {
  if (body_) return body_->body().pieces()[index].bytes();
  return stored_head_and_inline_body().substr(head_size_);
}

// ---- markers ----

std::string Entry::marker_bytes_of(const std::vector<std::string>& vary,
                                   const std::vector<std::string>& variants) {
  std::string bytes;
  append_list(bytes, static_cast<std::uint8_t>(MarkerList::Names), vary);
  append_list(bytes, static_cast<std::uint8_t>(MarkerList::Variants), variants);
  return bytes;
}

bool Entry::is_valid_marker(std::string_view bytes, std::size_t most) {
  const auto take = [&](MarkerList expected) -> std::optional<TextList> {
    const std::optional<TaggedList> found = take_list(bytes);
    if (!found || found->tag != static_cast<std::uint8_t>(expected)) return std::nullopt;
    if (!TextList::is_valid(found->list.bytes())) return std::nullopt;
    std::size_t count = 0;
    for (const std::string_view text : found->list) {
      if (text.empty() || ++count > most) return std::nullopt;
    }
    return found->list;
  };
  const std::optional<TextList> names = take(MarkerList::Names);
  return names && !names->empty() && take(MarkerList::Variants) && bytes.empty();
}

TextList Entry::marker_list(MarkerList list) const {
  if (kind() != Kind::VaryMarker) return {};
  std::string_view bytes = marker_bytes();
  while (const std::optional<TaggedList> found = take_list(bytes)) {
    if (found->tag == static_cast<std::uint8_t>(list)) return found->list;
  }
  return {};
}

// ---- accounts ----

std::optional<std::uint64_t> Entry::bind_account(const Ref<ByteAccount>& account) const {
  if (!bind(account_, account)) return std::nullopt;
  if (!body_) return own_charge_;
  if (body_->bind_account(account)) return charge();
  if (body_->charged_to(*account)) return own_charge_;
  pays_for_body_ = true;  // it is another store's, but we keep it alive as well
  return charge();
}

// ---- making one ----

EntryRef make_entry(EntryParts parts) {
  Entry::Source source;
  source.kind = parts.kind;
  source.key = {parts.key, parts.hash};
  source.meta = parts.meta;
  std::string inline_bytes;
  std::string fields;
  if (parts.kind == EntryKind::Response) {
    if (parts.status_line.empty()) http::append_status_line(parts.status_line, parts.meta.status);
    http::append_fields(fields, parts.fields);
    if (parts.far_body) {
      source.body = make_ref<const StoredBody>(std::move(parts.far_body));
    } else if (parts.body.size() > Entry::kInlineBody) {
      source.body = make_ref<const StoredBody>(std::move(parts.body));
    } else {
      inline_bytes = joined(parts.body);
    }
  } else {
    parts.status_line.clear();
    inline_bytes = Entry::marker_bytes_of(parts.vary, parts.variants);
  }
  source.status_line = parts.status_line;
  source.fields = fields;
  source.inline_bytes = inline_bytes;
  WEIR_CHECK(parts.tags.size() <= Entry::kMostTags);
  source.tags = {reinterpret_cast<const char*>(parts.tags.data()), parts.tags.size() * kTagBytes};
  return Entry::make(source);
}

}  // namespace weir::backends
