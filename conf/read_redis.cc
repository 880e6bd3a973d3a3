// `backends:` of type redis: what it has beside its servers.
#include <array>
#include <string_view>

#include "conf/read_redis_servers.h"
#include "conf/readers.h"
#include "conf/units.h"

namespace weir::conf {
namespace {

// What the server's own configuration says.
void refuse_bounds(Section& section) {
  for (const std::string_view key : {"threshold", "max_size"}) {
    if (!section.take(key)) continue;
    section.at_key(key).error(
        "is Redis' own matter: set maxmemory, and maxmemory-policy volatile-lru, there");
  }
}

void read_fleet(Section& section, Backend& backend) {
  const auto cursor = section.take("fleet");
  if (!cursor) return;
  constexpr std::array<std::string_view, 2> kPartition = {"serve", "drop"};
  Section fleet(*cursor, "a map, such as {partition: drop}");
  if (const auto partition = fleet.take("partition")) {
    if (const auto choice = partition->choice(kPartition))
      backend.drops_when_cut_off = *choice == 1;
  }
  fleet.finish();
}

}  // namespace

void read_redis(Section& section, Backend& backend) {
  read_redis_servers(section, backend);
  refuse_bounds(section);
  read_fleet(section, backend);
  section.seconds("default_expire", backend.default_expire_s);
  section.seconds("keep", backend.keep_s);
  if (const auto timeout = section.take("timeout")) {
    if (const auto ms = timeout->milliseconds({1, 10'000})) backend.timeout_ms = *ms;
  }
  if (const auto size = section.take("max_object_size")) {
    if (const auto bytes = size->size({1, 512 * kMiB})) backend.max_object_size = *bytes;
  }
}

}  // namespace weir::conf
