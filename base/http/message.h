// A request head as parsed, and a header section that owns its bytes. Names compare without case,
// values are bytes. Neither is thread-safe; both are plain values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/field_id.h"

namespace weir::http {

enum class Method : std::uint8_t {
  Get,
  Head,
  Post,
  Put,
  Delete,
  Options,
  Patch,
  Query,
  Trace,
  Connect,
  Purge,
  Other
};

Method parse_method(std::string_view token);  // case-sensitive (RFC 9110 9.1)
bool is_safe(Method method);                  // RFC 9110 9.2.1; Query is (RFC 10008)
bool is_idempotent(Method method);            // RFC 9110 9.2.2

// One field line; views into somebody's bytes.
struct FieldView {
  FieldId id = FieldId::Other;
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// How a message's body is delimited (RFC 9112 6.3).
enum class Framing : std::uint8_t {
  None,        // no body
  Length,      // content_length bytes
  Chunked,     // chunked transfer coding
  UntilClose,  // by the connection's end; responses only
};

// A request's head. Every view (but a literal path) points into the bytes it was parsed from:
// whoever moves those bytes calls rebase(). A head object is reused from request to request, so
// that parsing in the steady state allocates nothing.
struct RequestHead {
  Method method = Method::Other;
  std::string_view method_text;
  std::string_view target;     // the request-target, byte for byte
  std::string_view scheme;     // of an absolute-form target, else empty
  std::string_view authority;  // of an absolute-form target, else the Host field's value
  std::string_view path;       // "/…", "*" of OPTIONS, empty for CONNECT; a literal "/" or "*" for
                               // an absolute-form target that has none
  std::string_view query;      // what stands behind the first '?', without it
  bool has_query = false;
  std::uint8_t minor_version = 1;
  bool keep_alive = true;
  bool expect_continue = false;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;
  std::vector<FieldView> fields;

  // The first field of this name, or null. O(1) for known names.
  const FieldView* find(FieldId id) const {
    const std::uint16_t at = first_[static_cast<std::size_t>(id)];
    return at == 0 ? nullptr : &fields[at - 1U];
  }
  bool has(FieldId id) const { return first_[static_cast<std::size_t>(id)] != 0; }
  std::string_view value(FieldId id) const {
    const FieldView* field = find(id);
    return field ? field->value : std::string_view{};
  }
  const FieldView* find(std::string_view name) const;

  void add(FieldView field);
  void clear();
  // Moves every view from bytes that began at `from` to the same bytes at `to`.
  void rebase(const char* from, const char* to);

 private:
  std::array<std::uint16_t, kFieldIdCount> first_{};  // index + 1; Other stays 0
};

// A header section that owns its bytes: responses from the app, requests to it, stored entries.
// Keeps order and repetitions.
class HeaderBlock {
 public:
  std::size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  FieldView operator[](std::size_t index) const;

  // `name` must be a token and `value` free of CR, LF and NUL; checked by whoever parsed them.
  // Either may be a view into this block.
  void add(std::string_view name, std::string_view value);
  void add(FieldId id, std::string_view value);
  // Replaces all fields of this name by one, at the place of the first.
  void set(FieldId id, std::string_view value);
  void remove(FieldId id);
  template <class Predicate>  // bool(const FieldView&)
  void remove_if(Predicate predicate) {
    std::erase_if(slots_, [&](const Slot& slot) { return predicate(view(slot)); });
  }

  std::optional<FieldView> find(FieldId id) const;
  std::optional<FieldView> find(std::string_view name) const;
  bool has(FieldId id) const { return find(id).has_value(); }
  // The first value, or empty.
  std::string_view value(FieldId id) const;
  // All values of a list field joined by ", "; empty when absent.
  std::string joined(FieldId id) const;

  template <class Visit>  // void(const FieldView&)
  void for_each(Visit visit) const {
    for (const Slot& slot : slots_) visit(view(slot));
  }
  // Bytes held.
  std::size_t charge() const { return bytes_.capacity() + slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t value_size;
    std::uint16_t name_size;
    FieldId id;
  };
  FieldView view(const Slot& slot) const;
  std::uint32_t store(std::string_view name, std::string_view value);
  void add_slot(FieldId id, std::string_view name, std::string_view value);

  std::string bytes_;
  std::vector<Slot> slots_;
};

// A response's head as an app sent it or as Weir makes it.
struct ResponseHead {
  std::uint16_t status = 0;
  std::string reason;
  std::uint8_t minor_version = 1;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;
  HeaderBlock fields;
};

}  // namespace weir::http
