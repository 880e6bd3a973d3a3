#include "proxy/flow/variants.h"

#include <algorithm>
#include <iterator>

#include "base/hash.h"
#include "proxy/policy/vary_list.h"

namespace weir::flow {
namespace {

using backends::Purpose;

// Of the keys in a marker, each of which holds what its client sent: each new variant costs time
// for all of them.
constexpr std::size_t kMostListBytes = std::size_t{256} * 1024;

keys::KeyView view_of(std::string_view key) {
  return {key, hash128(key)};
}

// The URL's marker, or null.
backends::EntryRef marker_at(backends::Store& store, keys::KeyView base,
                             const backends::EntryRef& seen) {
  backends::EntryRef stored = store.lookup_now(base, Purpose::Probe);
  if (!stored && seen && store.may_have(base)) return seen;
  if (stored && stored->kind() != backends::Entry::Kind::VaryMarker) return nullptr;
  return stored;
}

// The variant that nobody has used for longest. One that the backend no longer has is the best, and
// one that would have to be waited for the next best: it was not used while others were.
std::vector<std::string>::iterator least_used(backends::Store& store,
                                              std::vector<std::string>& variants) {
  auto oldest = variants.begin();
  backends::EntryRef oldest_entry;
  auto far = variants.end();
  for (auto at = variants.begin(); at != variants.end(); ++at) {
    backends::EntryRef entry = store.lookup_now(view_of(*at), Purpose::Probe);
    if (!entry) {
      if (!store.may_have(view_of(*at))) return at;
      if (far == variants.end()) far = at;
      continue;
    }
    if (oldest_entry && !entry->used_before(*oldest_entry)) continue;
    oldest_entry = std::move(entry);
    oldest = at;
  }
  return far != variants.end() ? far : oldest;
}

bool names_all(const std::vector<std::string>& all, const std::vector<std::string>& some) {
  return std::ranges::includes(all, some);
}

// Nobody would find them again.
void forget_variants(backends::Store& store, const backends::Entry& marker) {
  for (const std::string_view stranded : marker.variants()) store.erase(view_of(stranded));
}

}  // namespace

std::vector<std::string> VariantBook::names_for(
    backends::Store& store, keys::KeyView base, const backends::EntryRef& seen,
    const std::vector<std::string>& own,
    const std::function<bool(const backends::Entry&)>& keeps_apart) {
  const std::lock_guard lock(stripes_[base.hash.low % kStripes]);
  const backends::EntryRef marker = marker_at(store, base, seen);
  if (!marker) return own;
  const std::vector<std::string> known = marker->vary().to_vector();
  if (own == known) return own;
  bool lives = false;
  for (const std::string_view variant : marker->variants()) {
    const backends::EntryRef entry = store.lookup_now(view_of(variant), Purpose::Probe);
    // One that would have to be waited for may be of use.
    lives = entry ? keeps_apart(*entry) : store.may_have(view_of(variant));
    if (lives) break;
  }
  std::vector<std::string> names;
  std::ranges::set_union(known, own, std::back_inserter(names));
  if (lives && names.size() <= policy::kMaxVaryNames) return names;
  forget_variants(store, *marker);
  store.erase(base);
  return own;
}

bool VariantBook::admit(backends::Store& store, keys::KeyView base, const backends::EntryRef& seen,
                        const std::vector<std::string>& vary, const std::string& variant_key,
                        std::size_t max_variants) {
  const std::lock_guard lock(stripes_[base.hash.low % kStripes]);
  const backends::EntryRef known = marker_at(store, base, seen);
  std::vector<std::string> variants;
  if (known && known->vary() == vary) {
    variants = known->variants().to_vector();
    if (std::find(variants.begin(), variants.end(), variant_key) != variants.end()) return false;
  } else if (known) {
    if (names_all(known->vary().to_vector(), vary)) return false;
    forget_variants(store, *known);
  }
  bool dropped = false;
  std::size_t bytes = variant_key.size();
  for (const std::string& variant : variants) bytes += variant.size();
  while (!variants.empty() && (variants.size() >= max_variants || bytes > kMostListBytes)) {
    const auto victim = least_used(store, variants);
    store.erase(view_of(*victim));
    bytes -= victim->size();
    variants.erase(victim);
    dropped = true;
  }
  variants.push_back(variant_key);
  backends::EntryParts marker;
  marker.kind = backends::EntryKind::VaryMarker;
  marker.key = base.bytes;
  marker.hash = base.hash;
  marker.vary = vary;
  marker.variants = std::move(variants);
  backends::store_unheard(store, backends::make_entry(std::move(marker)));
  return dropped;
}

}  // namespace weir::flow
