#include "proxy/upstream/wire_fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "proxy/upstream/wire_fetcher.h"

namespace weir::upstream {
namespace {

// Reads in one turn before the loop's other events get theirs.
constexpr int kReads = 4;

// A login that belongs to the connection (NTLM, Negotiate).
bool authenticates_connection(const FetchRequest& request) {
  const std::string_view value = request.fields.value(http::FieldId::Authorization);
  return starts_with_ignore_case(value, "NTLM") || starts_with_ignore_case(value, "Negotiate");
}

}  // namespace

class WireFetch::Handle final : public Fetch {
 public:
  explicit Handle(Weak<WireFetch> fetch) : fetch_(std::move(fetch)) {}
  ~Handle() override {
    if (WireFetch* fetch = fetch_.get()) fetch->leave();
  }

  bool waiting() const override {
    const WireFetch* fetch = fetch_.get();
    return fetch && fetch->waits_for_place();
  }
  std::int64_t sent_ms() const override {
    const WireFetch* fetch = fetch_.get();
    return fetch ? fetch->sent_ms_ : 0;
  }
  void pause() override {
    if (WireFetch* fetch = fetch_.get()) fetch->pause();
  }
  void resume() override {
    if (WireFetch* fetch = fetch_.get()) fetch->resume();
  }
  void body_ready() override {
    if (WireFetch* fetch = fetch_.get()) fetch->body_ready();
  }
  void hurry() override {
    if (WireFetch* fetch = fetch_.get()) fetch->pool_.places().hurry(*fetch);
  }

