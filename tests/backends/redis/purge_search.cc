#include "tests/backends/redis/purge_search.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace weir::backends::testing {
namespace {

constexpr int kMostTurns = 40;

// By its bytes. Two states of one hash would be one too few: among 10^7 of them that happens once
// in 10^5 runs.
std::uint64_t hash_of(const World& world) {
  std::uint64_t out = 0x9E3779B97F4A7C15U;
  std::array<std::uint64_t, sizeof(World) / 8 + 1> words = {};
  std::memcpy(words.data(), &world, sizeof(World));
  for (const std::uint64_t word : words) {
    out ^= word;
    out *= 0xFF51AFD7ED558CCDU;
    out ^= out >> 32U;
  }
  return out;
}

struct AsItIs {
  std::size_t operator()(std::uint64_t hash) const { return hash; }
};

class Search {
 public:
  Search(const Rules& rules, const World& first, bool with_progress)
      : model_(rules), first_(first), with_progress_(with_progress) {
    make_canonical(first_);
    add(first_, 0, {});
  }

  Found run(std::size_t most_states) {
    while (!next_.empty() && found_.fault.empty() && came_.size() < most_states) visit();
    found_.is_whole = next_.empty();
    found_.states = came_.size();
    return found_;
  }

 private:
  struct Came {
    std::uint32_t from = 0;
    Move by;
  };

  void add(const World& world, std::uint32_t from, Move by) {
    if (!seen_.insert(hash_of(world)).second) return;
    came_.push_back({from, by});
    next_.push_back(world);
    if (world.promised > found_.promised) found_.promised = world.promised;
    found_.fault = model_.fault(world).value_or("");
    if (found_.fault.empty() && with_progress_) found_.fault = at_rest(world);
    if (!found_.fault.empty()) tell(came_.size() - 1);
  }

  void visit() {
    const World world = next_.front();
    next_.pop_front();
    const auto from = static_cast<std::uint32_t>(visited_++);
    if (!with_progress_ && is_harmless(world)) return;
    World then = world;
    for (const Move& move : moves_) {
      if (!model_.take(then, move)) continue;  // which has changed nothing
      if (then.is_short == 0) {
        make_canonical(then);
        add(then, from, move);
        if (!found_.fault.empty()) return;
      } else {
        ++found_.short_of;
      }
      then = world;
    }
  }

  // Once nothing new befalls them for long enough: all that was purged, however that was answered,
  // is gone everywhere.
  std::string at_rest(World world) const {
    for (int i = 0; i < kMostTurns && world.is_short == 0; ++i) {
      if (PurgeModel::is_settled(world)) {
        world.promised = world.purges;
        const auto fault = model_.fault(world);
        return fault ? "at rest " + *fault : "";
      }
      model_.turn(world);
    }
    return world.is_short != 0 ? "" : "they never come to rest";
  }

  void tell(std::size_t at) {
    std::vector<Move> way;
    for (; at != 0; at = came_[at].from) way.push_back(came_[at].by);
    std::ranges::reverse(way);
    World world = first_;
    for (const Move& move : way) {
      found_.history += "  " + std::to_string(++found_.steps) + ". ";
      found_.history += PurgeModel::words(move, world) + "\n";
      model_.take(world, move);
      make_canonical(world);
    }
    found_.history += "  => " + found_.fault + "\n";
  }

  const PurgeModel model_;
  const std::vector<Move> moves_ = PurgeModel::moves();
  World first_;
  const bool with_progress_;
  std::unordered_set<std::uint64_t, AsItIs> seen_;
  std::deque<World> next_;
  std::vector<Came> came_;  // in the order in which they are visited
  std::size_t visited_ = 0;
  Found found_;
};

}  // namespace

Found search(const Rules& rules, const World& first, std::size_t most_states, bool with_progress) {
  return Search(rules, first, with_progress).run(most_states);
}

}  // namespace weir::backends::testing
