// THE contract of a place where entries rest. Backends know keys and entries; they know nothing of
// freshness, Vary or routes. All methods may be called from any thread.
//
// A look-up answers now or later: Hit and Miss are final and the waiter is not called; Pending
// means that the waiter is called exactly once, on the loop given, unless the handle was dropped
// first; never from within lookup(). The handle is dropped on that loop, also within the call of
// the waiter. A key's bytes need to live only as long as the call they are given to. A backend
// that fails answers Miss. A store that fails leaves the old entry readable.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/entry.h"
#include "base/net/event_loop.h"
#include "cachekeys/key.h"

namespace weir::backends {

class LookupWaiter {
 public:
  virtual ~LookupWaiter() = default;
  virtual void on_lookup(EntryRef entry) = 0;  // null: miss
};

// A look-up under way; dropping it cancels it.
class PendingLookup {
 public:
  virtual ~PendingLookup() = default;
};

struct Lookup {
  enum class Status : std::uint8_t { Hit, Miss, Pending };
  Status status = Status::Miss;
  EntryRef entry;                          // Hit
  std::unique_ptr<PendingLookup> pending;  // Pending
};

struct BackendStats {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  // charged, entries still being read included
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t stores = 0;
  std::uint64_t evictions = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual const std::string& name() const = 0;
  virtual Lookup lookup(keys::KeyView key, EventLoop& loop, LookupWaiter& waiter) = 0;
  // Replaces what stands under the entry's key. An entry larger than max_object_size, or than the
  // backend can ever hold, is not stored.
  virtual void store(EntryRef entry) = 0;
  virtual void erase(keys::KeyView key) = 0;
  virtual void clear() = 0;

  // Answers at once from memory or not at all; null also when it would have to wait.
  virtual EntryRef lookup_now(keys::KeyView key) = 0;

  virtual std::uint64_t max_object_size() const = 0;  // bytes of body
  virtual std::int64_t default_expire_s() const = 0;
  virtual BackendStats stats() const = 0;
};

}  // namespace weir::backends
