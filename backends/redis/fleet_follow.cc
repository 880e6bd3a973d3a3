// Being in step: entries as they come, and those of our own; how far we are, and the others.
#include <algorithm>
#include <utility>

#include "backends/redis/acknowledging.h"
#include "backends/redis/fleet_log.h"
#include "base/log.h"

namespace weir::backends::redis {
namespace {

constexpr std::string_view kBatch = "500";
constexpr std::size_t kBatchEntries = 500;
// The server answers after so long even if there is nothing new.
constexpr std::string_view kBlock_ms = "500";
// Between two looks at how far the others are.
constexpr std::int64_t kLook_ms = 2;

}  // namespace

// ---- entries as they come ----

void FleetLog::follow() {
  Commands commands;
  commands
      .add({"XREAD", "COUNT", kBatch, "BLOCK", kBlock_ms, "STREAMS", key("log"),
            positions_->position().text()})
      .add({"GET", key("floor")});
  news_call_ = ask(news_, commands, &FleetLog::on_followed);
}

void FleetLog::on_followed(const std::vector<Reply>& replies) {
  if (news_.run_id() != run_id_) return lost("another server has taken its place");
  if (is_behind(replies[1])) return lost("more was purged than the log keeps");
  const Reply& reply = replies[0];
  if (reply.type == Reply::Type::Array && !reply.elements.empty()) {
    const auto& stream = reply.elements[0].elements;
    if (stream.size() != 2 || !apply_all(stream[1])) return lost("its log holds what is no entry");
    beat();
  }
  follow();
}

// ---- our own ----

void FleetLog::append(std::string entry) {
  door_->post([weak = life_.watch(), entry = std::move(entry)]() mutable {
    FleetLog* const log = weak.get();
    if (!log) return;
    log->pending_.push_back({std::move(entry), ++log->taken_});
    log->send_pending();
  });
}

void FleetLog::send_pending() {
  if (state_ != State::InStep || sending_ > 0 || pending_.empty()) return;
  ask_orders(appending(kBatchEntries), &FleetLog::on_appended);
}

void FleetLog::on_appended(const std::vector<Reply>& replies) {
  if (!take_appended(replies)) return lost("it does not say where an entry was appended");
  send_pending();
  look_at_waiting();
}

// ---- how far we are ----

void FleetLog::add_beat(Commands& commands) {
  commands.add(
      {"SET", own_key(), positions_->position().text(), "PX", std::to_string(options_.lease_ms)});
}

void FleetLog::beat() {
  if (state_ != State::InStep) return;
  if (beat_call_) {
    beat_again_ = true;
    return;
  }
  Commands commands;
  add_beat(commands);
  commands.add({"INFO", "replication"});
  beat_sent_ms_ = loop_.now_ms();
  beat_call_ = ask(beats_, commands, &FleetLog::on_beat);
}

void FleetLog::on_beat(const std::vector<Reply>& replies) {
  beat_call_.reset();
  if (beats_.run_id() != run_id_) return lost("another server has taken its place");
  // Nobody waited for us meanwhile: what they have purged has to be read first.
  if (loop_.now_ms() >= positions_->lease_until_ms()) return lost("it was silent for too long");
  const std::string replicas = info_field(replies.back().bytes(), "connected_slaves");
  has_replicas_ = !replicas.empty() && replicas != "0";
  positions_->trust(run_id_, beat_sent_ms_ + options_.lease_ms);
  beat_.start(options_.lease_ms / 3);
  trim();
  if (std::exchange(beat_again_, false)) beat();
}

// The floor stands there before what is below it goes.
void FleetLog::trim() {
  if (trim_call_ || positions_->count() <= options_.most_entries + options_.most_entries / 4)
    return;
  constexpr std::string_view kTrim =
      "local floor=redis.call('GET',KEYS[1]) "
      "if not floor or floor<ARGV[1] then redis.call('SET',KEYS[1],ARGV[1]) end "
      "return redis.call('XTRIM',KEYS[2],'MINID',ARGV[2])";
  const std::size_t gone = positions_->count() - options_.most_entries;
  const StreamPosition floor = positions_->place(gone - 1);
  Commands commands;
  commands.add({"EVAL", kTrim, "2", key("floor"), key("log"), floor.padded(),
                positions_->place(gone).text()});
  auto call = beats_.call(commands, [this, floor](Link::Replies replies) {
    trim_call_.reset();
    if (replies && !replies->front().is_error()) positions_->raise_floor(floor);
  });
  if (call) trim_call_ = std::move(*call);
}

void FleetLog::leave() {
  positions_->distrust();
  Commands commands;
  commands.add({"SREM", key("members"), instance_}).add({"DEL", own_key()});
  if (state_ == State::InStep) {
    [[maybe_unused]] const auto unheard = beats_.call(commands, [](const auto&) {});
  }
  beat_.stop();
  retry_.stop();
  call_.reset();
  news_call_.reset();
  beat_call_.reset();
  state_ = State::Away;
}

// ---- how far the others are ----

void FleetLog::when_applied(WhenApplied tell) {
  door_->post([weak = life_.watch(), tell = std::move(tell)]() mutable {
    FleetLog* const log = weak.get();
    if (!log) return tell({});
    if (log->state_ == State::Away) return tell({});
    log->waiting_.push_back(std::make_unique<Acknowledging>(*log, log->taken_, std::move(tell)));
    log->waiting_.back()->look();
  });
}

void FleetLog::look_at_waiting() {
  // One that ends leaves the list.
  std::vector<Acknowledging*> all;
  for (const auto& one : waiting_) all.push_back(one.get());
  for (Acknowledging* const one : all) one->look();
}

void FleetLog::drop(const Acknowledging& ended) {
  waiting_.remove_if([&](const auto& one) { return one.get() == &ended; });
}

FleetLog::Acknowledging::Acknowledging(FleetLog& log, std::uint64_t number, WhenApplied tell)
    : log_(log),
      number_(number),
      tell_(std::move(tell)),
      again_(log.loop_, [this] { ask_how_far(); }),
      patience_(log.loop_, [this] { end(); }) {
  patience_.start(log.options_.patience_ms);
}

void FleetLog::Acknowledging::look() {
  if (result_.logged || log_.state_ != State::InStep || log_.appended_ < number_) return;
  result_.logged = true;
  at_ = log_.last_appended_;
  if (log_.has_replicas_) return confirm();
  ask_who();
}

// On the link that has appended it.
void FleetLog::Acknowledging::confirm() {
  result_.confirmed = false;
  Commands commands;
  commands.add({"WAIT", "1", std::to_string(log_.options_.patience_ms / 2)});
  ask(log_.orders_, commands, [this](const Reply& reply) {
    result_.confirmed = reply.integer >= 1;
    ask_who();
  });
}

void FleetLog::Acknowledging::ask_who() {
  Commands commands;
  commands.add({"SMEMBERS", log_.key("members")});
  ask(log_.beats_, commands, [this](const Reply& members) {
    for (const Reply& member : members.elements) members_.emplace_back(member.bytes());
    ask_how_far();
  });
}

void FleetLog::Acknowledging::ask_how_far() {
  if (members_.empty()) return end();
  std::vector<std::string> words = {"MGET"};
  for (const std::string& member : members_) words.push_back(log_.key("m:" + member));
  Commands commands;
  commands.add(std::vector<std::string_view>(words.begin(), words.end()));
  ask(log_.beats_, commands, [this](const Reply& positions) { on_how_far(positions); });
}

// One whose lease is over has no position any more, and leaves the list of members.
void FleetLog::Acknowledging::on_how_far(const Reply& positions) {
  result_.live = result_.acked = 0;
  Commands gone;
  for (std::size_t i = 0; i < std::min(members_.size(), positions.elements.size()); ++i) {
    const auto at = read_position(positions.elements[i].bytes());
    if (!at) {
      gone.add({"SREM", log_.key("members"), members_[i]});
      continue;
    }
    ++result_.live;
    if (*at >= at_) ++result_.acked;
  }
  if (gone.count() > 0) {
    [[maybe_unused]] const auto unheard = log_.beats_.call(gone, [](const auto&) {});
  }
  if (result_.acked == result_.live) return end();
  again_.start(kLook_ms);
}

void FleetLog::Acknowledging::ask(Link& link, const Commands& commands,
                                  std::move_only_function<void(const Reply&)> go_on) {
  auto call = link.call(commands, [this, go_on = std::move(go_on)](Link::Replies replies) mutable {
    if (!replies || replies->front().is_error()) return end();
    go_on(replies->front());
  });
  if (!call) return end();
  call_ = std::move(*call);
}

// Ends this object.
void FleetLog::Acknowledging::end() {
  WhenApplied tell = std::move(tell_);
  const Applied result = result_;
  log_.drop(*this);
  tell(result);
}

}  // namespace weir::backends::redis
