// Brings a large object of a tier that others share into the nearer ones: its body is read once
// more, block by block, behind whoever is being served. On the store's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "backends/far_body.h"
#include "backends/tiered_store.h"

namespace weir::backends {

class TieredStore::Promotion {
 public:
  Promotion(TieredStore& store, EntryRef entry, std::size_t found_at,
            std::optional<std::uint64_t> quiet_since);
  // Nothing of it happens within it but a first read. May end this.
  void read();
  keys::KeyView key() const { return entry_->key(); }
  std::uint64_t bytes() const { return entry_->body_size(); }

 private:
  void end(bool is_whole);

  TieredStore& store_;
  const EntryRef entry_;
  const Ref<const FarBody> body_;
  const std::size_t found_at_;
  const std::optional<std::uint64_t> quiet_since_;
  std::string read_;  // so far
  FarReader reader_;
};

}  // namespace weir::backends
