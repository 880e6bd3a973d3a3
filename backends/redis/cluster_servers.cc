#include "backends/redis/cluster_servers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace weir::backends::redis {
namespace {

// A slot that moves while it is asked for, and its new place learnt from who is being left.
constexpr int kMostTries = 4;
// Of those that are gone some are kept: they may come back.
constexpr std::size_t kManyNodes = 64;

}  // namespace

// A call on its way to the server that has its slot.
class ClusterServers::Routed final : public PendingAnswer {
 public:
  // Who is to be asked.
  struct Wanted {
    std::size_t slot = 0;
    std::optional<std::size_t> master = {};  // that one of the map, in place of who has the slot
  };
  Routed(ClusterServers& servers, Load load, const Wanted& wanted, Commands commands,
         Link::Heard heard)
      : servers_(servers),
        load_(load),
        wanted_(wanted),
        commands_(std::move(commands)),
        heard_(std::move(heard)),
        due_ms_(servers.loop_.now_ms() + servers.shared_.options().timeout_ms) {}

  // Tells nothing within it.
  std::expected<void, LinkFault> begin() {
    if (servers_.map_.known() || servers_.map_.is_out_of_reach()) return by_map();
    patience_ = std::make_unique<Timer>(servers_.loop_, [this] {
      finding_.reset();
      end(std::unexpected(LinkFault::Timeout), {});
    });
    patience_->start_at(due_ms_);
    finding_ = servers_.map_.refresh([this] {
      finding_.reset();
      patience_.reset();
      if (const auto begun = by_map(); !begun) end(std::unexpected(begun.error()), {});
    });
    return {};
  }

 private:
  std::expected<void, LinkFault> by_map() {
    const HostAndPort* const master = wanted();
    if (!master) {
      servers_.map_.refresh();
      return std::unexpected(LinkFault::Unreachable);
    }
    return ask(*master, false);
  }

  const HostAndPort* wanted() const {
    const SlotMap* const map = servers_.map_.known();
    if (!map) return nullptr;
    if (!wanted_.master) return map->master_of(wanted_.slot);
    return *wanted_.master < map->masters.size() ? &map->masters[*wanted_.master] : nullptr;
  }

  std::expected<void, LinkFault> ask(const HostAndPort& place, bool is_ask) {
    asked_ = place;
    Node& node = servers_.node_at(place);
    if (!node.health->may_ask(servers_.loop_.now_ms())) {
      servers_.map_.refresh();  // another may have taken its place
      return std::unexpected(LinkFault::Unreachable);
    }
    Link& link = load_ == Load::Small ? node.small : node.large;
    auto heard = [this, is_ask](Link::Replies replies, std::string_view run) {
      on_replies(std::move(replies), run, is_ask);
    };
    Link::Started call = is_ask ? link.call(commands_.each_behind("ASKING"), std::move(heard))
                                : link.call(commands_, std::move(heard));
    if (!call) {
      servers_.map_.refresh();
      return std::unexpected(call.error());
    }
    call_ = std::move(*call);
    return {};
  }

  void on_replies(Link::Replies replies, std::string_view run, bool is_ask) {
    if (!replies) {
      if (replies.error() != LinkFault::Busy) servers_.map_.refresh();
      return end(std::move(replies), {});
    }
    if (is_ask) drop_asking(*replies);
    for (const Reply& reply : *replies) {
      if (reply.error_code() == "CLUSTERDOWN") servers_.map_.refresh();
      const auto redirection = read_redirection(reply, asked_.host);
      if (!redirection) continue;
      if (!redirection->is_ask) servers_.map_.refresh();
      return follow(*redirection);
    }
    end(std::move(replies), run);
  }

  // Every second reply is to the ASKING before the command.
  static void drop_asking(std::vector<Reply>& replies) {
    std::vector<Reply> out;
    for (std::size_t i = 1; i < replies.size(); i += 2) out.push_back(std::move(replies[i]));
    replies = std::move(out);
  }