 private:
  const Weak<WireFetch> fetch_;
};

WireFetch::WireFetch(WireFetcher& fetcher, WirePool& wires, UpstreamPool& pool)
    : Guest(wires.loop()),
      fetcher_(fetcher),
      wires_(wires),
      pool_(pool),
      answer_(pool.response_headers()),
      deadline_(wires.loop(), [this] { on_deadline(); }) {}

WireFetch::~WireFetch() {
  life_.end();
  end_attempt();
  pool_.places().leave(*this);
}

std::unique_ptr<Fetch> WireFetch::begin(FetchRequest request, FetchSink& sink,
                                        std::optional<std::size_t> only_url) {
  WEIR_CHECK(phase_ == Phase::Idle);
  request_ = std::move(request);
  if (request_.framing == http::Framing::None ||
      (request_.framing == http::Framing::Length && request_.content_length == 0)) {
    request_.body = nullptr;
  }
  writer_.begin(request_);
  answer_.reset(request_.method == http::Method::Head, false);
  sink_ = &sink;
  only_url_ = only_url;
  avoid_url_.reset();
  failovers_ = 0;
  retries_ = 0;
  sent_ms_ = 0;
  paused_ = body_waits_ = need_fresh_ = false;
  private_ = authenticates_connection(request_);
  phase_ = Phase::Waiting;
  answer_by_ms_ = now_ms() + pool_.config().first_byte_timeout_ms;
  auto handle = std::make_unique<Handle>(life_.watch());
  take_place();
  arm_deadline();
  return handle;
}

// An upload that drips in is not to hold a place that others wait for. Whoever streams slowly on
// purpose is held up for no longer than this.
void WireFetch::take_place() {
  constexpr std::int64_t kGather_ms = 1'000;
  if (only_url_) return on_place();
  if (!writer_.has_body()) {
    return pool_.places().enter(*this, request_.refresh ? PlaceKind::Refresh : PlaceKind::Visit);
  }
  const bool ready = request_.body->gathered();
  pool_.places().enter(*this, PlaceKind::Upload, ready);
  if (!ready && waits_for_place()) gather_by_ms_ = now_ms() + kGather_ms;
}

void WireFetch::on_place() {
  gather_by_ms_ = kNever;
  phase_ = Phase::Admitted;
  fetcher_.schedule(*this);
}

void WireFetch::on_turn() {
  if (phase_ == Phase::Admitted) return start_attempt();
  if (phase_ != Phase::Running) return;
  if (body_waits_ && !send()) return;
  if (connection_->tls() && !paused_ && !receive()) return;
  update_interest();
}

void WireFetch::start_attempt() {
  url_ = only_url_ ? *only_url_ : pool_.pick(now_ms(), avoid_url_);
  if (!writer_.start(pool_.host(url_, request_.host))) {
    return finish(FetchResult::Refused, "the request cannot be sent: a control byte in its head");
  }
  pool_.begin(url_);
  phase_ = Phase::Connecting;
  blocked_ = deaf_ = false;
  if (may_reuse() && !need_fresh_) connection_ = wires_.take(url_);
  reused_ = connection_ != nullptr;
  if (reused_) {
    connection_->set_owner(*this);
    return on_connected();
  }
  connect_by_ms_ = now_ms() + pool_.config().connect_timeout_ms;
  arm_deadline();
  connection_ = wires_.open(url_, *this);
}

void WireFetch::end_attempt() {
  if (phase_ != Phase::Connecting && phase_ != Phase::Running) return;
  phase_ = Phase::Admitted;
  connect_by_ms_ = continue_by_ms_ = kNever;
  pool_.end(url_);
  if (connection_) wires_.close(std::move(connection_));
}

bool WireFetch::may_reuse() const {
  return http::is_idempotent(request_.method) && !writer_.has_body();
}

bool WireFetch::may_repeat() const {
  return http::is_idempotent(request_.method) && writer_.untouched() && !only_url_ &&
         retries_ < pool_.config().retries;
}

bool WireFetch::try_again(FetchResult result, bool unreachable) {
  if (unreachable) {
    pool_.failed(url_, now_ms());
    // Nothing was sent: another address may serve any method.
    if (only_url_ || !writer_.untouched() || ++failovers_ >= pool_.size()) return false;
  } else {
    if (result != FetchResult::Broken || answer_.any_byte() || !may_repeat()) return false;
    ++retries_;
    need_fresh_ = true;
  }
  avoid_url_ = url_;
  return true;
}

void WireFetch::end_or_retry(FetchResult result, std::string message, bool unreachable) {
  if (!try_again(result, unreachable)) return finish(result, std::move(message));
  end_attempt();
  start_attempt();
}

void WireFetch::finish(FetchResult result, std::string message) {
  const bool asked = phase_ == Phase::Connecting || phase_ == Phase::Running;
  if (asked && !message.empty()) message = fmt::format("{}: {}", pool_.url(url_).text, message);
  FetchEnd end{result, std::move(message), answer_.any_byte()};
  FetchSink* sink = sink_;
  leave();
  // Last: the sink may start a fetch that gets this very object.
  sink->on_end(std::move(end));
}

void WireFetch::leave() {
  life_.end();
  end_attempt();
  sink_ = nullptr;
  request_ = {};  // it may hold credentials
  writer_.release();
  deadline_.clear();
  gather_by_ms_ = continue_by_ms_ = kNever;
  phase_ = Phase::Idle;
  pool_.places().leave(*this);
  fetcher_.leave(*this);
}

// ---- the connection ----

void WireFetch::on_connected() {
  phase_ = Phase::Running;
  connect_by_ms_ = kNever;
  pool_.connected(url_);
  sent_ms_ = now_ms();
  await_continue();
  if (send()) update_interest();
}

void WireFetch::on_unreachable(std::string message) {
  end_or_retry(FetchResult::Refused, std::move(message), true);
}

void WireFetch::on_ready(WireConnection&, bool readable, bool writable) {
  if (writable && blocked_ && !send()) return;
  if (readable && !paused_ && !receive()) return;
  update_interest();
}

// Reading is wanted from the start: an answer may come early, and an end at any time. While the
// sink wants nothing, it is given up only when there is something to read.
void WireFetch::update_interest() {
  connection_->want(!paused_, blocked_ && !deaf_);
}

bool WireFetch::send() {
  if (deaf_) return true;
  const Weak<WireFetch> fetch = life_.watch();
  const RequestWriter::Status status = writer_.write(*connection_, wires_.buffer());
  if (!fetch) return false;
  blocked_ = status == RequestWriter::Status::Blocked;
  body_waits_ = status == RequestWriter::Status::Pending;
  if (status == RequestWriter::Status::BodyFailed) {
    finish(FetchResult::BodyFailed, "the request's body failed");
    return false;
  }
  if (status == RequestWriter::Status::Dead) {
    if (reused_ && !writer_.any_sent()) {
      // It ended while it was idle, and no event had told yet: the app knows nothing of this
      // request.
      need_fresh_ = true;
      end_attempt();
      start_attempt();
      return false;
    }
    deaf_ = true;
  }
  // Time for an answer does not run while the client sends: its slowness is somebody else's to
  // judge.
  if (!writer_.has_body()) return true;
  if (body_waits_) {
    answer_by_ms_ = kNever;
  } else if (answer_.has_head()) {
    time_answer();
    return true;
  } else {
    answer_by_ms_ = now_ms() + pool_.config().first_byte_timeout_ms;
  }
  arm_deadline();
  return true;
}

bool WireFetch::receive() {
  const std::span<char> buffer = wires_.buffer();
  for (int i = 0; i < kReads; ++i) {
    const WireConnection::Moved moved = connection_->receive(buffer);
    if (moved.state == WireConnection::State::Again) return true;
    if (moved.state != WireConnection::State::Bytes) {
      on_stream_end(moved.state);
      return false;
    }
    full_read_ = moved.bytes == buffer.size();
    if (!feed({buffer.data(), moved.bytes})) return false;
    // What is left in a socket will be told of again.
    if (paused_ || (!connection_->tls() && moved.bytes < buffer.size())) return true;
  }
  if (connection_->tls()) fetcher_.schedule(*this);
  return true;
}

bool WireFetch::feed(std::string_view bytes) {
  const bool in_head = !answer_.has_head();
  while (!answer_.has_head()) {
    if (bytes.empty()) return true;
    if (!feed_head(bytes)) return false;
  }
  const bool head_alone = in_head && bytes.empty();
  if (!feed_body(bytes)) return false;
  if (answer_.complete()) {
    complete(!bytes.empty());
    return false;
  }
  if (head_alone) connection_->acknowledge();
  time_answer();
  return true;
}

bool WireFetch::feed_head(std::string_view& bytes) {
  const Weak<WireFetch> fetch = life_.watch();
  const AnswerReader::Event event = pass_head(answer_, bytes, *sink_);
  if (!fetch) return false;
  if (answer_.says_continue()) open_body();
  if (event != AnswerReader::Event::Garbage) return true;
  finish(FetchResult::Garbage, answer_.error());
  return false;
}

// Takes the answer's bytes. A sink that has paused gets what was received before.
bool WireFetch::feed_body(std::string_view& bytes) {
  const Weak<WireFetch> fetch = life_.watch();
  while (!bytes.empty() && (!answer_.complete() || answer_.chunked())) {
    std::string_view data;
    if (!answer_.feed_body(bytes, data)) {
      finish(FetchResult::Garbage, answer_.error());
      return false;
    }
    if (data.empty()) continue;
    sink_->on_body(data);
    if (!fetch) return false;
  }
  return true;
}

void WireFetch::on_stream_end(WireConnection::State how) {
  const bool orderly = how == WireConnection::State::End;
  const FetchResult result = orderly ? answer_.result_at_end() : FetchResult::Broken;
  if (result != FetchResult::Broken) return finish(result, {});
  end_or_retry(result, cut_text(how), false);
}

// An answer that came before the request was out ends the exchange: the app does not wait for the
// rest, nor do we, and the connection cannot serve again.
void WireFetch::complete(bool excess) {
  // A read that filled the buffer may have left something behind the answer's end.
  const bool clean = !excess && (!full_read_ || connection_->drained());
  const bool reusable = answer_.reusable() && clean && !private_ && !deaf_ && writer_.all_sent();
  // Those who cannot use a kept one leave no more than one: an app with a process for each
  // connection would soon have none left.
  const bool useful = may_reuse() || !wires_.has_idle(url_);
  if (reusable && useful) wires_.keep(url_, std::move(connection_), answer_.bodiless());
  finish(FetchResult::Complete, {});
}

}  // namespace weir::upstream
