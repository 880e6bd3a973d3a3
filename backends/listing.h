// What a store has, told a part at a time: for whoever looks through it. Values; backend.h says who
// gives them and when.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/entry.h"

namespace weir::backends {

class PendingAnswer;

// An entry, as far as it can be told without its body.
struct Listed {
  std::string key;
  EntryMeta meta;
  std::uint64_t body_bytes = 0;
};

struct ListPart {
  std::vector<Listed> entries;
  std::optional<std::uint64_t> next;  // where the next part begins; empty: this was the last one
  // Keys under which no entry lies, but a lease (Store::lease), or of which it cannot be told what
  // lies there (is_unread): they can be erased all the same.
  std::vector<std::string> leased = {};
  bool is_unread = false;
  bool is_unanswered = false;  // the medium has not said what is there
};

class ListWaiter {
 public:
  virtual ~ListWaiter() = default;
  virtual void on_listed(ListPart part) = 0;
};

struct Listing {
  std::optional<ListPart> part;            // empty: pending
  std::unique_ptr<PendingAnswer> pending;  // set exactly when `part` is empty
};

}  // namespace weir::backends
