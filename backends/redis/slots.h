// Which slot of a Redis Cluster a name is in, and what its nodes say of who has which: the answer
// to CLUSTER SLOTS, and the redirections MOVED and ASK. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "backends/redis/reply.h"
#include "backends/redis/topology.h"

namespace weir::backends::redis {

inline constexpr std::size_t kSlots = 16'384;

// By what stands between the first `{` and the next `}`, if there is something, or the whole name.
std::size_t slot_of(std::string_view name);

struct SlotMap {
  static constexpr std::uint16_t kNobody = 0xFFFF;
  std::vector<HostAndPort> masters;  // sorted
  std::array<std::uint16_t, kSlots> owners;

  // Null: nobody has it.
  const HostAndPort* master_of(std::size_t slot) const {
    return owners[slot] == kNobody ? nullptr : &masters[owners[slot]];
  }
};
// `asked` is the host of who says so: a node that does not know its own address leaves it out.
// Empty: that is no map.
std::optional<SlotMap> read_slots(const Reply& reply, const std::string& asked);

struct Redirection {
  bool is_ask = false;  // for this command alone; else the slot has moved
  HostAndPort to;
};
// Empty: it is none.
std::optional<Redirection> read_redirection(const Reply& reply, const std::string& asked);

}  // namespace weir::backends::redis
