#include "proxy/front/h1_session.h"

#include <algorithm>

#include "base/text.h"
#include "proxy/front/monotonic.h"

namespace weir::front {
namespace {

// So much is taken from a client ahead of what its request's body, or its next request, needs.
constexpr std::size_t kBacklogBytes = 64 * 1024;
// How much a client may go on talking after a goodbye (see linger()).
constexpr std::size_t kLingerBytes = 1024 * 1024;
// limits.min_body_rate counts after so long.
constexpr std::int64_t kBodyRateGraceMs = 5'000;
// How long a client that has closed its half is believed to wait for the beginning of an answer.
constexpr std::int64_t kHalfClosedMs = 2'000;
// How often a client is looked at that is not being read, because what it has sent ahead waits.
constexpr std::int64_t kUnreadLookMs = 2'000;
// How long a draining worker waits for the first request of a new connection.
constexpr std::int64_t kFirstRequestMs = 500;

http::HeadLimits head_limits(const conf::Limits& limits) {
  return {.request_line = limits.request_line,
          .headers = limits.headers,
          .header_count = limits.header_count};
}

class H1Factory final : public SessionFactory {
 public:
  explicit H1Factory(const SessionContext& context) : context_(context) {}
  std::unique_ptr<Session> make(std::unique_ptr<Connection> connection, Peer peer) override {
    return std::make_unique<H1Session>(context_, exchanges_, std::move(connection),
                                       std::move(peer));
  }

