// What a backend holds: a response with all that is needed to judge and serve it, or the marker of
// a URL that has variants. One block of memory (docs/decisions/0004-entries-as-records.md), made by
// make_entry() and never changed but for what its store notes in it. Shared by reference count
// between the store and any number of connections on any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backends/byte_account.h"
#include "backends/far_body.h"
#include "backends/head_text.h"
#include "base/chunk.h"
#include "base/hash.h"
#include "base/http/message.h"
#include "base/ref_counted.h"
#include "base/text_list.h"
#include "cachekeys/key.h"

namespace weir::backends {

// The facts that freshness and reuse are judged by. Times are on the steady clock (base/clock.h).
// Stored spans of time are held in 32 bits, saturated (RFC 9111 1.2.2).
struct EntryMeta {
  // Of whose requests an answer is of use that does not say whether it depends on Origin.
  static constexpr std::uint16_t kAnyOrigin = 0;
  static constexpr std::uint16_t kNoOrigin = 1;        // those without one only
  static constexpr std::uint16_t kFirstOriginTag = 2;  // and those with the Origin of this tag

  std::uint16_t status = 200;
  std::int64_t response_ms = 0;            // when the response's head arrived
  std::int64_t initial_age_s = 0;          // its corrected initial age then (RFC 9111 4.2.3)
  std::optional<std::int64_t> lifetime_s;  // the app's own explicit freshness; else the rule's
  std::optional<std::int64_t> stale_while_revalidate_s;  // the app's own (RFC 5861)
  std::optional<std::int64_t> stale_if_error_s;
  bool validate_always = false;  // no-cache, or a lifetime of 0: never used without validation
  bool must_revalidate = false;  // never served stale
  // public, s-maxage or CDN-Cache-Control said so, no `origin` setting was needed to admit it, and
  // it set no cookie, stripped or not: personal requests may read it (RFC 9111 3.5).
  bool shared_with_personal = false;
  // What its request did not show, and its answer does not name (proxy/policy/unsaid.h).
  std::uint16_t origin = kAnyOrigin;
  bool without_encoding = false;  // of use to requests without Accept-Encoding only
  // It named fields in Vary, or is kept apart from others by some; else it is merely stored where
  // others are.
  bool varies = false;
  // Position of the purge book when the fetch began (proxy/flow/purge_book.h), or a later one up to
  // which no mark is about it.
  std::uint64_t seq = 0;
};

enum class EntryKind : std::uint8_t { Response, VaryMarker };

// What an entry is made of.
struct EntryParts {
  EntryKind kind = EntryKind::Response;
  std::string key;
  Hash128 hash;
  EntryMeta meta;
  // Response: the head as it goes on the wire but for the fields that are fresh at each hit (Age,
  // Cache-Status, Connection). Content-Length is among the fields.
  std::string status_line;  // with its line end; empty: made from meta.status
  http::HeaderBlock fields;
  Body body;
  Ref<const FarBody> far_body;  // or, in place of `body`: where it is to be had
  // Response: keys::tag_hash of each of its tags; no more than Entry::kMostTags.
  std::vector<std::uint64_t> tags = {};
  // VaryMarker: names, lower case, sorted; and the full keys of the variants known.
  std::vector<std::string> vary;
  std::vector<std::string> variants;
};

// A body that is not stored inline: its pieces, or where they are to be had, shared by entries that
// differ in their heads only.
// Charged once, to the account of the store that kept it first. Any thread.
class StoredBody : public RefCounted<StoredBody> {
 public:
  explicit StoredBody(Body body);
  explicit StoredBody(Ref<const FarBody> far);
  ~StoredBody();

  std::uint64_t size() const { return far_ ? far_->size() : body_.size(); }
  const Body& body() const { return body_; }              // empty when it is far
  const Ref<const FarBody>& far() const { return far_; }  // null when it is not
  std::uint64_t charge() const { return charge_; }
  // False when it is charged to an account already. charge() was added to this one before.
  bool bind_account(const Ref<ByteAccount>& account) const;
  bool charged_to(const ByteAccount& account) const {
    return account_.load(std::memory_order_relaxed) == &account;
  }

 private:
  const Body body_;
  const Ref<const FarBody> far_;
  const std::uint64_t charge_;
  mutable std::atomic<ByteAccount*> account_ = nullptr;  // with a reference of its own
};

class Entry : public RefCounted<Entry> {
 public:
  using Kind = EntryKind;
  // Bodies up to this size lie in the entry's own block.
  static constexpr std::size_t kInlineBody = 4096;
  // No app's is as long: base/http/response_head_parser.cc refuses it.
  static constexpr std::size_t kMaxStatusLine = std::numeric_limits<std::uint16_t>::max();
  static constexpr std::size_t kMostTags = 32'768;

