#include "backends/redis/servers.h"

#include <utility>

#include "backends/redis/cluster_servers.h"
#include "backends/redis/one_server.h"
#include "backends/redis/sentinel_finder.h"

namespace weir::backends::redis {
namespace {

// Its server, or the log's, is looked for anew at once: not again for every reply.
constexpr std::int64_t kRenewalsApart_ms = 500;

}  // namespace

OneServer::OneServer(RedisShared& shared, EventLoop& loop)
    : shared_(shared),
      loop_(loop),
      health_(shared.health_of(shared.options().servers.text())),
      small_(loop, shared.resolver(), finder(), small_link(shared.options()), health_.get()),
      large_(loop, shared.resolver(), finder(), large_link(shared.options()), health_.get()) {}

std::unique_ptr<PlaceFinder> OneServer::finder() const {
  const Topology& servers = shared_.options().servers;
  if (servers.kind == Topology::Kind::Single) return std::make_unique<FixedPlace>(servers.place);
  return std::make_unique<SentinelFinder>(loop_, shared_.resolver(), servers);
}

Link::Started OneServer::call(Load load, std::string_view, Commands commands, Link::Heard heard) {
  if (!health_->may_ask(loop_.now_ms())) return std::unexpected(LinkFault::Unreachable);
  return (load == Load::Small ? small_ : large_).call(commands, std::move(heard));
}

Link::Started OneServer::call_master(std::size_t, const Commands& commands, Link::Heard heard) {
  return call(Load::Small, {}, commands, std::move(heard));
}

void OneServer::met_another() {
  if (loop_.now_ms() < renew_again_ms_) return;
  renew_again_ms_ = loop_.now_ms() + kRenewalsApart_ms;
  // Not within what a link has just told.
  loop_.post([weak = life_.watch()] {
    if (OneServer* const servers = weak.get()) servers->small_.renew();
    if (OneServer* const servers = weak.get()) servers->large_.renew();
  });
}

std::unique_ptr<Servers> make_servers(RedisShared& shared, EventLoop& loop) {
  if (shared.options().servers.kind == Topology::Kind::Cluster) {
    return std::make_unique<ClusterServers>(shared, loop);
  }
  return std::make_unique<OneServer>(shared, loop);
}

LinkOptions small_link(const RedisOptions& options) {
  LinkOptions out{.timeout_ms = options.timeout_ms};
  out.replies.bytes = std::size_t{1} << 20U;  // what is inside, its head, and a part of a listing
  if (options.servers.kind == Topology::Kind::Sentinels) out.kind = LinkOptions::Kind::Master;
  return out;
}

LinkOptions large_link(const RedisOptions& options) {
  LinkOptions out = small_link(options);
  out.while_silent = true;
  out.most_unsent = std::size_t{32} << 20U;
  return out;
}

}  // namespace weir::backends::redis
