// What a backend holds: a response with all that is needed to judge and serve it, or the marker of
// a URL that has variants. Immutable once made (but for its last use), shared by reference count
// between the store and any number of connections on any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/byte_account.h"
#include "base/chunk.h"
#include "base/hash.h"
#include "base/http/message.h"
#include "base/ref_counted.h"
#include "cachekeys/key.h"

namespace weir::backends {

// The facts that freshness and reuse are judged by. Times are on the steady clock (base/clock.h).
struct EntryMeta {
  std::uint16_t status = 200;
  std::int64_t response_ms = 0;            // when the response's head arrived
  std::int64_t initial_age_s = 0;          // its corrected initial age then (RFC 9111 4.2.3)
  std::optional<std::int64_t> lifetime_s;  // the app's own explicit freshness; else the rule's
  std::optional<std::int64_t> stale_while_revalidate_s;  // the app's own (RFC 5861)
  std::optional<std::int64_t> stale_if_error_s;
  bool validate_always = false;  // no-cache, or a lifetime of 0: never used without validation
  bool must_revalidate = false;  // never served stale
  // public, s-maxage or CDN-Cache-Control said so, and no `origin` setting was needed to admit it:
  // personal requests may read it (RFC 9111 3.5).
  bool shared_with_personal = false;
  // Position of the purge log applied when the fetch began (architecture.md, decision 12).
  std::uint64_t seq = 0;
};

class Entry : public RefCounted<Entry> {
 public:
  enum class Kind : std::uint8_t { Response, VaryMarker };

  // What a response's head looks like on the wire, pre-serialised: everything but the fields that
  // are fresh at each hit (Age, Cache-Status, Connection) and the blank line.
  struct Parts {
    Kind kind = Kind::Response;
    std::string key;
    Hash128 hash;
    EntryMeta meta;
    http::HeaderBlock fields;
    std::string h1_head;
    Body body;
    std::vector<std::string> vary;      // VaryMarker: names, lower case, sorted
    std::vector<std::string> variants;  // VaryMarker: the full keys of the variants known
  };

  explicit Entry(Parts parts);
  ~Entry();

  // The same entry as an object of its own, sharing the body's bytes: what a second store keeps.
  Ref<const Entry> copy() const;

  Kind kind() const { return parts_.kind; }
  keys::KeyView key() const { return {parts_.key, parts_.hash}; }
  const EntryMeta& meta() const { return parts_.meta; }
  const http::HeaderBlock& fields() const { return parts_.fields; }
  const std::string& h1_head() const { return parts_.h1_head; }
  const Body& body() const { return parts_.body; }
  const std::vector<std::string>& vary() const { return parts_.vary; }
  const std::vector<std::string>& variants() const { return parts_.variants; }

  // Bytes it occupies, a store's bookkeeping for it included.
  std::size_t charge() const { return charge_; }

  // When it was last served, for the choice of a variant to drop. Any thread; approximate.
  void touch(std::int64_t now_ms) const { last_use_ms_.store(now_ms, std::memory_order_relaxed); }
  std::int64_t last_use_ms() const { return last_use_ms_.load(std::memory_order_relaxed); }

  // Charges it to the account of the store that keeps it, which has added charge() there before;
  // the bytes are given back when the last reference is gone. False when it is charged to an
  // account already: an entry belongs to one store, another one keeps a copy(). Any thread.
  bool bind_account(Ref<ByteAccount> account) const;
  bool has_account() const { return owner_.load(std::memory_order_relaxed) != nullptr; }
  bool charged_to(const ByteAccount& account) const {
    return owner_.load(std::memory_order_relaxed) == &account;
  }

 private:
  const Parts parts_;
  const std::size_t charge_;
  mutable std::atomic<std::int64_t> last_use_ms_{0};
  mutable std::atomic<const ByteAccount*> owner_ = nullptr;  // decides who binds
  mutable Ref<ByteAccount> account_;  // written by the one who did, read by the destructor
};

using EntryRef = Ref<const Entry>;

}  // namespace weir::backends