  // What an entry is made from, all of it text: for make_entry() and the codec (record.h).
  struct Source {
    Kind kind = Kind::Response;
    keys::KeyView key;
    EntryMeta meta;
    std::string_view status_line;
    std::string_view fields;  // well-formed lines, without the blank line
    // Exactly one of them is used: `body` when it is set.
    std::string_view inline_bytes;  // a small body, or a marker's lists
    Ref<const StoredBody> body;
    std::string_view tags = {};  // of a response: the bytes of each tag's hash
  };
  static Ref<const Entry> make(const Source& source);
  static void destroy(const Entry* entry);

  // The same entry as an object of its own, sharing a large body: what a second store keeps.
  Ref<const Entry> copy() const;

  Kind kind() const { return static_cast<Kind>(kind_); }
  keys::KeyView key() const { return {{text(), key_size_}, hash_}; }
  EntryMeta meta() const;
  std::uint16_t status() const { return status_; }
  std::uint64_t seq() const { return seq_.load(std::memory_order_relaxed); }
  // No mark of the purge book up to this position is about it. Any thread.
  void checked_up_to(std::uint64_t position) const {
    if (seq() < position) seq_.store(position, std::memory_order_relaxed);
  }

  // ---- the head ----
  std::string_view status_line() const { return {text() + key_size_, status_line_size_}; }
  // What follows the status line and the fresh fields on the wire: the stored fields and the blank
  // line, and in the same run of bytes a body that lies inline.
  std::string_view stored_head() const { return {head_start(), head_size_}; }
  std::string_view stored_head_and_inline_body() const {
    return {head_start(), std::size_t{head_size_} + inline_size_};
  }
  std::string_view field_lines() const {  // without the blank line
    return {head_start(), head_size_ == 0 ? 0U : head_size_ - 2U};
  }
  // Validators and coding of a response, without a search; empty when there are none.
  std::string_view etag() const { return noted(Noted::Etag); }
  std::string_view last_modified() const { return noted(Noted::LastModified); }
  std::string_view content_encoding() const {
    if (coding_is_far_ != 0) return field(http::FieldId::ContentEncoding).value_or("");
    return noted(Noted::ContentEncoding);
  }
  // The first field of this name. Reads the head from its start.
  std::optional<std::string_view> field(http::FieldId id) const;
  // visit(const http::FieldView&) for each field line, in order; allocates nothing.
  template <class Visit>
  void for_each_field(Visit visit) const {
    std::string_view lines = field_lines();
    while (const std::optional<http::FieldView> field = take_field(lines)) visit(*field);
  }
  // The bytes of the hashes of its tags; seldom asked for: when the purge book has moved on.
  std::string_view tag_bytes() const;
  std::vector<std::uint64_t> tags() const;
  // A copy as a table, for those who change it. Content-Length is among them.
  http::HeaderBlock fields() const;

  // ---- the body ----
  std::uint64_t body_size() const;
  // Where it is to be had when it does not lie in memory; else null.
  const FarBody* far_body() const { return body_ ? body_->far().get() : nullptr; }
  // It lies in so many runs of bytes, in order; none when it is empty, or far.
  std::size_t body_parts() const;
  std::string_view body_part(std::size_t index) const;
  bool has_inline_body() const { return !body_; }
  // The pieces of one that does not lie inline; else null.
  const Ref<const StoredBody>& shared_body() const { return body_; }

  // ---- a marker's lists ----
  TextList vary() const { return marker_list(MarkerList::Names); }
  TextList variants() const { return marker_list(MarkerList::Variants); }
  // They as bytes: what the codec writes and reads.
  std::string_view marker_bytes() const { return {head_start() + head_size_, inline_size_}; }
  // Both lists, of no more than `most` texts each, none of them empty; and there is a name, for a
  // marker without one would lead to itself.
  static bool is_valid_marker(std::string_view bytes, std::size_t most);
  static std::string marker_bytes_of(const std::vector<std::string>& vary,
                                     const std::vector<std::string>& variants);

  // ---- what its store notes in it ----

