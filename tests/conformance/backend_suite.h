// One suite that every backend passes: what backends/backend.h promises, as tests. A backend's own
// test folder instantiates it:
//   INSTANTIATE_TEST_SUITE_P(Ram, BackendSuite, ::testing::Values(BackendCase{"ram", make}));
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include "tests/conformance/entries.h"
#include "tests/conformance/look_up.h"

namespace weir::backends::testing {

// A backend under test, empty, and what it needs to live. Room for at least 4 MiB.
class BackendDelegate {
 public:
  virtual ~BackendDelegate() = default;
  virtual Backend& backend() = 0;
  // Whether lookup_now() finds all that lookup() finds.
  virtual bool answers_now() const = 0;
  // Whether stats().objects is the number of keys.
  virtual bool counts_objects() const { return true; }
  // Whether stats().bytes are those of all that is stored.
  virtual bool counts_bytes() const { return true; }
  // By how much the time may differ at which a response is said to have arrived.
  virtual std::int64_t time_differs_ms() const { return 0; }
  // Until a clear() has been carried out.
  virtual void await_clear(EventLoop&) {}
};

struct BackendCase {
  const char* name;
  // `max_object_size`: what the backend is to be configured with, in bytes of body.
  std::function<std::unique_ptr<BackendDelegate>(std::uint64_t max_object_size)> make;

  friend std::ostream& operator<<(std::ostream& out, const BackendCase& that) {
    return out << that.name;
  }
};

class BackendSuite : public ::testing::TestWithParam<BackendCase> {
 protected:
  static constexpr std::uint64_t kMaxObjectSize = 64 * 1024;

  StoreResult store(EntryRef entry, std::unique_ptr<Reservation> reservation = nullptr) {
    return put(*store_, std::move(entry), loop_, std::move(reservation));
  }
  StoreResult store(std::string_view key, std::string_view body) {
    return store(entry_of(key, body));
  }
  EraseResult erase(std::string_view key) { return store_->erase(key_of(key)); }
  EntryRef find(std::string_view key, Purpose purpose = Purpose::Serve) {
    return look_up(*store_, key_of(key), loop_, purpose);
  }
  // What an erasure of a key that stands there, or does not, may answer.
  static bool says_erased(EraseResult result) {
    return result == EraseResult::Erased || result == EraseResult::Started;
  }
  static bool says_absent(EraseResult result) {
    return result == EraseResult::Absent || result == EraseResult::Started;
  }
  // The body found under a key; empty when there is none.
  std::optional<std::string> body_at(std::string_view key) {
    const EntryRef entry = find(key);
    return entry ? std::optional(text_of(*entry)) : std::nullopt;
  }
  Backend& backend() { return delegate_->backend(); }
  void clear() {
    backend().clear();
    delegate_->await_clear(loop_);
  }

  EventLoop loop_;
  std::unique_ptr<BackendDelegate> delegate_ = GetParam().make(kMaxObjectSize);
  std::unique_ptr<Store> store_ = delegate_->backend().attach(loop_);
};

}  // namespace weir::backends::testing
