// A backend whose medium cannot be used by this process: it looks like one that fails all the time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "backends/backend.h"

namespace weir::backends {

// Every look-up is a miss, every store fails, nothing is listed; its breaker is open. erase() fails
// as well: the object may lie on the medium.
std::shared_ptr<Backend> make_absent_backend(std::string name, std::uint64_t max_object_size,
                                             std::int64_t default_expire_s);

}  // namespace weir::backends