  // Where it is in the one store that it is charged to, for good: who has left does not return,
  // since the thread that took it out may still be holding on to its links. Guarded by that store's
  // lock, but for the atomic ones.
  struct Place {
    // Small and Main: in that queue, or in the hands of whoever emptied it.
    enum class Queue : std::uint8_t { NotYet, Small, Main, Left };
    const Entry* newer = nullptr;
    const Entry* older = nullptr;
    std::atomic<std::uint32_t> last_use{0};
    std::atomic<std::uint8_t> uses{0};
    Queue queue = Queue::NotYet;
  };
  Place& place() const { return place_; }

  // Remembers when it was last served, for the choice of a variant to drop. Any thread.
  void touch(std::int64_t now_ms) const {
    place_.last_use.store(static_cast<std::uint32_t>(now_ms), std::memory_order_relaxed);
  }
  // Whether its last use was before the other's: 32 bits of milliseconds, true while the two are
  // less than 24 days apart.
  bool used_before(const Entry& other) const {
    return static_cast<std::int32_t>(last_use() - other.last_use()) < 0;
  }

  // Bytes it occupies, a shared body and a store's bookkeeping for it included. Constant.
  std::uint64_t charge() const { return own_charge_ + (body_ ? body_->charge() : 0); }
  // The bytes that keeping it would add to this account: less when its body is charged there.
  std::uint64_t charge_for(const ByteAccount& account) const {
    return body_ && body_->charged_to(account) ? own_charge_ : charge();
  }
  // Charges it to the account of the store that keeps it, which has added charge_for() there
  // before; they are given back when the last reference is gone. How many of them it took, fewer
  // when its body was charged meanwhile; nothing when it is charged to an account already: an entry
  // belongs to one store, another one keeps a copy(). Any thread.
  std::optional<std::uint64_t> bind_account(const Ref<ByteAccount>& account) const;
  bool has_account() const { return account_.load(std::memory_order_relaxed) != nullptr; }
  bool charged_to(const ByteAccount& account) const {
    return account_.load(std::memory_order_relaxed) == &account;
  }

 private:
  enum class MarkerList : std::uint8_t { Names = 1, Variants = 2 };
  enum class Noted : std::uint8_t { Etag, LastModified, ContentEncoding, Count };
  static constexpr std::size_t kNoted = static_cast<std::size_t>(Noted::Count);

  explicit Entry(const Source& source);
  ~Entry();
  void note_fields();

  // The bytes behind the fixed part: key, status line, fields, blank line, inline bytes.
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  const char* head_start() const { return text() + key_size_ + status_line_size_; }
  std::string_view noted(Noted what) const {
    const auto index = static_cast<std::size_t>(what);
    return {head_start() + noted_at_[index], noted_size_[index]};
  }
  TextList marker_list(MarkerList list) const;
  std::uint32_t last_use() const { return place_.last_use.load(std::memory_order_relaxed); }

  std::uint32_t own_charge_ = 0;
  Hash128 hash_;
  mutable Place place_;
  mutable std::atomic<ByteAccount*> account_ = nullptr;  // with a reference of its own
  const Ref<const StoredBody> body_;
  std::int64_t response_ms_;
  mutable std::atomic<std::uint64_t> seq_;
  std::int32_t initial_age_s_;
  std::int32_t lifetime_s_;
  std::int32_t stale_while_revalidate_s_;
  std::int32_t stale_if_error_s_;
  std::uint32_t key_size_;
  std::uint32_t head_size_;  // stored fields and blank line; 0 for a marker
  std::uint32_t inline_size_;
  std::array<std::uint16_t, kNoted> noted_at_{};  // from head_start()
  std::array<std::uint16_t, kNoted> noted_size_{};
  std::uint16_t status_line_size_;
  std::uint16_t status_;
  std::uint16_t origin_;
  std::uint8_t kind_ : 1;
  std::uint8_t validate_always_ : 1;
  std::uint8_t must_revalidate_ : 1;
  std::uint8_t shared_with_personal_ : 1;
  std::uint8_t without_encoding_ : 1;
  std::uint8_t varies_ : 1;
  std::uint8_t coding_is_far_ : 1 = 0;  // past what a note can tell
  std::uint8_t has_tags_ : 1;           // behind the inline bytes: their count, and they
  mutable bool pays_for_body_ = false;  // written by the one who bound it, read by the destructor
};

static_assert(sizeof(Entry) == 128, "each byte here is a megabyte in a cache of a million");

using EntryRef = Ref<const Entry>;

EntryRef make_entry(EntryParts parts);

}  // namespace weir::backends
