// Several backends as one, nearest first. A look-up for a client asks them in turn and copies what
// a farther tier had into the nearer ones; a store writes to all; an erase reaches all.
//
// An object is admitted when any tier admits it, and stored when any has stored it; the others
// drop what they had under its key. A copy made by a look-up never outlives what was stored, erased
// or cleared while the look-up was under way, as long as that went through the same backend.
// An object that arrives as an inflow is kept by the nearest tier that takes it so, alone.
// lookup_now() asks every tier that answers now, in the same order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace weir::backends {

// With a single tier, that tier itself. `tiers` is not empty.
std::shared_ptr<Backend> make_tiered(std::vector<std::shared_ptr<Backend>> tiers);

}  // namespace weir::backends
