// Joining: from a server that was out of reach to what stands there. fleet_catch_up.cc goes on.
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
// After so long whoever is in step with a log has noticed that there is another one.
constexpr std::int64_t kNoticed_ms = 1'000;

std::string hex(std::uint64_t number) {
  return fmt::format("{:016x}", number);
}

// A new one. 0 is none.
std::string number_of_a_log() {
  return hex(std::max<std::uint64_t>(random_number(), 1));
}

std::string reason_of(const Link& link) {
  return link.why_apart().empty() ? "it does not answer" : link.why_apart();
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
  auto call = link.call(commands, [this, &link, step](const Link::Replies& replies, auto) {
    if (!replies) return lost(reason_of(link));
    const auto error = std::ranges::find_if(*replies, &Reply::is_error);
    if (error != replies->end()) return lost(error->refusal());
    (this->*step)(*replies);
  });
  if (call) return std::move(*call);
  // Not from within: who asked goes on behind this call.
  loop_.post([weak = life_.watch(), why = reason_of(link)] {
    if (FleetLog* const log = weak.get()) log->lost(why);
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
  // What was not read back is appended once more.
  for (Pending& one : pending_) one.at.reset();
  appended_ = sending_ = 0;
  beat_.stop();
}

// Whatever was under way is begun anew: an entry may then be there twice, which changes nothing.
void FleetLog::lost(std::string_view why) {
  if (has_left_) return;
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
  // Whether there was none, its number, and how old it is.
  constexpr std::string_view kMake =
      "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000) "
      "local made=redis.call('SET',KEYS[1],ARGV[1],'NX') "
      "if made then redis.call('SET',KEYS[2],now) end "
      "return {made and 1 or 0,redis.call('GET',KEYS[1]),"
      "now-(tonumber(redis.call('GET',KEYS[2]) or '0') or 0)}";
  positions_->distrust();
  state_ = State::Joining;
  Commands commands;
  commands.add({"EVAL", kMake, "2", key("id"), key("born"), number_of_a_log()})
      .add({"SMEMBERS", key("runs")})
      .add({"GET", key("floor")})
      .add({"XREVRANGE", key("log"), "+", "-", "COUNT", "1"})
      .add({"INFO", "memory"})
      .add({"XRANGE", key("log"), positions_->position().text(), positions_->position().text()});
  ask_orders(commands, &FleetLog::on_joined);
}

void FleetLog::on_joined(const std::vector<Reply>& replies) {
  const auto& made = replies[0].elements;
  if (made.size() != 3) return lost("it does not say which log it has");
  const bool created = made[0].integer == 1;
  const std::uint64_t log = read_hex(made[1].bytes());
  const StreamPosition floor = read_position(replies[2].bytes()).value_or(StreamPosition{});
  StreamPosition last = floor;
  if (!replies[3].elements.empty() && !replies[3].elements[0].elements.empty()) {
    last = read_position(replies[3].elements[0].elements[0].bytes()).value_or(floor);
  }
  run_ = orders_.run();
  if (log == 0 || run_.empty()) return lost("it does not say which log it has");
  warn_of_eviction(info_field(replies[4].bytes(), "maxmemory_policy"));
  begin_unsure(kNoticed_ms - made[2].integer);
  runs_ = {run_};
  known_runs_ = replies[1].elements.size();
  // Of a cluster several are read.
  if (map_) std::ranges::copy(positions_->met(), std::back_inserter(runs_));
  const auto is_sound = [&](const std::string& run) {
    const auto& sound = replies[1].elements;
    return std::ranges::find(sound, run, &Reply::bytes) != sound.end();
  };
  doubts_ = positions_->doubts();
  if (created || !std::ranges::all_of(runs_, is_sound) || doubts_ > positions_->resolved()) {
    is_doubtful_ = true;
  }
  // What is lost of a log is its end: where the last entry is that was applied here, all before is.
  const bool has_last = positions_->count() == 0 || !replies[5].elements.empty();
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
  std::vector<std::string> entries = positions_->entries();
  // As many as would soon leave the log again, before all have read them, are as good as all.
  if (entries.size() + pending_.size() > options_.most_entries / 2) {
    entries = {marks_.all_is_dead()};
    pending_.clear();
    read_back_ = taken_;
  }
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    pending_.push_front({*entry});
  }
  is_doubtful_ = true;
  positions_->begin(log, floor, may_have_missed ? marks_.drop_own() : marks_.step());
}

// The log's end is missing: another number tells all the others as well.
void FleetLog::begin_anew() {
  constexpr std::string_view kReplace =
      "if redis.call('GET',KEYS[1])==ARGV[1] then "
      "local t=redis.call('TIME') "
      "redis.call('SET',KEYS[1],ARGV[2]) "
      "redis.call('SET',KEYS[2],t[1]*1000+math.floor(t[2]/1000)) end "
      "return 1";
  Commands commands;
  commands.add(
      {"EVAL", kReplace, "2", key("id"), key("born"), hex(*positions_->log()), number_of_a_log()});
  ask_orders(commands, &FleetLog::on_begun_anew);
}

void FleetLog::on_begun_anew(const std::vector<Reply>&) {
  join();
}

}  // namespace weir::backends::redis
