#include "backends/redis/cluster_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/random.h"

namespace weir::backends::redis {
namespace {

constexpr std::int64_t kPatience_ms = 300;
constexpr std::int64_t kApart_ms = 250;
// A map in as many ranges as there are slots.
constexpr std::size_t kMostRanges = kSlots;

}  // namespace

class ClusterMap::Handle final : public PendingAnswer {
 public:
  Handle(Weak<ClusterMap> map, std::uint64_t number) : map_(std::move(map)), number_(number) {}
  ~Handle() override {
    if (ClusterMap* const map = map_.get()) {
      std::erase_if(map->waiting_, [&](const Waiting& one) { return one.number == number_; });
    }
  }

 private:
  const Weak<ClusterMap> map_;
  const std::uint64_t number_;
};

ClusterMap::ClusterMap(EventLoop& loop, Resolver& resolver, const Topology& topology)
    : loop_(loop), resolver_(resolver), topology_(topology) {}

ClusterMap::~ClusterMap() = default;

std::unique_ptr<PendingAnswer> ClusterMap::refresh(Told told) {
  const std::uint64_t number = next_number_++;
  waiting_.push_back({number, std::move(told)});
  begin();
  // It was asked just now.
  if (!is_asking_) {
    loop_.post([weak = life_.watch()] {
      if (ClusterMap* const map = weak.get(); map && !map->is_asking_) map->tell_all();
    });
  }
  return std::make_unique<Handle>(life_.watch(), number);
}

// Those that were said to be there, in any order, and those that are always to be asked.
void ClusterMap::begin() {
  if (is_asking_ || loop_.now_ms() < not_before_ms_) return;
  is_asking_ = true;
  left_ = topology_.seeds;
  std::ranges::reverse(left_);
  if (known_) {
    std::vector<HostAndPort> masters = known_->masters;
    std::ranges::rotate(
        masters, masters.begin() + static_cast<std::ptrdiff_t>(random_number() % masters.size()));
    std::ranges::move(masters, std::back_inserter(left_));
  }
  ask_next();
}

void ClusterMap::ask_next() {
  if (left_.empty()) return end();
  asked_ = std::move(left_.back());
  left_.pop_back();
  LinkOptions options{.timeout_ms = kPatience_ms, .kind = LinkOptions::Kind::Guide};
  options.replies.elements = kMostRanges;
  link_ = std::make_unique<Link>(
      loop_, resolver_, std::make_unique<FixedPlace>(topology_.at(asked_)), options, nullptr);
  Commands commands;
  commands.add({"CLUSTER", "SLOTS"});
  auto call = link_->call(
      commands, [this](const Link::Replies& replies, std::string_view) { on_answer(replies); });
  if (call) call_ = std::move(*call);
}

void ClusterMap::on_answer(const Link::Replies& replies) {
  if (!replies) return blame("it does not answer");
  const Reply& reply = replies->front();
  if (reply.is_error()) return blame(reply.refusal());
  std::optional<SlotMap> map = read_slots(reply, asked_.host);
  if (!map) return blame("it knows of no slots");
  known_ = std::make_unique<const SlotMap>(std::move(*map));
  ++heard_;
  end();
}

void ClusterMap::blame(const std::string& why) {
  why_ = asked_.text() + ": " + why;
  ask_next();
}

void ClusterMap::end() {
  call_.reset();
  link_.reset();
  is_asking_ = false;
  was_asked_ = true;
  not_before_ms_ = loop_.now_ms() + kApart_ms;
  tell_all();
}

// One that is told may drop the handle of another, and the map.
void ClusterMap::tell_all() {
  const Weak<ClusterMap> weak = life_.watch();
  for (std::size_t left = waiting_.size(); weak && left > 0 && !waiting_.empty(); --left) {
    Told told = std::move(waiting_.front().told);
    waiting_.erase(waiting_.begin());
    told();
  }
}

std::unique_ptr<PendingAnswer> SlotFinder::find(Found found) {
  return map_.refresh([this, found = std::move(found)]() mutable {
    const SlotMap* const map = map_.known();
    const HostAndPort* const master = map ? map->master_of(slot_) : nullptr;
    Found told = std::move(found);
    if (!map)
      return told(fail(ErrorCode::Unavailable,
                       "no node of the cluster says who has it: " + map_.why_not()));
    if (!master) return told(fail(ErrorCode::Unavailable, "no node of the cluster has its slot"));
    told(map_.topology().at(*master));
  });
}

}  // namespace weir::backends::redis
