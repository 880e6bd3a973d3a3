#include "backends/redis/link.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "base/random.h"

namespace weir::backends::redis {
namespace {

// To connect and be accepted; calls that wait for it go by their own time.
constexpr std::int64_t kConnect_ms = 1'000;
// A server that says nothing for so long, though it was asked, is given up.
constexpr std::int64_t kSilence_ms = 1'000;
// Between attempts: more after each that failed, and never for all instances at the same time.
constexpr std::int64_t kFirstRest_ms = 100;
constexpr std::int64_t kLongestRest_ms = 1'500;
// An emptied buffer that has grown beyond this is not kept.
constexpr std::size_t kKeepBytes = std::size_t{256} << 10U;
// One turn of the loop reads so often, so that a large reply never keeps others waiting.
constexpr int kReadsPerTurn = 16;

std::int64_t rest_of(std::int64_t rest_ms) {
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(rest_ms, 1));
  return rest_ms / 2 + static_cast<std::int64_t>(random_number() % spread);
}

}  // namespace

class Link::Handle final : public PendingAnswer {
 public:
  Handle(Weak<Link> link, std::uint64_t number) : link_(std::move(link)), number_(number) {}
  ~Handle() override {
    if (Link* const link = link_.get()) link->forget(number_);
  }

 private:
  const Weak<Link> link_;
  const std::uint64_t number_;
};

Link::Link(EventLoop& loop, Resolver& resolver, std::unique_ptr<PlaceFinder> finder,
           const LinkOptions& options, LinkWatcher* watcher)
    : loop_(loop),
      resolver_(resolver),
      finder_(std::move(finder)),
      options_(options),
      watcher_(watcher),
      timer_(loop, [this] { look_at_time(); }) {}

Link::~Link() = default;

// ---- calls ----

Link::Started Link::call(const Commands& commands, Heard heard) {
  WEIR_CHECK(commands.count() > 0 && heard);
  const auto refuse = [this](LinkFault fault) {
    if (watcher_) watcher_->failed(fault, loop_.now_ms());
    return std::unexpected(fault);
  };
  const std::size_t unsent = out_.size() - out_at_ + queued_.size();
  if (unsent + commands.bytes().size() > options_.most_unsent) return refuse(LinkFault::Busy);
  if (state_ == State::Apart) {
    if (loop_.now_ms() < rests_until_ms_) return refuse(LinkFault::Unreachable);
    begin();
  }
  const bool is_ready = state_ == State::Ready;
  (is_ready ? out_ : queued_).append(commands.bytes());
  calls_.push_back({.number = next_number_++,
                    .missing = commands.count(),
                    .replies = {},
                    .heard = std::move(heard),
                    .began_ms = loop_.now_ms()});
  if (is_ready) flush_soon();
  watch_time();
  return std::make_unique<Handle>(life_.watch(), calls_.back().number);
}

// Numbers go up by one, so a call's place follows from its number.
void Link::forget(std::uint64_t number) {
  if (Call* const call = find_call(number)) call->heard = {};
}

Link::Call* Link::find_call(std::uint64_t number) {
  for (std::deque<Call>* const calls : {&calls_, &failing_}) {
    const auto found = std::ranges::lower_bound(*calls, number, {}, &Call::number);
    if (found != calls->end() && found->number == number) return &*found;
  }
  return nullptr;
}

// ---- bytes ----

void Link::on_ready(bool readable, bool writable) {
  if (state_ == State::Connecting && (readable || writable)) return greet();
  const Weak<Link> weak = life_.watch();
  if (writable) flush();
  if (weak && readable && connection_) receive();
}

void Link::flush_soon() {
  if (std::exchange(flush_posted_, true)) return;
  loop_.post([weak = life_.watch()] {
    Link* const link = weak.get();
    if (!link) return;
    link->flush_posted_ = false;
    if (link->connection_ && link->state_ != State::Connecting) link->flush();
  });
}

void Link::flush() {
  while (out_at_ < out_.size()) {
    const iovec rest{out_.data() + out_at_, out_.size() - out_at_};
    const IoResult sent = connection_->write(std::span(&rest, 1));
    if (sent.status == IoStatus::WouldBlock) break;
    if (sent.status != IoStatus::Ok) {
      if (state_ != State::Greeting) return broken(connection_->fault());
      // A server that wants no more clients says so before it closes the connection: what it has
      // said is read first.
      write_fault_ = connection_->fault();
      return connection_->want(true, false);
    }
    out_at_ += sent.bytes;
  }
  if (out_at_ == out_.size()) {
    out_.clear();
    out_at_ = 0;
    if (out_.capacity() > kKeepBytes) out_ = {};
  }
  connection_->want(true, !out_.empty());
}

// Ends when there is no more, or when the link is gone or apart.
void Link::receive() {
  static thread_local std::array<char, std::size_t{64} << 10U> buffer;
  const Weak<Link> weak = life_.watch();
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const IoResult got = connection_->read(buffer);
    if (got.status == IoStatus::WouldBlock) return;
    if (got.status == IoStatus::Closed) return broken("it has closed the connection");
    if (got.status == IoStatus::Failed) return broken(connection_->fault());
    last_byte_ms_ = loop_.now_ms();
    const auto fed = reader_->feed({buffer.data(), got.bytes});
    if (!fed) return fail_with(fed.error().message, LinkFault::Broken);
    take_replies();
    if (!weak || !connection_) return;
    if (got.bytes < buffer.size()) break;
  }
  watch_time();
}

