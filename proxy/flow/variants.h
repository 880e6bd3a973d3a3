// The variants of a URL (RFC 9111 4.1): a marker under the base key says which request fields tell
// them apart and which variants are known; each variant is an ordinary entry under its own key.
// Any thread, each with a store of its own loop.
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "cachekeys/key.h"

namespace weir::flow {

class VariantBook {
 public:
  // In both, `seen` is the marker that a look-up found a while ago, or null. It counts where the
  // one in the store is not at hand any more, and would have to be waited for.

  // The fields that tell the URL's variants apart now that an answer came which names `own` ones
  // (sorted): those that earlier answers named too. Apps name a field in one answer and leave it
  // out of the next; the one without is then stored as the variant of its own request and takes
  // nobody's place. Variants that no `keeps_apart` is true of are nobody's: where there is no
  // other, the URL has none, and what was known of them is forgotten.
  std::vector<std::string> names_for(
      backends::Store& store, keys::KeyView base, const backends::EntryRef& seen,
      const std::vector<std::string>& own,
      const std::function<bool(const backends::Entry&)>& keeps_apart);

  // Makes the variant known under the URL's marker. True when the URL had max_variants already and
  // its least recently used one was dropped for it. Nothing is done at a URL whose variants are
  // told apart by more fields since.
  bool admit(backends::Store& store, keys::KeyView base, const backends::EntryRef& seen,
             const std::vector<std::string>& vary, const std::string& variant_key,
             std::size_t max_variants);

 private:
  static constexpr std::size_t kStripes = 64;
  // Two workers that admit variants of one URL at the same moment take turns.
  std::array<std::mutex, kStripes> stripes_;
};

}  // namespace weir::flow