  // All of it once more: whatever was done is done again to the same end.
  void follow(const Redirection& redirection) {
    if (++tries_ >= kMostTries || servers_.loop_.now_ms() >= due_ms_) {
      return end(std::unexpected(LinkFault::Timeout), {});
    }
    if (const auto begun = ask(redirection.to, redirection.is_ask); !begun) {
      end(std::unexpected(begun.error()), {});
    }
  }

  // Whoever is told may drop this object: nothing comes after.
  void end(Link::Replies replies, std::string_view run) {
    Link::Heard heard = std::move(heard_);
    heard(std::move(replies), run);
  }

  ClusterServers& servers_;
  const Load load_;
  const Wanted wanted_;
  const Commands commands_;
  Link::Heard heard_;
  const std::int64_t due_ms_;  // then no other server is asked
  int tries_ = 0;
  HostAndPort asked_;
  std::unique_ptr<PendingAnswer> finding_;
  std::unique_ptr<Timer> patience_;  // while it is not known who there is
  std::unique_ptr<PendingAnswer> call_;
};

ClusterServers::ClusterServers(RedisShared& shared, EventLoop& loop)
    : shared_(shared), loop_(loop), map_(loop, shared.resolver(), shared.options().servers) {}

ClusterServers::~ClusterServers() = default;

Link::Started ClusterServers::call(Load load, std::string_view name, Commands commands,
                                   Link::Heard heard) {
  return start(std::make_unique<Routed>(*this, load, Routed::Wanted{.slot = slot_of(name)},
                                        std::move(commands), std::move(heard)));
}

Link::Started ClusterServers::start(std::unique_ptr<Routed> routed) {
  if (const auto begun = routed->begin(); !begun) return std::unexpected(begun.error());
  return routed;
}

std::size_t ClusterServers::masters() const {
  const SlotMap* const map = map_.known();
  return map ? map->masters.size() : 1;
}

Link::Started ClusterServers::call_master(std::size_t index, const Commands& commands,
                                          Link::Heard heard) {
  return start(std::make_unique<Routed>(*this, Load::Small, Routed::Wanted{.master = index},
                                        commands, std::move(heard)));
}

ClusterServers::Node::Node(const ClusterServers& servers, const HostAndPort& place)
    : health(servers.shared_.health_of(place.text())),
      small(servers.loop_, servers.shared_.resolver(), servers.finder_of(place),
            small_link(servers.shared_.options()), health.get()),
      large(servers.loop_, servers.shared_.resolver(), servers.finder_of(place),
            large_link(servers.shared_.options()), health.get()) {}

std::unique_ptr<PlaceFinder> ClusterServers::finder_of(const HostAndPort& place) const {
  return std::make_unique<FixedPlace>(shared_.options().servers.at(place));
}

ClusterServers::Node& ClusterServers::node_at(const HostAndPort& place) {
  if (map_.heard() != looked_through_) drop_left_nodes();
  const std::string name = place.text();
  if (const auto found = nodes_.find(name); found != nodes_.end()) return found->second;
  if (nodes_.size() >= kManyNodes) drop_idle_nodes();
  return nodes_.try_emplace(name, *this, place).first->second;
}

void ClusterServers::drop_idle_nodes() {
  std::erase_if(nodes_, [](const auto& node) {
    return node.second.small.is_idle() && node.second.large.is_idle();
  });
}

// Nobody asks them again, nor is it said of them for ever that they do not answer. Those of which
// somebody still waits for a reply go another time.
void ClusterServers::drop_left_nodes() {
  const SlotMap& map = *map_.known();
  bool any_left = false;
  for (auto node = nodes_.begin(); node != nodes_.end();) {
    const bool has_left =
        std::ranges::find(map.masters, node->first, &HostAndPort::text) == map.masters.end();
    const bool may_go = has_left && node->second.small.is_idle() && node->second.large.is_idle();
    any_left = any_left || (has_left && !may_go);
    node = may_go ? nodes_.erase(node) : std::next(node);
  }
  if (!any_left) looked_through_ = map_.heard();
}

}  // namespace weir::backends::redis
