// Joining: from a server that was out of reach to one that is followed.
#include "backends/redis/fleet_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "backends/redis/acknowledging.h"
#include "backends/redis/sentinel_finder.h"
#include "base/log.h"
#include "base/random.h"

namespace weir::backends::redis {
namespace {

constexpr std::int64_t kFirstRetry_ms = 100;
constexpr std::int64_t kLongestRetry_ms = 2'000;
// Between two looks at runs of servers that somebody has met.
constexpr std::int64_t kLooksApart_ms = 500;
// Of a cluster's masters that the server is told of.
constexpr std::size_t kMostRuns = 512;

std::string hex(std::uint64_t number) {
  return fmt::format("{:016x}", number);
}

// A new one. 0 is none.
std::string number_of_a_log() {
  return hex(std::max<std::uint64_t>(random_number(), 1));
}

}  // namespace

FleetLog::FleetLog(EventLoop& loop, Resolver& resolver, FleetLogOptions options, FleetMarks& marks)
    : loop_(loop),
      options_(std::move(options)),
      marks_(marks),
      instance_(hex(random_number())),
      door_(std::make_shared<LoopDoor>(loop)),
      positions_(std::make_shared<FleetPositions>(loop.clock(), options_.tag)),
      map_(options_.servers.kind == Topology::Kind::Cluster
               ? std::make_unique<ClusterMap>(loop, resolver, options_.servers)
               : nullptr),
      sentinels_(options_.servers.kind == Topology::Kind::Sentinels ? finder(resolver) : nullptr),
      orders_(loop, resolver, finder(resolver), link_options(), nullptr),
      news_(loop, resolver, finder(resolver), link_options(), nullptr),
      beats_(loop, resolver, finder(resolver), link_options(), nullptr),
      replicas_(loop, resolver, finder(resolver), link_options(), nullptr),
      retry_(loop, [this] { join(); }),
      beat_(loop, [this] { beat(); }) {
  positions_->set_look([door = door_, log = self_] {
    door->post([log] {
      if (FleetLog* const found = log.get()) found->look_at_runs();
    });
  });
  retry_.start(0);
}

FleetLog::~FleetLog() {
  door_->close();
  positions_->distrust();
  // Whoever waits is told as far as it is known.
  while (!waiting_.empty()) waiting_.front()->end();
}

std::string FleetLog::key(std::string_view name) const {
  return options_.prefix + "f:{weir-fleet}:" + std::string(name);
}

std::unique_ptr<PlaceFinder> FleetLog::finder(Resolver& resolver) {
  switch (options_.servers.kind) {
    case Topology::Kind::Single:
      break;
    case Topology::Kind::Sentinels:
      return std::make_unique<SentinelFinder>(loop_, resolver, options_.servers);
    case Topology::Kind::Cluster:
      return std::make_unique<SlotFinder>(*map_, slot_of(key("log")));
  }
  return std::make_unique<FixedPlace>(options_.servers.place);
}

LinkOptions FleetLog::link_options() const {
  LinkOptions out{.timeout_ms = 2'000};
  out.replies.bytes = std::size_t{8} << 20U;
  if (options_.servers.kind == Topology::Kind::Sentinels) out.kind = LinkOptions::Kind::Master;
  return out;
}

std::unique_ptr<PendingAnswer> FleetLog::ask(Link& link, const Commands& commands, Step step) {
  auto call = link.call(commands, [this, step](const Link::Replies& replies, auto) {
    if (!replies) return lost("it does not answer");
    const auto error = std::ranges::find_if(*replies, &Reply::is_error);
    if (error != replies->end()) return lost("it answers " + std::string(error->bytes()));
    (this->*step)(*replies);
  });
  if (call) return std::move(*call);
  // Not from within: who asked goes on behind this call.
  loop_.post([weak = life_.watch()] {
    if (FleetLog* const log = weak.get()) log->lost("it does not answer");
  });
  return nullptr;
}

void FleetLog::end_calls() {
  state_ = State::Away;
  call_.reset();
  news_call_.reset();
  beat_call_.reset();
  trim_call_.reset();
  confirm_call_.reset();
  sentinels_call_.reset();
  beat_again_ = false;
  sending_ = 0;
  beat_.stop();
}

// Whatever was under way is begun anew: an entry may then be there twice, which changes nothing.
void FleetLog::lost(std::string_view why) {
  positions_->distrust();
  if (!std::exchange(is_told_away_, true)) {
    log_warn("backend {}: the fleet's log of purges is out of reach: {}", options_.backend, why);
  }
  end_calls();
  renew_links();
  retry_ms_ = std::clamp(2 * retry_ms_, kFirstRetry_ms, kLongestRetry_ms);
  retry_.start(retry_ms_);
}

// The same server may have another place by now, and another run.
void FleetLog::renew_links() {
  for (Link* const link : {&orders_, &news_, &beats_, &replicas_}) link->renew();
}

// What stands in a server may only be used in a run under which it is known to be sound: joining
// tells which those are, and makes it so for the others.
void FleetLog::look_at_runs() {
  if (state_ != State::InStep || loop_.now_ms() < look_again_ms_) return;
  look_again_ms_ = loop_.now_ms() + kLooksApart_ms;
  end_calls();
  renew_links();
  join();
}

// ---- what stands there ----

void FleetLog::join() {
  positions_->distrust();
  state_ = State::Joining;
  Commands commands;
  commands.add({"SET", key("id"), number_of_a_log(), "NX"})
      .add({"GET", key("id")})
      .add({"SMEMBERS", key("runs")})
      .add({"GET", key("floor")})
      .add({"XREVRANGE", key("log"), "+", "-", "COUNT", "1"})
      .add({"INFO", "memory"})
      .add({"XRANGE", key("log"), positions_->position().text(), positions_->position().text()});
  ask_orders(commands, &FleetLog::on_joined);
}

void FleetLog::on_joined(const std::vector<Reply>& replies) {
  const bool created = replies[0].bytes() == "OK";
  const std::uint64_t log = read_hex(replies[1].bytes());
  const StreamPosition floor = read_position(replies[3].bytes()).value_or(StreamPosition{});
  StreamPosition last = floor;
  if (!replies[4].elements.empty() && !replies[4].elements[0].elements.empty()) {
    last = read_position(replies[4].elements[0].elements[0].bytes()).value_or(floor);
  }
  run_ = orders_.run();
  if (log == 0 || run_.empty()) return lost("it does not say which log it has");
  warn_of_eviction(info_field(replies[5].bytes(), "maxmemory_policy"));
  runs_ = {run_};
  // Of a cluster several are read.
  if (map_) std::ranges::copy(positions_->met(), std::back_inserter(runs_));
  const auto is_sound = [&](const std::string& run) {
    const auto& sound = replies[2].elements;
    return std::ranges::find(sound, run, &Reply::bytes) != sound.end();
  };
  doubts_ = positions_->doubts();
  if (created || !std::ranges::all_of(runs_, is_sound) || doubts_ > positions_->resolved()) {
    is_doubtful_ = true;
  }
  // What is lost of a log is its end: where the last entry is that was applied here, all before is.
  const bool has_last = positions_->count() == 0 || !replies[6].elements.empty();
  const bool was_away = loop_.now_ms() >= positions_->lease_until_ms();
  const auto known = positions_->log();
  if (!known) {
    // What a disk has may be older than what the log knows.
    const bool is_from_beginning = !created && floor == StreamPosition{};
    positions_->begin(log, floor, is_from_beginning ? marks_.step() : marks_.drop_own());
  } else if (log != *known) {
    replace_log(log, floor);
  } else if (last < positions_->position() || (!has_last && floor < positions_->position())) {
    return begin_anew();
  } else if (was_away && run_ != last_run_) {
    // Entries that were never applied here may be lost with the server.
    log_warn(
        "backend {}: its server was replaced while this instance was away; its own tiers "
        "begin empty",
        options_.backend);
    positions_->begin(log, floor, marks_.drop_own());
  } else if (positions_->position() < floor) {
    log_warn(
        "backend {}: the fleet has purged more than it keeps since this instance last heard "
        "of it; its own tiers begin empty",
        options_.backend);
    positions_->begin(log, floor, marks_.drop_own());
  }
  read_on();
}

void FleetLog::warn_of_eviction(std::string_view policy) {
  if (!policy.starts_with("allkeys") || std::exchange(is_warned_, true)) return;
  log_warn(
      "backend {}: the server's maxmemory-policy is {}, which may evict the log of purges: set "
      "a volatile one",
      options_.backend, policy);
}

// The one before is gone, or its end. Whoever was in step with it knows all that it said, and says
// it again; who was not may have missed something.
void FleetLog::replace_log(std::uint64_t log, StreamPosition floor) {
  const bool may_have_missed = loop_.now_ms() >= positions_->lease_until_ms();
  log_warn(
      "backend {}: the fleet's log of purges was lost with what its server had; what it holds "
      "is validated before it is used{}",
      options_.backend, may_have_missed ? ", and this instance's own tiers begin empty" : "");
  const std::vector<std::string> entries = positions_->entries();
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    pending_.push_front({*entry, 0});
  }
  is_doubtful_ = true;
  positions_->begin(log, floor, may_have_missed ? marks_.drop_own() : marks_.step());
}

// The log's end is missing: another number tells all the others as well.
void FleetLog::begin_anew() {
  constexpr std::string_view kReplace =
      "if redis.call('GET',KEYS[1])==ARGV[1] then redis.call('SET',KEYS[1],ARGV[2]) end "
      "return 1";
  Commands commands;
  commands.add({"EVAL", kReplace, "1", key("id"), hex(*positions_->log()), number_of_a_log()});
  ask_orders(commands, &FleetLog::on_begun_anew);
}

void FleetLog::on_begun_anew(const std::vector<Reply>&) {
  join();
}

// ---- up to its end ----

void FleetLog::read_on() {
  Commands commands;
  commands
      .add({"XRANGE", key("log"), "(" + positions_->position().text(), "+", "COUNT",
            std::to_string(kBatchEntries)})
      .add({"GET", key("floor")});
  ask_orders(commands, &FleetLog::on_read);
}

void FleetLog::on_read(const std::vector<Reply>& replies) {
  if (is_behind(replies[1])) return join();
  if (!apply_all(replies[0])) return lost("its log holds what is no entry");
  if (replies[0].elements.size() >= kBatchEntries) return read_on();
  switch (state_) {
    case State::Joining:
      return catch_up();
    case State::Catching:
      return positions_->position() < last_appended_ ? lost("its log has lost an entry")
                                                     : announce();
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

// Each is a place and fields, of which the first is ours.
bool FleetLog::apply_all(const Reply& entries) {
  for (const Reply& entry : entries.elements) {
    if (entry.elements.size() != 2) return false;
    const auto at = read_position(entry.elements[0].bytes());
    const auto& fields = entry.elements[1].elements;
    if (!at || fields.size() < 2) return false;
    if (*at <= positions_->position()) continue;
    const std::string_view words = fields[1].bytes();
    const std::uint64_t own = marks_.apply(words);
    positions_->add(*at, own, std::string(words));
  }
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
  if (pending_.empty()) return read_on();
  ask_orders(appending(kBatchEntries), &FleetLog::on_caught_up);
}

// So many of those that are pending, the oldest first.
Commands FleetLog::appending(std::size_t most) {
  Commands commands;
  sending_ = std::min(most, pending_.size());
  for (std::size_t i = 0; i < sending_; ++i) {
    commands.add({"XADD", key("log"), "*", "m", pending_[i].entry});
  }
  return commands;
}

bool FleetLog::take_appended(const std::vector<Reply>& replies) {
  for (const Reply& reply : replies) {
    const auto at = read_position(reply.bytes());
    if (!at || sending_ == 0) return false;
    --sending_;
    last_appended_ = std::max(last_appended_, *at);
    appended_ = std::max(appended_, pending_.front().number);
    pending_.pop_front();
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
  if (!map_ || runs_.size() > kMostRuns) commands.add({"DEL", key("runs")});
  const std::string name = key("runs");
  std::vector<std::string_view> words = {"SADD", name};
  words.insert(words.end(), runs_.begin(), runs_.end());
  commands.add(words);
}

void FleetLog::on_announced(const std::vector<Reply>& replies) {
  note_replicas(replies.back());
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
