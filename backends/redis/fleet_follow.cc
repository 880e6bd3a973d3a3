// Being in step: entries as they come, and those of our own; how far we are, and the others.
#include <algorithm>
#include <utility>

#include "backends/redis/acknowledging.h"
#include "backends/redis/fleet_log.h"
#include "base/log.h"

namespace weir::backends::redis {
namespace {

// The server answers after so long even if there is nothing new.
constexpr std::string_view kBlock_ms = "250";
// Between two looks at how far the others are, and the same while the server does not answer.
constexpr std::int64_t kLook_ms = 2;
constexpr std::int64_t kLookLater_ms = 50;

}  // namespace

// ---- entries as they come ----

void FleetLog::follow() {
  Commands commands;
  commands
      .add({"XREAD", "COUNT", std::to_string(kBatchEntries), "BLOCK", kBlock_ms, "STREAMS",
            key("log"), positions_->position().text()})
      .add({"GET", key("floor")})
      .add({"GET", key("id")});
  news_call_ = ask(news_, commands, &FleetLog::on_followed);
}

void FleetLog::on_followed(const std::vector<Reply>& replies) {
  if (news_.run() != run_) return lost("another server has taken its place");
  if (is_other_log(replies[2])) return lost("it has another log");
  if (is_behind(replies[1])) return lost("more was purged than the log keeps");
  const Reply& reply = replies[0];
  if (reply.type == Reply::Type::Array && !reply.elements.empty()) {
    const auto& stream = reply.elements[0].elements;
    if (stream.size() != 2) return lost("its log holds what is no entry");
    if (const auto applied = apply_all(stream[1]); !applied) return lost(applied.error().message);
    beat();
    look_at_waiting();
  }
  follow();
}

// ---- our own ----

void FleetLog::append(std::string entry) {
  door_->post([weak = self_, entry = std::move(entry)]() mutable {
    if (FleetLog* const log = weak.get()) log->append_here(std::move(entry));
  });
}

// More than the log keeps are, for whoever applies them, as many as all.
void FleetLog::append_here(std::string entry) {
  if (pending_.size() >= options_.most_entries) {
    pending_.resize(appended_ + sending_);
    entry = marks_.all_is_dead();
  }
  pending_.push_back({std::move(entry), ++taken_});
  send_pending();
}

std::vector<std::string> FleetLog::pending() const {
  std::vector<std::string> out;
  out.reserve(pending_.size());
  for (const Pending& one : pending_) out.push_back(one.entry);
  return out;
}

void FleetLog::send_pending() {
  if (state_ != State::InStep || sending_ > 0 || appended_ == pending_.size()) return;
  ask_orders(appending(kBatchEntries), &FleetLog::on_appended);
}

void FleetLog::on_appended(const std::vector<Reply>& replies) {
  if (!take_appended(replies)) return lost("it does not say where an entry was appended");
  send_pending();
  look_at_waiting();
}

// ---- how far we are ----

// The server's clock for all of them. What stood there before, and which log it is now. No expiry:
// an entry that Redis evicts would be an instance that nobody waits for.
void FleetLog::add_beat(Commands& commands) {
  constexpr std::string_view kBeat =
      "local t=redis.call('TIME') "
      "local had=redis.call('HGET',KEYS[1],ARGV[1]) "
      "redis.call('HSET',KEYS[1],ARGV[1],ARGV[2]..' '..t[1]) "
      "return {had or '',redis.call('GET',KEYS[2]) or ''}";
  commands.add(
      {"EVAL", kBeat, "2", key("members"), key("id"), instance_, positions_->position().text()});
}

void FleetLog::begin_unsure(std::int64_t for_ms) {
  unsure_until_ms_ = std::max(unsure_until_ms_, loop_.now_ms() + for_ms);
}

void FleetLog::note_replicas(const Reply& info) {
  const std::string replicas = info_field(info.bytes(), "connected_slaves");
  has_replicas_ = !replicas.empty() && replicas != "0";
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
  if (beats_.run() != run_) return lost("another server has taken its place");
  // Nobody waited for us meanwhile: what they have purged has to be read first.
  if (loop_.now_ms() >= positions_->lease_until_ms()) return lost("it was silent for too long");
  const auto& said = replies[0].elements;
  if (said.size() != 2 || said[0].bytes().empty()) return lost("it has forgotten this instance");
  if (is_other_log(said[1])) return lost("it has another log");
  if (positions_->doubts() > positions_->resolved()) return lost("all it holds is to be doubted");
  note_replicas(replies.back());
  positions_->trust(runs_, beat_sent_ms_ + options_.lease_ms);
  beat_.start(options_.lease_ms / 3);
  trim();
  ask_sentinels();
  if (std::exchange(beat_again_, false)) beat();
}

// A master that was cut off from the others goes on answering until it hears that it is none.
void FleetLog::ask_sentinels() {
  if (!sentinels_ || sentinels_call_) return;
  sentinels_call_ = sentinels_->find([this](const Result<ServerPlace>& place) {
    sentinels_call_.reset();
    if (place && *place != beats_.place()) lost("the sentinels name another master");
  });
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
  auto call = beats_.call(commands, [this, floor](const Link::Replies& replies, auto) {
    trim_call_.reset();
    if (replies && !replies->front().is_error()) positions_->raise_floor(floor);
  });
  if (call) trim_call_ = std::move(*call);
}

void FleetLog::leave() {
  has_left_ = true;
  positions_->distrust();
  positions_->trust_until(INT64_MIN);
  Commands commands;
  commands.add({"HDEL", key("members"), instance_});
  if (state_ != State::Away) {
    // Behind a beat that is on its way, which says the opposite. Where that link has no connection
    // yet there is no time to wait for one, and no beat is to come after this.
    if (!beats_.is_ready()) beats_.renew();
    Link& link = beats_.is_ready() ? beats_ : orders_;
    [[maybe_unused]] const auto unheard = link.call(commands, [](const auto&, auto) {});
  }
  end_calls();
  retry_.stop();
}

// ---- how far the others are ----

void FleetLog::when_applied(WhenApplied tell) {
  // Told also when the loop is no more.
  struct Told {
    explicit Told(WhenApplied function) : tell(std::move(function)) {}
    Told(Told&& other) noexcept : tell(std::exchange(other.tell, {})) {}
    Told(const Told&) = delete;
    ~Told() {
      if (tell) tell({});
    }
    WhenApplied tell;
  };
  door_->post([weak = self_, told = Told(std::move(tell))]() mutable {
    FleetLog* const log = weak.get();
    if (!log || log->state_ == State::Away) return;
    log->wait_here(std::exchange(told.tell, {}));
  });
}

void FleetLog::wait_here(WhenApplied tell) {
  waiting_.push_back(std::make_unique<Acknowledging>(*this, taken_, std::move(tell)));
  waiting_.back()->look();
}

// One at a time: each holds up its link. A write of its own there is behind all that was appended.
void FleetLog::confirm() {
  if (confirm_call_ || state_ != State::InStep) return;
  std::vector<const Acknowledging*> asked;
  for (const auto& one : waiting_) {
    if (one->wants_confirmation()) asked.push_back(one.get());
  }
  if (asked.empty()) return;
  Commands commands;
  commands.add({"SET", key("confirm"), instance_})
      .add({"WAIT", "1", std::to_string(options_.patience_ms / 2)});
  auto call = replicas_.call(commands, [this, asked](const Link::Replies& replies, auto run) {
    const std::string answered_in(run);
    confirm_call_.reset();
    const bool confirmed = replies && replies->back().integer >= 1;
    // Those of them that are still there; one that ends leaves the list.
    for (const Acknowledging* const one : asked) {
      const auto found =
          std::ranges::find_if(waiting_, [one](const auto& waits) { return waits.get() == one; });
      if (found != waiting_.end()) (*found)->on_confirmed(confirmed, answered_in);
    }
    confirm();
  });
  if (call) confirm_call_ = std::move(*call);
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
  if (result_.logged || log_.state_ != State::InStep || log_.read_back_ < number_) return;
  result_.logged = true;
  result_.acked = 0;  // nobody has said so yet
  run_ = log_.run_;
  log_number_ = log_.positions_->log().value_or(0);
  at_ = log_.last_read_back_;
  if (log_.has_replicas_) {
    result_.confirmed = false;
    is_unconfirmed_ = true;
    log_.confirm();
  }
  ask_how_far();
}

// Once: true or false.
void FleetLog::Acknowledging::on_confirmed(bool confirmed, std::string_view run) {
  is_unconfirmed_ = false;
  result_.confirmed = confirmed && run == run_;
  end_if_certain();
}

void FleetLog::Acknowledging::end_if_certain() {
  if (is_acknowledged_ && !is_unconfirmed_ && log_.loop_.now_ms() >= log_.unsure_until_ms_) end();
}

// Of those alone whose last word is not too old, by the server's clock; the others leave the list.
void FleetLog::Acknowledging::ask_how_far() {
  constexpr std::string_view kHowFar =
      "local now=tonumber(redis.call('TIME')[1]) local out={} "
      "local all=redis.call('HGETALL',KEYS[1]) "
      "for i=1,#all,2 do "
      "local at,time=string.match(all[i+1],'^(%S+) (%d+)$') "
      "if time and now-tonumber(time)<=tonumber(ARGV[1]) then out[#out+1]=at "
      "else redis.call('HDEL',KEYS[1],all[i]) end end "
      "return {out,redis.call('GET',KEYS[2]) or ''}";
  Commands commands;
  // In whole seconds, and one more: they are waited for longer than any of them trusts.
  commands.add({"EVAL", kHowFar, "2", log_.key("members"), log_.key("id"),
                std::to_string(log_.options_.lease_ms / 1000 + 1)});
  auto call = log_.beats_.call(commands, [this](const Link::Replies& replies, auto run) {
    if (replies) return on_how_far(replies->front(), run);
    again_.start(kLookLater_ms);
  });
  if (!call) return again_.start(kLookLater_ms);
  call_ = std::move(*call);
}

// An answer from another server, or about another log, says nothing of where the entry is.
void FleetLog::Acknowledging::on_how_far(const Reply& reply, std::string_view run) {
  const bool is_about_it = reply.elements.size() == 2 && run == run_ &&
                           read_hex(reply.elements[1].bytes()) == log_number_;
  if (!is_about_it) return again_.start(kLookLater_ms);
  const Reply& positions = reply.elements[0];
  result_.live = positions.elements.size();
  result_.acked = 0;
  for (const Reply& one : positions.elements) {
    const auto at = read_position(one.bytes());
    if (at && *at >= at_) ++result_.acked;
  }
  is_acknowledged_ = result_.acked == result_.live;
  if (!is_acknowledged_) return again_.start(kLook_ms);
  if (log_.loop_.now_ms() < log_.unsure_until_ms_) return again_.start(kLookLater_ms);
  end_if_certain();
}

// Ends this object.
void FleetLog::Acknowledging::end() {
  WhenApplied tell = std::move(tell_);
  Applied result = result_;
  result.all_known = log_.loop_.now_ms() >= log_.unsure_until_ms_;
  log_.drop(*this);
  tell(result);
}

}  // namespace weir::backends::redis
