#include "backends/tiered_promotion.h"

#include <utility>

namespace weir::backends {
namespace {

// At the same time, on one loop: bodies, and their bytes.
constexpr std::size_t kMostAtOnce = 8;
constexpr std::uint64_t kMostBytes = std::uint64_t{32} << 20U;

// The same object with its body in memory.
EntryRef whole(const Entry& entry, std::string_view body) {
  EntryParts parts;
  parts.key = std::string(entry.key().bytes);
  parts.hash = entry.key().hash;
  parts.meta = entry.meta();
  parts.status_line = std::string(entry.status_line());
  parts.fields = entry.fields();
  parts.tags = entry.tags();
  parts.body = make_body(body);
  return make_entry(std::move(parts));
}

}  // namespace

TieredStore::Promotion::Promotion(TieredStore& store, EntryRef entry, std::size_t found_at,
                                  std::optional<std::uint64_t> quiet_since)
    : store_(store),
      entry_(std::move(entry)),
      body_(entry_->far_body()),
      found_at_(found_at),
      quiet_since_(quiet_since),
      reader_(store.loop_, [this] { read(); }) {
  read_.reserve(body_->size());
}

void TieredStore::Promotion::read() {
  while (read_.size() < body_->size()) {
    const FarReader::Got got = reader_.get(body_, read_.size());
    if (got.status == FarReader::Status::Pending) return;
    if (got.status == FarReader::Status::Failed) return end(false);
    read_.append(got.bytes);
  }
  end(true);
}

void TieredStore::Promotion::end(bool is_whole) {
  if (is_whole) store_.copy_nearer(whole(*entry_, read_), found_at_, quiet_since_);
  store_.promotions_.erase(this);  // destroys this
}

// One that is asked for again: its body travels twice. A tier of this process serves it as well
// from where it lies.
void TieredStore::promote_far(const EntryRef& entry, std::size_t found_at,
                              std::optional<std::uint64_t> quiet_since) {
  const keys::KeyView key = entry->key();
  std::uint64_t& seen = seen_[key.hash.low % kSeen];
  const bool is_first = std::exchange(seen, key.hash.high) != key.hash.high;
  if (is_first || !tiers_[found_at]->is_shared()) return;
  const bool has_room = std::ranges::any_of(
      tiers_.begin(), tiers_.begin() + static_cast<std::ptrdiff_t>(found_at),
      [&](const auto& tier) { return entry->body_size() <= tier->most_whole(); });
  if (!has_room || promotions_.size() >= kMostAtOnce) return;
  std::uint64_t bytes = entry->body_size();
  for (const auto& [promotion, owned] : promotions_) {
    if (promotion->key() == key) return;
    bytes += promotion->bytes();
  }
  if (bytes > kMostBytes) return;
  auto promotion = std::make_unique<Promotion>(*this, entry, found_at, quiet_since);
  Promotion* const raw = promotion.get();
  promotions_.emplace(raw, std::move(promotion));
  raw->read();
}

}  // namespace weir::backends
