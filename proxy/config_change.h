// What has to happen for one configuration to follow another while it runs. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"

namespace weir {

// What becomes of a backend that the next configuration names.
enum class BackendChange : std::uint8_t {
  Kept,     // the one that is there, as it is
  Resized,  // the one that is there, by other sizes or times
  Opened,   // none that is there
};

struct ConfigChange {
  std::vector<BackendChange> backends;  // parallel to next.backends
  std::vector<std::size_t> closed;      // of now.backends: they are not in use any more

  // Parallel to next.listen: which of now.listen it is; nothing where it has to be opened.
  std::vector<std::optional<std::size_t>> listen;
  std::vector<std::size_t> closed_listen;  // of now.listen
  bool same_admin = false;                 // its address; also when both have none

  bool same_upstream = false;
  bool same_log_file = false;
  bool same_trusted_fields = false;

  // Sentences. Refused: why it cannot follow at all. Kept: what stays as it is all the same.
  std::vector<std::string> refused;
  std::vector<std::string> kept;
};

ConfigChange change_of(const conf::Config& now, const conf::Config& next);

// `next` as it can be in force: with the values of `now` where a change of them waits for a start.
conf::Config in_force(const conf::Config& now, conf::Config next);

}  // namespace weir
