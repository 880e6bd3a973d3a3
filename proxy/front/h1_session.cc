#include "proxy/front/h1_session.h"

#include <utility>

#include "base/check.h"

namespace weir::front {
namespace {

// How much a client may go on talking after a goodbye. Without this a reset could overtake the
// response that it has not yet read.
constexpr std::size_t kGoodbyeBytes = std::size_t{1024} * 1024;
// The same for the rest of a request's body, what came of it before the goodbye included.
constexpr std::size_t kUnwantedBodyBytes = std::size_t{64} * 1024 * 1024;

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
    : exchanges_(exchanges), link_(context, std::move(connection), std::move(peer), *this) {
  link_.connection->set_handler(*this);
}

H1Session::~H1Session() {
  if (!exchange_) return;
  link_.dead = true;
  leave_batch();
  if (exchange_->has_handler()) exchange_->finish(link_.context.loop.clock().now_us());
  exchanges_.give(std::move(exchange_));
}

// ---- what wakes it ----

void H1Session::begin() {
  link_.deadlines.await_request(link_.context.loop.now_ms());
  update_interest();
}

// May destroy the session.
template <class Act>
void H1Session::enter(const Act& act) {
  inside_ = true;
  act();
  inside_ = false;
  settle();
}

void H1Session::on_ready(bool readable, bool writable) {
  enter([&] {
    leave_batch();
    if (writable && exchange_) exchange_->write_out();
    if (readable && !link_.dead) receive();
  });
}

void H1Session::send_batched() {
  enter([this] { exchange_->send_waiting(); });
}

bool H1Session::send_at_turns_end() {
  return link_.context.batch.add(*this, link_.reader.head_bytes());
}

// The answer leaves now.
void H1Session::leave_batch() {
  if (!exchange_ || !exchange_->is_waiting()) return;
  link_.context.batch.remove(*this);
  exchange_->send_waiting();
  if (serving() && exchange_->done()) finish_exchange();
}

// A request that has already arrived is still served. So is one that is under way: of a connection
// that was perhaps accepted a moment ago, or of a client that keeps asking. They get a moment for
// it, and hear in the answer that it was the last.
void H1Session::drain() {
  enter([this] {
    if (phase_ == Phase::Exchange && exchange_->is_open_ended()) link_.dead = true;
    if (phase_ == Phase::Goodbye && most_dropped_ > kGoodbyeBytes) link_.dead = true;
    if (phase_ == Phase::Idle) receive();
    if (phase_ != Phase::Idle) return;
    if (served_ && link_.deadlines.is_idle_for_long()) link_.dead = true;
    link_.deadlines.await_request_while_draining();
  });
}

void H1Session::waited_long_enough(H1Deadlines::Wait wait) {
  enter([&] {
    switch (wait) {
      case H1Deadlines::Wait::Request:
        if (phase_ == Phase::Idle) link_.dead = true;
        return;
      case H1Deadlines::Wait::Head:
        if (phase_ == Phase::Head) refuse_head({.status = 408, .detail = "header-timeout"});
        return;
      case H1Deadlines::Wait::Body:
        if (serving()) exchange_->body_is_late();
        return;
      case H1Deadlines::Wait::HalfClose:
        if (serving()) exchange_->is_half_closed_still();
        return;
      case H1Deadlines::Wait::Unread:
        return look_at_unread_client();
      case H1Deadlines::Wait::Goodbye:
        link_.dead = true;
        return;
      case H1Deadlines::Wait::Send:
        if (exchange_) exchange_->notes().detail = "send-timeout";
        link_.connection->reset_on_close();
        link_.dead = true;
        return;
    }
  });
}

// ---- what the client sends ----

void H1Session::receive() {
  if (phase_ == Phase::Goodbye) return receive_after_goodbye();
  const bool serving = phase_ == Phase::Exchange;
  const bool drops = serving && exchange_->drops_body();
  switch (drops ? receive_and_drop() : link_.reader.receive(serving)) {
    case IoStatus::Ok:
      break;
    case IoStatus::WouldBlock:
      return;
    case IoStatus::Closed:
      return peer_closed();
    case IoStatus::Failed:
      link_.dead = true;
      return;
  }
  if (drops) return;
  if (serving) {
    exchange_->body_arrived();
  } else {
    serve_requests();
  }
  if (!link_.dead) link_.reader.stow();
}

void H1Session::receive_after_goodbye() {
  const IoStatus status = receive_and_drop();
  const bool talking = status == IoStatus::Ok || status == IoStatus::WouldBlock;
  if (!talking || dropped_bytes_ > most_dropped_) link_.dead = true;
  if (status == IoStatus::Ok) link_.deadlines.is_talking();
}

IoStatus H1Session::receive_and_drop() {
  link_.reader.drop();
  const IoResult got = link_.reader.receive_and_drop();
  dropped_bytes_ += got.bytes;
  return got.status;
}

void H1Session::peer_closed() {
  link_.peer_done = true;
  if (phase_ == Phase::Exchange) return exchange_->peer_closed();
  // Nothing of a request is lost: between requests, or a head that will never be complete.
  link_.dead = true;
}

// Reads and serves requests until one needs time or bytes.
void H1Session::serve_requests() {
  while (!link_.reader.empty() && (phase_ == Phase::Idle || phase_ == Phase::Head)) {
    if (!exchange_) exchange_ = exchanges_.take(link_, *this);
    const http::ParseStatus status = link_.reader.read_head(exchange_->head());
    if (status == http::ParseStatus::NeedMore) {
      // A stray line end behind a request's body begins nothing yet.
      if (phase_ == Phase::Head || !link_.reader.head_begun()) return;
      phase_ = Phase::Head;
      return link_.deadlines.await_head();
    }
    if (status == http::ParseStatus::Error) {
      refuse_head(link_.reader.error());
    } else {
      phase_ = Phase::Exchange;
      served_ = true;
      exchange_->start();
    }
    if (serving() && exchange_->done()) finish_exchange();
  }
}

void H1Session::refuse_head(const http::ParseError& error) {
  phase_ = Phase::Exchange;
  exchange_->refuse_head(error);
}

// Backpressure: while an exchange runs, only so much is taken ahead, or dropped.
bool H1Session::has_taken_enough() const {
  return exchange_->drops_body() ? dropped_bytes_ > kUnwantedBodyBytes : link_.reader.full();
}

void H1Session::update_interest() {
  bool read = !link_.peer_done && !link_.dead;
  if (read && phase_ == Phase::Exchange && has_taken_enough()) {
    read = false;
    link_.deadlines.await_look_at_unread();  // no event will tell of an end meanwhile
  }
  link_.connection->want(read, link_.blocked);
}

void H1Session::look_at_unread_client() {
  if (!serving() || link_.peer_done || !has_taken_enough()) return;
  const PeerState state = link_.connection->peer_state();
  const bool reads_on = state == PeerState::Ended && !exchange_->is_endless();
  if (state != PeerState::Open && !reads_on) exchange_->client_is_gone();
}

// ---- endings ----

// Acts on what the calls before it decided. Only when the stack is the session's own; may destroy
// the session.
void H1Session::settle() {
  if (serving() && exchange_->done()) {
    inside_ = true;
    finish_exchange();
    serve_requests();  // those that were sent ahead
    inside_ = false;
  }
  // What a client sent before it closed its half is all served by now.
  if (link_.peer_done && (phase_ == Phase::Idle || phase_ == Phase::Head)) link_.dead = true;
  if (link_.dead) return link_.context.owner.remove(*this);
  update_interest();
}

void H1Session::settle_soon() {
  if (inside_ || std::exchange(settle_posted_, true)) return;
  link_.context.loop.post([watch = life_.watch()] {
    H1Session* const session = watch.get();
    if (!session) return;
    session->settle_posted_ = false;
    session->settle();
  });
}

void H1Session::finish_exchange() {
  WEIR_CHECK(exchange_->done());
  // What is left of the request's body is thrown away if it is here, else the connection must end.
  const bool body_over = link_.reader.end_request();
  const bool last = exchange_->is_last() || !body_over || link_.context.draining;
  // The clock is read once for both: this is on the way of every hit.
  const std::int64_t now_us = link_.context.loop.clock().now_us();
  exchange_->finish(now_us);
  exchanges_.give(std::move(exchange_));
  if (last) return say_goodbye(body_over);
  phase_ = Phase::Idle;
  link_.reader.trim();
  link_.deadlines.await_request(now_us / 1000);
}

void H1Session::say_goodbye(bool body_over) {
  phase_ = Phase::Goodbye;
  link_.reader.drop();
  if (link_.peer_done) {
    link_.dead = true;  // nobody is left to hear it
    return;
  }
  link_.connection->shutdown_write();
  if (body_over || link_.context.draining) {
    dropped_bytes_ = 0;
    most_dropped_ = kGoodbyeBytes;
    return link_.deadlines.await_goodbye();
  }
  most_dropped_ = kUnwantedBodyBytes;
  link_.deadlines.await_end_of_talk();
  link_.context.owner.is_spent(*this);
}

}  // namespace weir::front
