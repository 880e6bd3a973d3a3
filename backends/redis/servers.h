// The servers of one Redis backend on one loop, and which of them has a name. Loop thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "backends/redis/link.h"
#include "backends/redis/redis_shared.h"

namespace weir::backends::redis {

class Servers {
 public:
  virtual ~Servers() = default;

  // Each server has two links: no large reply, which has time as long as bytes come, holds up a
  // small one.
  enum class Load : std::uint8_t { Small, Large };
  // Asks the server that has `name`, and all names that the commands are about, as Link::call does.
  // Not while that server is left alone because it does not answer.
  virtual Link::Started call(Load load, std::string_view name, Commands commands,
                             Link::Heard heard) = 0;

  // How many masters there are, as far as is known, and one of them, for what it has.
  virtual std::size_t masters() const = 0;
  virtual Link::Started call_master(std::size_t index, const Commands& commands,
                                    Link::Heard heard) = 0;

  // What was answered came from a server that is not known (SharedPositions::meet).
  virtual void met_another() = 0;
};

std::unique_ptr<Servers> make_servers(RedisShared& shared, EventLoop& loop);

// How the two links behave.
LinkOptions small_link(const RedisOptions& options);
LinkOptions large_link(const RedisOptions& options);

}  // namespace weir::backends::redis
