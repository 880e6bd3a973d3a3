// The servers of a backend that has one: at a fixed place, or the master that sentinels name.
#pragma once

#include <cstdint>
#include <memory>

#include "backends/redis/servers.h"

namespace weir::backends::redis {

class OneServer final : public Servers {
 public:
  OneServer(RedisShared& shared, EventLoop& loop);

  Link::Started call(Load load, std::string_view name, Commands commands,
                     Link::Heard heard) override;
  std::size_t masters() const override { return 1; }
  Link::Started call_master(std::size_t, const Commands& commands, Link::Heard heard) override;
  void met_another() override;

 private:
  std::unique_ptr<PlaceFinder> finder() const;

  RedisShared& shared_;
  EventLoop& loop_;
  const std::shared_ptr<ServerHealth> health_;
  Link small_;
  Link large_;
  std::int64_t renew_again_ms_ = 0;
  Life<OneServer> life_{*this};
};

}  // namespace weir::backends::redis
