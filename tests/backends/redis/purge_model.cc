#include "tests/backends/redis/purge_model.h"

#include <algorithm>
#include <bit>
#include <bitset>

namespace weir::backends::testing {
namespace {

constexpr std::size_t kNobodys = 1;
constexpr std::size_t kMostNames = 64;

// Gives the numbers that are there new ones, 1 and up, in the same order. 0 stays.
class Renaming {
 public:
  void see(Byte number) { seen_.set(number); }
  void done() {
    Byte next = 0;
    for (std::uint64_t left = seen_.to_ullong() & ~std::uint64_t{1}; left != 0; left &= left - 1) {
      names_[static_cast<std::size_t>(std::countr_zero(left))] = ++next;
    }
  }
  void rename(Byte& number) const { number = names_[number]; }

 private:
  std::bitset<kMostNames> seen_;
  std::array<Byte, kMostNames> names_ = {};
};

void for_each_position(Instance& one, const auto& visit) {
  visit(one.position);
  visit(one.dead_below);
  visit(one.stale_below);
  visit(one.own_base);
  visit(one.page.seq);
  visit(one.fetch.seq);
  for (Known& known : one.known) visit(known.own);
}

void for_each_beat(World& world, std::size_t who, const auto& visit) {
  Instance& one = world.instances[who];
  visit(one.beat);
  visit(one.trusted);
  visit(one.over);
  visit(world.server.members[who].beat);
  visit(world.copy.members[who].beat);
}

void for_each_place(Server& server, const auto& visit) {
  visit(server.object.at);
  visit(server.floor);
  for (LogEntry& entry : server.log) visit(entry.at);
  for (MemberEntry& entry : server.members) visit(entry.at);
}

void for_each_place(World& world, const auto& visit) {
  for_each_place(world.server, visit);
  for_each_place(world.copy, visit);
  visit(world.last_at);
  for (Waiting& waiting : world.waiting) visit(waiting.at);
  for (Instance& one : world.instances) {
    visit(one.floor);
    visit(one.sent_at);
    visit(one.last_appended);
    visit(one.fetch.at);
    visit(one.looking.object.at);
    for (Known& known : one.known) visit(known.at);
    for (PendingEntry& entry : one.pending) visit(entry.at);
  }
}

void rename_all(const auto& for_each) {
  Renaming renaming;
  for_each([&](Byte& number) { renaming.see(number); });
  renaming.done();
  for_each([&](Byte& number) { renaming.rename(number); });
}

// A page that no purge can make old any more is as good as none.
void forget_what_is_new(World& world) {
  const auto newest = static_cast<Byte>(world.purges + world.purges_left);
  const auto is_new = [newest](Byte version) { return version >= newest; };
  for (Server* const server : {&world.server, &world.copy}) {
    if (is_new(server->object.version)) server->object = {};
  }
  for (Instance& one : world.instances) {
    const OwnPage& page = one.page;
    const bool is_dead = page.seq < one.dead_below;
    const bool is_stale = page.is_shared != 0 && page.seq < one.stale_below;
    if (is_new(page.version) || is_dead || is_stale) one.page = {};
    if (is_new(one.looking.object.version)) one.looking = {};
    if (is_new(one.fetch.version)) one.fetch = {};
  }
}

void forget_what_is_over(World& world) {
  if (world.ends_left == 0) {
    world.copy = {};
    world.other_identity = 0;
    world.copies_left = 0;
  }
  for (Waiting& waiting : world.waiting) {
    if (waiting.state == Waiting::State::None) waiting = {.who = waiting.who};
  }
  for (std::size_t i = 0; i < kInstances; ++i) {
    Instance& one = world.instances[i];
    const bool is_waited_for = std::ranges::any_of(world.waiting, [i](const Waiting& waiting) {
      return waiting.state == Waiting::State::Unlogged && waiting.who == i;
    });
    if (!is_waited_for && one.phase != Phase::Sent && one.phase != Phase::Back) {
      one.last_appended = 0;
    }
    if (one.sending == 0) one.sent_at = 0;
    const bool is_away = one.phase == Phase::Away;
    if (is_away) one.identity = 0;
    if (is_away || one.phase == Phase::InStep) one.link = one.link == world.links ? world.links : 0;
  }
}

}  // namespace

void make_canonical(World& world) {
  forget_what_is_over(world);
  forget_what_is_new(world);
  for (Instance& one : world.instances) {
    rename_all([&](const auto& visit) { for_each_position(one, visit); });
  }
  for (std::size_t i = 0; i < kInstances; ++i) {
    rename_all([&](const auto& visit) { for_each_beat(world, i, visit); });
  }
  rename_all([&](const auto& visit) { for_each_place(world, visit); });
}

bool is_harmless(const World& world) {
  const auto newest = static_cast<Byte>(world.purges + world.purges_left);
  const auto is_old = [newest](Byte there, Byte version) { return there != 0 && version < newest; };
  const bool may_fetch = world.purges_left > 0 && world.fetches_left > 0;
  const bool may_promise = world.promised > 0 || world.purges_left > 0 ||
                           std::ranges::any_of(world.waiting, [](const Waiting& waiting) {
                             return waiting.state != Waiting::State::None;
                           });
  if (!may_promise) return true;
  return !may_fetch && !is_old(world.server.object.there, world.server.object.version) &&
         !is_old(world.copy.object.there, world.copy.object.version) &&
         std::ranges::none_of(world.instances, [&](const Instance& one) {
           return is_old(one.page.there, one.page.version) ||
                  is_old(one.looking.object.there, one.looking.object.version) ||
                  is_old(one.fetch.state != Fetch::State::None, one.fetch.version);
         });
}

const std::vector<PurgeModel::Kind>& PurgeModel::kinds() {
  using Model = PurgeModel;
  static const std::vector<Kind> kAll = {
      {&Model::copy, kNobodys, false, "the server is copied, or saved"},
      {&Model::fail_over, kNobodys, false, "the copy takes the server's place"},
      {&Model::restart, kNobodys, false, "the server starts again with what was saved"},
      {&Model::restart_empty, kNobodys, false, "the server starts again, empty"},
      {&Model::flush, kNobodys, false, "the server is flushed"},
      {&Model::grow_old, kNobodys, false, "the log is older than a lease"},
      {&Model::cut, kInstances, false, "loses its links"},
      {&Model::notice, kInstances, true, "notices that its links are gone"},
      {&Model::join, kInstances, true, "looks at the log"},
      {&Model::replace, kInstances, true, "gives the log another number"},
      {&Model::read, kInstances, true, "reads the log"},
      {&Model::append, kInstances, true, "appends what is pending"},
      {&Model::appended, kInstances, true, "hears that it is appended"},
      {&Model::read_back, kInstances, true, "reads it back"},
      {&Model::announce, kInstances, true, "announces itself"},
      {&Model::enter, kInstances, true, "reads to the end and is in step"},
      {&Model::follow, kInstances, true, "follows the log"},
      {&Model::beat, kInstances, true, "says how far it is"},
      {&Model::beaten, kInstances, true, "hears that this was heard"},
      {&Model::run_out, kInstances, false, "has been silent for a lease"},
      {&Model::trim, kInstances, false, "trims the log"},
      {&Model::begin_fetch, kInstances, false, "begins to fetch the page"},
      {&Model::end_fetch, kInstances, false, "has fetched the page, and has it in its own tier"},
      {&Model::store, kInstances, false, "stores the page in the server"},
      {&Model::look_up, kInstances, false, "asks the server for the page"},
      {&Model::looked_up, kInstances, false, "hears what page the server has"},
      {&Model::purge, kInstances, false, "purges the page"},
      {&Model::confirm, kMostPurges, false, "is confirmed by the replica"},
      {&Model::hear, kMostPurges, false, "is asked about: who has applied it?"},
      {&Model::hear_nothing, kMostPurges, false, "is asked about, and no answer comes"},
  };
  return kAll;
}

std::vector<Move> PurgeModel::moves() {
  std::vector<Move> out;
  for (std::size_t i = 0; i < kinds().size(); ++i) {
    for (std::size_t who = 0; who < kinds()[i].whose; ++who) {
      out.push_back({static_cast<Byte>(i), static_cast<Byte>(who)});
    }
  }
  return out;
}

std::string PurgeModel::words(const Move& move, const World& before) {
  const Kind& kind = kinds()[move.kind];
  std::string who;
  const auto is = [&](auto step) { return kind.step == step; };
  if (is(&PurgeModel::confirm) || is(&PurgeModel::hear) || is(&PurgeModel::hear_nothing)) {
    who = "purge " + std::to_string(move.who + 1) + " ";
  } else if (kind.whose != kNobodys) {
    who = move.who == 0 ? "A " : "B ";
  }
  std::string out = who + std::string(kind.words);
  if (is(&PurgeModel::purge)) out += " (purge " + std::to_string(before.purges + 1) + ")";
  return out;
}

bool PurgeModel::take(World& world, const Move& move) const {
  return (this->*kinds()[move.kind].step)(world, move.who);
}

bool PurgeModel::is_settled(const World& world) {
  return std::ranges::all_of(world.instances, [&](const Instance& one) {
    return one.phase == Phase::InStep && one.link == world.links && one.log == world.server.id &&
           one.pending.empty() && one.at() == world.server.last() && !one.is_over() &&
           one.trusted_identity == world.identity;
  });
}

void PurgeModel::turn(World& world) const {
  for (std::size_t i = 0; i < kinds().size(); ++i) {
    if (!kinds()[i].is_fair) continue;
    for (std::size_t who = 0; who < kinds()[i].whose; ++who) {
      take(world, {static_cast<Byte>(i), static_cast<Byte>(who)});
    }
  }
}

}  // namespace weir::backends::testing
