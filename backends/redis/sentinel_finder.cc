#include "backends/redis/sentinel_finder.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "backends/redis/link.h"

namespace weir::backends::redis {
namespace {

// Several are asked within the time that a link has to connect.
constexpr std::int64_t kPatience_ms = 300;

}  // namespace

// One sentinel after another.
class SentinelFinder::Search final : public PendingAnswer {
 public:
  Search(SentinelFinder& finder, Found found)
      : loop_(finder.loop_),
        resolver_(finder.resolver_),
        topology_(finder.topology_),
        finder_(finder.life_.watch()),
        left_(finder.sentinels_.rbegin(), finder.sentinels_.rend()),
        found_(std::move(found)) {}

  // Nothing is told within it.
  void ask_next() {
    if (left_.empty())
      return end(fail(ErrorCode::Unavailable, "no sentinel says where it is: " + why_));
    asked_ = std::move(left_.back());
    left_.pop_back();
    // A sentinel has users and passwords of its own.
    ServerPlace place = topology_.at(asked_);
    place.username.clear();
    place.password.clear();
    place.db = 0;
    link_ = std::make_unique<Link>(
        loop_, resolver_, std::make_unique<FixedPlace>(place),
        LinkOptions{.timeout_ms = kPatience_ms, .kind = LinkOptions::Kind::Guide}, nullptr);
    Commands commands;
    commands.add({"SENTINEL", "get-master-addr-by-name", topology_.master});
    auto call = link_->call(
        commands, [this](const Link::Replies& replies, std::string_view) { on_answer(replies); });
    if (call) call_ = std::move(*call);
  }

 private:
  void on_answer(const Link::Replies& replies) {
    if (!replies) return blame("it does not answer");
    const Reply& reply = replies->front();
    if (reply.is_error()) return blame(reply.refusal());
    if (reply.elements.size() != 2) return blame("it knows no master " + topology_.master);
    const std::string_view port = reply.elements[1].bytes();
    ServerPlace place = topology_.place;
    place.host = reply.elements[0].bytes();
    const auto [at, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
    if (error != std::errc{} || at != port.data() + port.size()) return blame("it names no port");
    if (SentinelFinder* const finder = finder_.get()) finder->prefer(asked_);
    end(std::move(place));
  }

  void blame(const std::string& why) {
    why_ = asked_.text() + ": " + why;
    // A search that takes too long is dropped: the next one begins with others.
    if (SentinelFinder* const finder = finder_.get()) finder->put_last(asked_);
    ask_next();
  }

  // Whoever is told may drop this object: nothing comes after.
  void end(Result<ServerPlace> place) {
    Found found = std::move(found_);
    found(std::move(place));
  }

  EventLoop& loop_;
  Resolver& resolver_;
  const Topology topology_;
  const Weak<SentinelFinder> finder_;
  std::vector<HostAndPort> left_;  // the next one last
  Found found_;
  HostAndPort asked_;
  std::string why_ = "there is none";
  std::unique_ptr<Link> link_;
  std::unique_ptr<PendingAnswer> call_;
};

SentinelFinder::SentinelFinder(EventLoop& loop, Resolver& resolver, const Topology& topology)
    : loop_(loop),
      resolver_(resolver),
      topology_(topology),
      sentinels_(topology.seeds.begin(), topology.seeds.end()) {}

SentinelFinder::~SentinelFinder() = default;

std::unique_ptr<PendingAnswer> SentinelFinder::find(Found found) {
  auto search = std::make_unique<Search>(*this, std::move(found));
  search->ask_next();
  return search;
}

void SentinelFinder::put_last(const HostAndPort& sentinel) {
  const auto at = std::ranges::find(sentinels_, sentinel);
  if (at != sentinels_.end()) std::rotate(at, at + 1, sentinels_.end());
}

void SentinelFinder::prefer(const HostAndPort& sentinel) {
  const auto at = std::ranges::find(sentinels_, sentinel);
  if (at != sentinels_.end()) std::rotate(sentinels_.begin(), at, at + 1);
}

}  // namespace weir::backends::redis
