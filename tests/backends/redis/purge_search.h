// All histories of the small world, the shortest first.
#pragma once

#include <cstddef>
#include <string>

#include "tests/backends/redis/purge_model.h"

namespace weir::backends::testing {

struct Found {
  std::size_t states = 0;
  bool is_whole = false;     // all of them were seen
  std::size_t short_of = 0;  // states at which one of the model's lists was too short
  std::size_t promised = 0;  // purges that were answered with 200 somewhere
  std::string fault;         // empty: none
  std::string history;       // step by step, of the shortest that ends in it
  std::size_t steps = 0;
};

// Until a fault, or until so many states were seen. `with_progress`: from each of them both
// instances come in step when nothing new befalls them.
Found search(const Rules& rules, const World& first, std::size_t most_states,
             bool with_progress = false);

}  // namespace weir::backends::testing
