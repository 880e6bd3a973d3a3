// The argument of docs/fleet-purges.md, checked in all histories of a small world: with its rules
// nothing goes wrong in any of them, and without any one of them something does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/backends/redis/purge_search.h"

namespace weir::backends::testing {
namespace {

using ::testing::HasSubstr;

#ifdef WEIR_SMALL_MODEL  // a sanitizer's build is ten times slower
constexpr bool kIsSmall = true;
#else
constexpr bool kIsSmall = false;
#endif
constexpr std::size_t kMostStates = 3'000'000;

// ---- worlds ----

World at_the_start() {
  World out;
  out.fetches_left = 1;
  out.purges_left = 1;
  return out;
}

// Both have been so for a while, with nothing purged yet.
World in_step() {
  World out;
  out.server.id = 1;
  out.server.runs = 1U << 1U;
  for (Instance& one : out.instances) {
    one.phase = Phase::InStep;
    one.identity = one.last_identity = one.trusted_identity = 1;
    one.beat = one.trusted = 1;
    one.log = 1;
  }
  out.server.members = {{{1, 0, 1}, {1, 0, 1}}};
  out.copy = out.server;
  return out;
}

World with(World out, Byte purges, Byte fetches, Byte looks = 0) {
  out.purges_left = purges;
  out.fetches_left = fetches;
  out.looks_left = looks;
  return out;
}

// The page lies in both own tiers and in the server; one purge is to come.
World stored_everywhere() {
  World out = with(in_step(), 1, 0);
  for (Server* const server : {&out.server, &out.copy}) server->object = {1, 0, 1, 0};
  for (Instance& one : out.instances) one.page = {1, 0, 1, 0};
  return out;
}

World b_is_away(World out) {
  Instance& b = out.instances[1];
  b.phase = Phase::Away;
  b.trusted_identity = 0;
  b.over = b.beat;
  return out;
}

World cut(World out, Byte cuts, Byte lapses) {
  out.cuts_left = cuts;
  out.lapses_left = lapses;
  return out;
}

World trimmed(World out) {
  out.trims_left = 1;
  return out;
}

World flushed(World out) {
  out.flushes_left = 1;
  return out;
}

// What was saved is from a time when others were live.
World saved_long_ago(World out) {
  out.ends_left = 1;
  out.copy.members = {};
  return out;
}

World replaced(World out, bool has_replica, Byte times = 1) {
  out.ends_left = times;
  out.copies_left = 1;
  out.has_replica = has_replica ? 1 : 0;
  return out;
}

struct Scenario {
  std::string name;
  World first;
  bool is_large = false;
};

std::vector<Scenario> scenarios() {
  const World stored = stored_everywhere();
  return {
      {"TheyBegin", at_the_start()},
      {"TwoPurges", with(in_step(), 2, 2)},
      {"TwoPurgesAndACut", cut(with(stored, 2, 0), 1, 1), true},
      {"TwoFetchesALookUpAndACut", cut(with(in_step(), 1, 2, 1), 1, 1), true},
      {"ACutAndTheLogTrimmed", trimmed(cut(with(in_step(), 1, 1), 1, 1))},
      {"TheServerIsFlushed", flushed(cut(stored, 0, 1))},
      {"TheServerStartsAgain", saved_long_ago(with(stored, 1, 1)), true},
      {"TheServerStartsAgainWhileBIsAway", replaced(b_is_away(stored), false)},
      {"AFailover", replaced(with(stored, 1, 1), true), true},
      {"AFailoverWhileBIsAway", replaced(b_is_away(stored), true)},
  };
}

// Of which also the end is looked at.
std::vector<Scenario> scenarios_to_rest() {
  const World stored = stored_everywhere();
  return {
      {"AtTheStart", with(at_the_start(), 1, 0)},
      {"ACutAndTheLogTrimmed", trimmed(cut(stored, 1, 1))},
      {"TheServerIsFlushed", flushed(stored)},
      {"TheServerStartsAgain", saved_long_ago(stored)},
      {"TheServerStartsAgainWhileBIsAway", replaced(b_is_away(stored), false), true},
      {"AFailover", replaced(stored, true), true},
  };
}

std::ostream& operator<<(std::ostream& out, const Scenario& scenario) {
  return out << scenario.name;
}

std::string name_of(const ::testing::TestParamInfo<Scenario>& info) {
  return info.param.name;
}

Found explore(const Rules& rules, const Scenario& scenario, bool to_rest) {
  const Found found = search(rules, scenario.first, kMostStates, to_rest);
  std::cout << scenario.name << ": " << found.states << " states\n";
  return found;
}

void expect_whole(const Found& found) {
  EXPECT_EQ(found.fault, "") << found.history;
  EXPECT_TRUE(found.is_whole) << "more states than are looked at: " << found.states;
  EXPECT_EQ(found.short_of, 0U) << "kMostEntries is too small";
  EXPECT_GE(found.promised, 1U) << "no purge was answered with 200: nothing is shown by that";
}

class PurgeModelTest : public ::testing::TestWithParam<Scenario> {};
class PurgeModelRestTest : public ::testing::TestWithParam<Scenario> {};

TEST_P(PurgeModelTest, NobodyInStepShowsWhatAllHavePurged) {
  if (kIsSmall && GetParam().is_large) GTEST_SKIP() << "too slow with a sanitizer";
  expect_whole(explore(Rules{}, GetParam(), false));
}

TEST_P(PurgeModelRestTest, AllComeInStepAndThenEveryPurgeHasReachedAll) {
  if (kIsSmall && GetParam().is_large) GTEST_SKIP() << "too slow with a sanitizer";
  const Found found = explore(Rules{}, GetParam(), true);
  EXPECT_EQ(found.fault, "") << found.history;
  EXPECT_TRUE(found.is_whole);
}

INSTANTIATE_TEST_SUITE_P(All, PurgeModelTest, ::testing::ValuesIn(scenarios()), name_of);
INSTANTIATE_TEST_SUITE_P(All, PurgeModelRestTest, ::testing::ValuesIn(scenarios_to_rest()),
                         name_of);

// ---- without a rule ----

constexpr std::string_view kOwnTier = "in step, and shows a page from its own tier";
constexpr std::string_view kServer = "reads a page from the server";

struct Without {
  std::string name;
  std::vector<bool Rules::*> rules;
  World first;
  std::string_view fault;  // empty: none, another rule stands for it
  bool to_rest = false;
  bool is_large = false;
};

std::vector<Without> rows_of_cuts() {
  const World stored = cut(stored_everywhere(), 1, 1);
  return {
      {"LeaseEndsTrust", {&Rules::lease_ends_trust}, stored, kServer},
      {"BeatChecksLease", {&Rules::beat_checks_lease}, stored, ""},
      {"BeatChecksName", {&Rules::beat_checks_name}, stored, ""},
      {"BeatChecksLeaseAndName",
       {&Rules::beat_checks_lease, &Rules::beat_checks_name},
       stored,
       kServer},
      {"AnnouncesBeforeTheLastRead", {&Rules::announces_first}, stored, kServer},
      {"ReadsBack", {&Rules::reads_back}, stored, ""},
      {"UnheardIs202", {&Rules::unheard_is_202}, stored_everywhere(), kServer},
      {"AppendsFirst", {&Rules::appends_first}, stored, "what it had to append is not there"},
      {"RecordsPositions", {&Rules::records_positions}, cut(with(in_step(), 1, 1), 1, 1), kServer},
      {"MarksItsOwnAgain", {&Rules::marks_again}, with(in_step(), 2, 2), kServer},
      {"DropsBelowTheFloor",
       {&Rules::drops_below_floor},
       trimmed(cut(b_is_away(stored_everywhere()), 1, 0)),
       kOwnTier},
  };
}

std::vector<Without> rows_of_losses() {
  const World stored = stored_everywhere();
  const World again = saved_long_ago(stored);
  const World away = replaced(b_is_away(stored), false);
  const World away_from_two = replaced(b_is_away(stored), true);
  const World emptied = flushed(cut(stored, 0, 1));
  return {
      {"ChecksIdentity", {&Rules::checks_identity}, again, kServer},
      {"BeatChecksLog", {&Rules::beat_checks_log}, again, "never come to rest", true},
      {"FindsTheLostEnd", {&Rules::finds_lost_end}, again, kOwnTier, true},
      {"RepeatsEntries", {&Rules::repeats_entries}, again, kOwnTier, true},
      {"KeepsEntriesUntilReadBack", {&Rules::keeps_until_read_back}, again, kOwnTier, true},
      {"AsksTheSameLog", {&Rules::asks_the_same_log}, again, kOwnTier},
      {"AsksTheSameLogWhenFlushed", {&Rules::asks_the_same_log}, emptied, kOwnTier},
      {"WaitsOutANewLog", {&Rules::waits_out_a_new_log}, emptied, kOwnTier},
      {"ReadsCheckTheLog", {&Rules::reads_check_log}, emptied, kOwnTier},
      {"NewIdentityIsStale", {&Rules::new_identity_is_stale}, away, kServer},
      {"DropsWhenReplaced", {&Rules::drops_when_replaced}, away, kOwnTier},
      {"DropsWhenLost", {&Rules::drops_when_lost}, away, kOwnTier},
      {"WaitsForAReplica", {&Rules::waits_for_replica}, away_from_two, ""},
      {"WaitsForAReplicaAndDrops",
       {&Rules::waits_for_replica, &Rules::drops_when_replaced},
       away_from_two,
       kOwnTier},
      {"WaitsForAReplicaAndNewIdentityIsStale",
       {&Rules::waits_for_replica, &Rules::new_identity_is_stale},
       away_from_two,
       kServer},
      {"KeepsIdentities",
       {&Rules::keeps_identities},
       replaced(b_is_away(stored), true, 2),
       kServer,
       false,
       true},
  };
}

std::ostream& operator<<(std::ostream& out, const Without& row) {
  return out << row.name;
}

class PurgeModelWithoutTest : public ::testing::TestWithParam<Without> {};

TEST_P(PurgeModelWithoutTest, ARuleSomethingIsFound) {
  const Without& row = GetParam();
  if (kIsSmall && row.is_large) GTEST_SKIP() << "too slow with a sanitizer";
  Rules rules;
  for (bool Rules::* const rule : row.rules) rules.*rule = false;
  const Found found = search(rules, row.first, kMostStates, row.to_rest);
  std::cout << "without " << row.name << ": " << found.states << " states\n" << found.history;
  if (row.fault.empty()) return expect_whole(found);
  EXPECT_THAT(found.fault, HasSubstr(std::string(row.fault)));
}

std::string name_of_row(const ::testing::TestParamInfo<Without>& info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Cuts, PurgeModelWithoutTest, ::testing::ValuesIn(rows_of_cuts()),
                         name_of_row);
INSTANTIATE_TEST_SUITE_P(Losses, PurgeModelWithoutTest, ::testing::ValuesIn(rows_of_losses()),
                         name_of_row);

}  // namespace
}  // namespace weir::backends::testing