// Each may end the connection, and the link.
void Link::take_replies() {
  const Weak<Link> weak = life_.watch();
  while (weak && connection_) {
    Result<std::optional<Reply>> reply = reader_->next();
    if (!reply) return fail_with(reply.error().message, LinkFault::Broken);
    if (!*reply) return;
    if (!greeting_ && calls_.empty()) {
      return fail_with("it answers what was not asked", LinkFault::Broken);
    }
    take(std::move(**reply));
  }
}

void Link::take(Reply reply) {
  Call& call = greeting_ ? *greeting_ : calls_.front();
  if (call.heard) call.replies.push_back(std::move(reply));
  if (--call.missing > 0) return;
  Heard heard = std::move(call.heard);
  std::vector<Reply> replies = std::move(call.replies);
  const bool greeted = greeting_.has_value();
  if (greeted) {
    greeting_.reset();
  } else {
    calls_.pop_front();
  }
  if (greeted) return heard(std::move(replies), run_);
  if (watcher_) watcher_->answered();
  if (heard) heard(std::move(replies), run_);
}

// ---- ends ----

// A server closes what was idle for long: no failure, as long as nobody waits.
void Link::broken(const std::string& why) {
  if (state_ == State::Connecting || state_ == State::Greeting) {
    const std::string reason = reason_or(why);
    greeting_.reset();
    if (!addresses_.empty()) return connect_next(reason);
    return fail_with(reason, LinkFault::Unreachable);
  }
  if (calls_.empty()) return end_connection();
  fail_with(why, LinkFault::Broken);
}

// What the server said while it was greeted, or how that failed, tells more.
std::string Link::reason_or(const std::string& why) const {
  std::string refusal = greeting_ ? refusal_in(greeting_->replies) : "";
  if (!refusal.empty()) return refusal;
  return write_fault_.empty() ? why : write_fault_;
}

void Link::end_connection() {
  state_ = State::Apart;
  finding_.reset();
  asking_.reset();
  addresses_.clear();
  connection_.reset();
  reader_.reset();
  run_.clear();
  greeting_.reset();
  out_ = {};
  out_at_ = 0;
  queued_ = {};
  timer_.stop();
}

void Link::fail_with(const std::string& why, LinkFault fault) {
  const bool stood = state_ == State::Ready;
  end_connection();
  why_apart_ = why;
  // One that stood may be had again at once.
  rest_ms_ = stood ? 0 : std::clamp(2 * rest_ms_, kFirstRest_ms, kLongestRest_ms);
  rests_until_ms_ = loop_.now_ms() + (stood ? 0 : rest_of(rest_ms_));
  std::ranges::move(calls_, std::back_inserter(failing_));
  calls_.clear();
  const Weak<Link> weak = life_.watch();
  tell(fail(ErrorCode::Unavailable, why));
  // One may drop the handle of another.
  while (weak && !failing_.empty()) {
    Heard heard = std::move(failing_.front().heard);
    failing_.pop_front();
    if (heard) answer(std::move(heard), fault);
  }
}

// May destroy the link.
void Link::answer(Heard heard, LinkFault fault) {
  if (watcher_) watcher_->failed(fault, loop_.now_ms());
  heard(std::unexpected(fault), {});
}

void Link::renew() {
  if (state_ == State::Apart) return;
  if (calls_.empty()) return end_connection();
  fail_with("it leads to another server", LinkFault::Broken);
}

// Of several failures in a row the first.
void Link::tell(const Result<void>& news) {
  const bool stands = news.has_value();
  if (told_stands_ == stands) return;
  told_stands_ = stands;
  if (watcher_) watcher_->told(news);
}

// ---- time ----

std::int64_t Link::due_ms(const Call& call) const {
  const std::int64_t since =
      options_.while_silent ? std::max(call.began_ms, last_byte_ms_) : call.began_ms;
  return since + options_.timeout_ms;
}

void Link::watch_time() {
  std::int64_t due = INT64_MAX;
  if (state_ != State::Apart && state_ != State::Ready) due = began_ms_ + kConnect_ms;
  if (state_ == State::Ready && !calls_.empty()) {
    due = std::max(last_byte_ms_, calls_.front().began_ms) + kSilence_ms;
  }
  const auto waiting = std::ranges::find_if(calls_, [](const Call& call) { return !!call.heard; });
  if (waiting != calls_.end()) due = std::min(due, due_ms(*waiting));
  if (due == INT64_MAX) return timer_.stop();
  if (!timer_.active() || due < timer_at_ms_) {
    timer_at_ms_ = due;
    timer_.start_at(due);
  }
}

void Link::look_at_time() {
  const std::int64_t now_ms = loop_.now_ms();
  const bool connecting = state_ != State::Apart && state_ != State::Ready;
  if (connecting && now_ms >= began_ms_ + kConnect_ms) {
    return fail_with(reason_or("it does not answer"), LinkFault::Unreachable);
  }
  if (state_ == State::Ready && !calls_.empty() &&
      now_ms >= std::max(last_byte_ms_, calls_.front().began_ms) + kSilence_ms) {
    return fail_with("it has said nothing for a second", LinkFault::Broken);
  }
  std::vector<std::uint64_t> late;
  for (const Call& call : calls_) {
    if (call.heard && due_ms(call) <= now_ms) late.push_back(call.number);
  }
  const Weak<Link> weak = life_.watch();
  for (const std::uint64_t number : late) {
    // One that is told may drop the handle of another.
    Call* const call = find_call(number);
    if (Heard heard = call ? std::exchange(call->heard, {}) : Heard()) {
      answer(std::move(heard), LinkFault::Timeout);
    }
    if (!weak) return;
  }
  watch_time();
}

}  // namespace weir::backends::redis
