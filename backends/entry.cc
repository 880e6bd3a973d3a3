#include "backends/entry.h"

#include <utility>

namespace weir::backends {
namespace {

// What the allocator adds to a block.
constexpr std::size_t kAllocation = 16;
// What a store keeps for an entry: its node and its share of a hash table that is between one
// third and two thirds full, and of the memory of evictions.
constexpr std::size_t kBookkeeping = 160;

std::size_t heap_bytes(const std::string& text) {
  const bool is_inline = text.capacity() <= std::string().capacity();
  return is_inline ? 0 : text.capacity() + 1 + kAllocation;
}

std::size_t heap_bytes(const std::vector<std::string>& texts) {
  std::size_t total = texts.capacity() * sizeof(std::string);
  for (const std::string& text : texts) total += heap_bytes(text);
  return total;
}

std::size_t charge_of(const Entry::Parts& parts) {
  return sizeof(Entry) + kAllocation + kBookkeeping + heap_bytes(parts.key) +
         heap_bytes(parts.h1_head) + parts.fields.charge() + 2 * kAllocation + parts.body.charge() +
         (parts.body.pieces().size() + 1) * kAllocation + heap_bytes(parts.vary) +
         heap_bytes(parts.variants);
}

}  // namespace

Entry::Entry(Parts parts) : parts_(std::move(parts)), charge_(charge_of(parts_)) {}

Entry::~Entry() {
  if (account_) account_->subtract(charge_);
}

EntryRef Entry::copy() const {
  return make_ref<Entry>(parts_);
}

bool Entry::bind_account(Ref<ByteAccount> account) const {
  const ByteAccount* nobody = nullptr;
  if (!owner_.compare_exchange_strong(nobody, account.get(), std::memory_order_relaxed)) {
    return false;
  }
  account_ = std::move(account);
  return true;
}

}  // namespace weir::backends
