// Joining, from what stands in the log until it is followed: it is read, what the server has not
// heard of is appended, and the others are told that we are here.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "backends/redis/fleet_log.h"
#include "base/log.h"

namespace weir::backends::redis {
namespace {

// Of a cluster's masters that the server is told of.
constexpr std::size_t kMostRuns = 512;

}  // namespace

// ---- up to its end ----

void FleetLog::read_on() {
  Commands commands;
  commands
      .add({"XRANGE", key("log"), "(" + positions_->position().text(), "+", "COUNT",
            std::to_string(kBatchEntries)})
      .add({"GET", key("floor")})
      .add({"GET", key("id")});
  ask_orders(commands, &FleetLog::on_read);
}

void FleetLog::on_read(const std::vector<Reply>& replies) {
  if (is_behind(replies[1]) || is_other_log(replies[2])) return join_again();
  if (const auto applied = apply_all(replies[0]); !applied) return lost(applied.error().message);
  if (replies[0].elements.size() >= kBatchEntries) return read_on();
  switch (state_) {
    case State::Joining:
      return catch_up();
    case State::Catching:
      if (appended_ > 0) return lost("its log has lost an entry");
      // More may have come meanwhile.
      return pending_.empty() ? announce()
                              : ask_orders(appending(kBatchEntries), &FleetLog::on_caught_up);
    case State::Entering:
      return enter();
    case State::Away:
    case State::InStep:
      break;
  }
}

// Whether entries that were not applied here may have left the log: told behind the entries that
// come with it, before those are applied.
bool FleetLog::is_behind(const Reply& floor) const {
  const auto at = read_position(floor.bytes());
  return at && *at > positions_->position();
}

bool FleetLog::is_other_log(const Reply& number) const {
  return read_hex(number.bytes()) != positions_->log();
}

// What was read meanwhile may be of a log that is gone.
void FleetLog::join_again() {
  end_calls();
  join();
}

// Each is a place and fields, of which the first is ours.
Result<void> FleetLog::apply_all(const Reply& entries) {
  const auto refuse = [](const char* why) { return fail(ErrorCode::Corrupt, why); };
  for (const Reply& entry : entries.elements) {
    if (entry.elements.size() != 2) return refuse("its log holds what is no entry");
    const auto at = read_position(entry.elements[0].bytes());
    const auto& fields = entry.elements[1].elements;
    if (!at || fields.size() < 2) return refuse("its log holds what is no entry");
    if (*at <= positions_->position()) continue;
    const std::string_view words = fields[1].bytes();
    const std::uint64_t own = marks_.apply(words);
    positions_->add(*at, own, std::string(words));
    if (!take_back(*at)) return refuse("its log has lost an entry");
  }
  return {};
}

// Our own are read in the order in which they were appended, each in its place.
bool FleetLog::take_back(StreamPosition at) {
  if (appended_ == 0 || at < *pending_.front().at) return true;
  if (at != *pending_.front().at) return false;
  if (pending_.front().number != 0) {
    read_back_ = pending_.front().number;
    last_read_back_ = at;
  }
  pending_.pop_front();
  --appended_;
  return true;
}

// ---- what it has not heard of ----

void FleetLog::catch_up() {
  state_ = State::Catching;
  if (is_doubtful_) {
    const std::string stale = marks_.all_is_stale();
    if (pending_.empty() || pending_.front().entry != stale) pending_.push_front({stale, 0});
  }
  if (pending_.empty()) return announce();
  ask_orders(appending(kBatchEntries), &FleetLog::on_caught_up);
}

void FleetLog::on_caught_up(const std::vector<Reply>& replies) {
  if (!take_appended(replies)) return lost("it does not say where an entry was appended");
  if (appended_ == pending_.size()) return read_on();
  ask_orders(appending(kBatchEntries), &FleetLog::on_caught_up);
}

// So many of those that were not sent, the oldest first.
Commands FleetLog::appending(std::size_t most) {
  Commands commands;
  sending_ = std::min(most, pending_.size() - appended_);
  for (std::size_t i = 0; i < sending_; ++i) {
    commands.add({"XADD", key("log"), "*", "m", pending_[appended_ + i].entry});
  }
  return commands;
}

bool FleetLog::take_appended(const std::vector<Reply>& replies) {
  for (const Reply& reply : replies) {
    const auto at = read_position(reply.bytes());
    if (!at || sending_ == 0) return false;
    --sending_;
    pending_[appended_++].at = *at;
    // It may have been read before this was heard.
    if (positions_->has(*at) && !take_back(*at)) return false;
  }
  return true;
}

// ---- among the others ----

// Whoever purges from now on waits for this instance. What was purged before stands in the log, so
// that reading to its end once more finds it.
void FleetLog::announce() {
  state_ = State::Entering;
  Commands commands;
  if (is_doubtful_) add_runs(commands);
  add_beat(commands);
  commands.add({"INFO", "replication"});
  beat_sent_ms_ = loop_.now_ms();
  ask_orders(commands, &FleetLog::on_announced);
}

// All that is there was said to be stale. A cluster's servers are met one by one.
void FleetLog::add_runs(Commands& commands) {
  if (!map_ || known_runs_ > kMostRuns) commands.add({"DEL", key("runs")});
  const std::string name = key("runs");
  std::vector<std::string_view> words = {"SADD", name};
  words.insert(words.end(), runs_.begin(), runs_.end());
  commands.add(words);
}

void FleetLog::on_announced(const std::vector<Reply>& replies) {
  note_replicas(replies.back());
  const auto& said = replies[replies.size() - 2].elements;
  if (said.size() != 2 || is_other_log(said[1])) return join_again();
  // It has forgotten us, and perhaps others: whoever is live will have noticed by then.
  const bool was_live = loop_.now_ms() < positions_->lease_until_ms();
  if (was_live && said[0].bytes().empty()) begin_unsure(options_.lease_ms + 1'000);
  read_on();
}

void FleetLog::enter() {
  if (is_doubtful_) positions_->resolve(doubts_);
  is_doubtful_ = false;
  is_told_away_ = false;
  retry_ms_ = 0;
  last_run_ = run_;
  state_ = State::InStep;
  positions_->trust(runs_, beat_sent_ms_ + options_.lease_ms);
  log_info("backend {}: in step with the fleet's log of purges", options_.backend);
  beat_.start(options_.lease_ms / 3);
  follow();
  send_pending();
  look_at_waiting();
}

}  // namespace weir::backends::redis