 private:
  const SessionContext& context_;
  H1ExchangePool exchanges_;
};

}  // namespace

std::unique_ptr<SessionFactory> make_h1_factory(const SessionContext& context) {
  return std::make_unique<H1Factory>(context);
}

H1Session::H1Session(const SessionContext& context, H1ExchangePool& exchanges,
                     std::unique_ptr<Connection> connection, Peer peer)
    : context_(context),
      exchanges_(exchanges),
      connection_(std::move(connection)),
      peer_(std::move(peer)),
      parser_(head_limits(context.limits)),
      read_deadline_(context.loop, [this] { read_deadline_passed(); }) {
  connection_->set_handler(*this);
}

H1Session::~H1Session() {
  *alive_ = false;
  if (x_ && x_->handler) {
    log_exchange();
    Handler* handler = std::exchange(x_->handler, nullptr);
    handler->finished();
    context_.handlers.release(handler);
  }
}

void H1Session::begin() {
  read_deadline_.set(loop().now_ms() + context_.limits.keepalive_timeout_ms);
  update_interest();
}

// A request that has already arrived is still served. A connection that has not had one yet was
// perhaps accepted a moment ago, and its first request is under way: it gets that moment.
void H1Session::drain() {
  if (phase_ == Phase::Idle) {
    inside_ = true;
    receive();
    inside_ = false;
    if (phase_ == Phase::Idle && served_) die();
    if (phase_ == Phase::Idle) read_deadline_.set(loop().now_ms() + kFirstRequestMs);
  } else if (phase_ == Phase::Exchange && (x_->tunnel || x_->endless)) {
    die();  // it would not end by itself
  }
  settle();
}

// ---- reading ----

void H1Session::on_ready(bool readable, bool writable) {
  inside_ = true;
  if (writable && x_) write_out();
  if (readable && phase_ != Phase::Dead) receive();
  inside_ = false;
  settle();
}

void H1Session::receive() {
  switch (phase_) {
    case Phase::Idle:
    case Phase::Head:
      if (backlog_.empty()) return receive_and_parse();
      return receive_into_backlog();
    case Phase::Exchange:
      return receive_into_backlog();
    case Phase::Linger: {
      const IoResult got = connection_->read(context_.receive_buffer);
      lingered_bytes_ += got.bytes;
      const bool go_on = got.status == IoStatus::Ok || got.status == IoStatus::WouldBlock;
      if (!go_on || lingered_bytes_ > kLingerBytes) die();
      return;
    }
    case Phase::Dead:
      return;
  }
}

// The usual case: whole requests parsed where they were received, nothing copied.
void H1Session::receive_and_parse() {
  const std::span<char> buffer = context_.receive_buffer;
  const IoResult got = connection_->read(buffer);
  if (got.status == IoStatus::WouldBlock) return;
  if (got.status != IoStatus::Ok) {
    // Nothing of a request is lost: between requests, or a head that will never be complete.
    die();
    return;
  }
  const std::string_view data(buffer.data(), got.bytes);
  const std::size_t used = parse(data);
  if (phase_ != Phase::Dead && phase_ != Phase::Linger) backlog_.assign(data.substr(used));
}

void H1Session::receive_into_backlog() {
  const std::span<char> buffer = context_.receive_buffer;
  const std::size_t room = phase_ == Phase::Exchange && backlog_.size() < kBacklogBytes
                               ? std::min(buffer.size(), kBacklogBytes - backlog_.size())
                               : buffer.size();
  const IoResult got = connection_->read(buffer.first(room));
  if (got.status == IoStatus::WouldBlock) return;
  if (got.status == IoStatus::Failed) return die();
  if (got.status == IoStatus::Closed) return peer_closed();
  backlog_.append(buffer.data(), got.bytes);
  if (phase_ == Phase::Exchange) {
    if (x_->body_wanted) {
      x_->body_wanted = false;
      if (body_too_slow()) return refuse_request({.status = 408, .detail = "body-rate"});
      x_->handler->request_body_ready();
    }
    return;
  }
  const std::size_t used = parse(backlog_);
  if (phase_ != Phase::Dead) backlog_.erase(0, used);
}

// Parses and serves requests from the front of `data` until one needs time or bytes. Returns how
// many bytes were used up.
std::size_t H1Session::parse(std::string_view data) {
  std::size_t used = 0;
  while (used < data.size() && (phase_ == Phase::Idle || phase_ == Phase::Head)) {
    if (!x_) {
      x_ = exchanges_.take();
      parser_.reset();
    }
    const http::ParseStatus status = parser_.parse(data.substr(used), x_->head);
    if (status == http::ParseStatus::Error) {
      refuse_head(parser_.error());
      return data.size();
    }
    // A stray line end behind a request's body begins nothing yet.
    if (phase_ == Phase::Idle && parser_.started()) {
      phase_ = Phase::Head;
      head_started_ms_ = loop().now_ms();
      if (status == http::ParseStatus::NeedMore) {
        read_deadline_.set(head_started_ms_ + context_.limits.header_timeout_ms);
      }
    }
    if (status == http::ParseStatus::NeedMore) return used;
    const std::string_view head_bytes = data.substr(used, parser_.consumed());
    used += head_bytes.size();
    start_exchange(head_bytes);
    // With a body of its own still in `data` it is for settle() to finish it.
    if (x_->done && !x_->body.ended()) return used;
    if (x_->done) finish_exchange();
  }
  return used;
}

void H1Session::start_exchange(std::string_view head_bytes) {
  phase_ = Phase::Exchange;
  raw_head_ = head_bytes;
  if (context_.access_log) x_->started_us = monotonic_us();
  served_ = true;
  x_->body.reset(x_->head.framing, x_->head.content_length, context_.limits.max_body);
  body_bytes_ = 0;
  body_waited_ms_ = 0;
  if (!refuse_at_once()) {
    x_->handler = context_.handlers.acquire();
    x_->handler->start(*this);
  }
  // What is not over when this returns is looked at again, and the bytes here will have moved.
  if (!x_->done || !x_->body.ended()) keep_request();
  if (!x_->done) update_interest();
}

// What needs no handler: methods that Weir does not forward, and a body that is told to be too
// long.
bool H1Session::refuse_at_once() {
  const http::Method method = x_->head.method;
  const std::uint64_t max_body = context_.limits.max_body;
  if (method == http::Method::Trace || method == http::Method::Connect ||
      method == http::Method::Purge) {
    x_->close_after = !x_->body.ended();
    send_error(405, "method", {});
    return true;
  }
  if (max_body != 0 && x_->head.framing == http::Framing::Length &&
      x_->head.content_length > max_body) {
    refuse_request({.status = 413, .detail = "max-body"});
    return true;
  }
  return false;
}

// A head that broke, or never came whole. Nothing of it is looked at, logged or moved: its views
// may point into a buffer that other clients have used since.
void H1Session::refuse_head(const http::ParseError& error) {
  x_->head.clear();
  x_->head_kept = true;
  refuse_request(error);
}

// The request cannot be served and the connection cannot be used further.
void H1Session::refuse_request(const http::ParseError& error) {
  if (x_->responding) {
    // Half a response is out already: all that is left is to cut it.
    x_->done = true;
    return cut();
  }
  phase_ = Phase::Exchange;
  x_->close_after = true;
  send_error(error.status, error.detail, {});
}

void H1Session::keep_request() {
  if (x_->head_kept) return;
  x_->head_kept = true;
  x_->head_bytes.assign(raw_head_);
  const char* const from = raw_head_.data();
  x_->head.rebase(from, x_->head_bytes.data());
}

void H1Session::peer_closed() {
  peer_done_ = true;
  if (phase_ != Phase::Exchange) return die();
  // Nobody half-closes and then reads an endless stream: without this a closed tab would hold its
  // connection to the app until the next event, which may never come.
  if (x_->endless) return die();
  // A half-close after a whole request is legitimate: the response still has a reader.
  if (x_->body_wanted) {
    x_->body_wanted = false;
    x_->handler->request_body_ready();
    return;
  }
  // But most who close have left: an app that is slow to answer is not kept busy for them.
  if (!x_->responding) read_deadline_.set(loop().now_ms() + kHalfClosedMs);
}

std::string_view H1Session::scheme() const {
  if (peer_.trusted) {
    const std::string_view told = x_->head.value(http::FieldId::XForwardedProto);
    if (equals_ignore_case(told, "https")) return "https";
  }
  return "http";
}

BodyRead H1Session::read_body(std::span<char> into) {
  if (x_->tunnel) {
    const std::size_t bytes = std::min(backlog_.size(), into.size());
    if (bytes > 0) {
      std::copy_n(backlog_.data(), bytes, into.data());
      backlog_.erase(0, bytes);
      if (!inside_) update_interest();
      return {BodyRead::Status::Data, bytes};
    }
    if (peer_done_) return {BodyRead::Status::End};
    x_->body_wanted = true;
    return {BodyRead::Status::Pending};
  }
  const bool was_full = backlog_full();
  const BodyRead read = x_->body.read(backlog_, into);
  if (read.status == BodyRead::Status::Pending) {
    if (peer_done_) return {BodyRead::Status::Failed};
    x_->body_wanted = true;
    if (x_->head.expect_continue && !std::exchange(x_->continue_sent, true) && !x_->responding) {
      x_->output.head() += "HTTP/1.1 100 Continue\r\n\r\n";
      write_out();
    }
    body_wait_began_ms_ = loop().now_ms();
    read_deadline_.set(body_wait_began_ms_ + context_.limits.body_timeout_ms);
    update_interest();
    return read;
  }
  body_bytes_ += read.bytes;
  if (!peer_done_) read_deadline_.clear();  // else it is that of peer_closed()
  if (was_full) update_interest();
  return read;
}

bool H1Session::body_too_slow() {
  body_waited_ms_ += loop().now_ms() - body_wait_began_ms_;
  const std::uint64_t rate = context_.limits.min_body_rate;
  if (rate == 0 || x_->tunnel || body_waited_ms_ < kBodyRateGraceMs) return false;
  return body_bytes_ * 1000 < rate * static_cast<std::uint64_t>(body_waited_ms_);
}

void H1Session::update_interest() {
  reading_ = !peer_done_ && phase_ != Phase::Dead;
  // Backpressure: while an exchange runs, only so much is taken ahead.
  if (reading_ && phase_ == Phase::Exchange && backlog_full()) {
    reading_ = false;
    // No event will tell of an end meanwhile.
    read_deadline_.set(loop().now_ms() + kUnreadLookMs);
  }
  connection_->want(reading_, blocked_);
}

bool H1Session::backlog_full() const {
  return backlog_.size() >= kBacklogBytes;
}

void H1Session::look_at_unread_client() {
  const PeerState state = connection_->peer_state();
  const bool left = state == PeerState::Gone || (state == PeerState::Ended && x_->endless);
  if (!left) return update_interest();
  x_->notes.detail = "client-gone";
  die();
}

void H1Session::read_deadline_passed() {
  inside_ = true;
  if (phase_ == Phase::Head) {
    refuse_head({.status = 408, .detail = "header-timeout"});
  } else if (phase_ == Phase::Exchange && peer_done_ && !x_->responding) {
    x_->notes.detail = "client-gone";
    die();
  } else if (phase_ == Phase::Exchange && x_->body_wanted && !x_->responding) {
    refuse_request({.status = 408, .detail = "body-timeout"});
  } else if (phase_ == Phase::Exchange && !peer_done_ && backlog_full()) {
    look_at_unread_client();
  } else if (phase_ == Phase::Idle || phase_ == Phase::Linger) {
    die();
  }
  inside_ = false;
  settle();
}

}  // namespace weir::front
