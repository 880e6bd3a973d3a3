// How long an HTTP/1.1 session waits for its client: one wait at a time for what the client is to
// send, another for it to take what is sent. By the loop's clock; loop thread only.
#pragma once

#include <cstdint>
#include <memory>

#include "base/net/timer.h"
#include "conf/config.h"

namespace weir::front {

class H1Deadlines {
 public:
  // What the client has not done in time.
  enum class Wait : std::uint8_t {
    Request,    // begin a request: limits.keepalive_timeout, or a moment while draining
    Head,       // send all of a head that has begun: limits.header_timeout
    Body,       // send on of a body that is asked for: limits.body_timeout, or time to look at the
                // rate at which it comes
    HalfClose,  // … has closed its half: time to look whether anything is done for it
    Unread,     // … is not read, since it has sent enough ahead: time to look whether it is there
    Goodbye,    // hear that the connection is over, or stop talking
    Send,       // take anything of what it is sent: limits.send_timeout
  };
  class Owner {
   public:
    virtual ~Owner() = default;
    // The wait is over. May destroy the deadlines.
    virtual void waited_long_enough(Wait wait) = 0;
  };

  H1Deadlines(EventLoop& loop, const conf::Limits& limits, Owner& owner);

  // ---- for what the client sends: each call ends the wait before it ----
  void await_request(std::int64_t now_ms);
  void await_request_while_draining();
  // No request for so long that none is under way, as far as can be told.
  bool is_idle_for_long() const;
  void await_head();
  void await_body();
  // The wait goes on: it was time to look, and no more.
  void await_more_body();
  void await_look_at_half_closed();
  // Nothing when that is what is waited for already.
  void await_look_at_unread();
  void await_goodbye();
  // The rest of a request's body that nobody wants is still to come: while it does, and for a
  // bounded time.
  void await_end_of_talk();
  void is_talking();
  void await_nothing() { receiving_.clear(); }

  // ---- limits.min_body_rate: bytes read of a body, over the time that was waited for it ----
  void body_begins();
  void body_read(std::uint64_t bytes) { body_bytes_ += bytes; }
  // More of the body has come, ending await_body()'s wait.
  void body_has_come();
  bool body_has_stopped() const;
  // Whether it has come too slowly so far, this wait included.
  bool body_is_too_slow() const;

  // ---- for what the client takes ----
  // Goes on from the first call on until something was taken.
  void await_progress();
  void progressed();

 private:
  void await(Wait wait, std::int64_t until_ms);
  std::int64_t body_waited_ms() const;

  EventLoop& loop_;
  const conf::Limits& limits_;
  Owner& owner_;
  Wait wait_ = Wait::Request;  // what receiving_ is set for
  Deadline receiving_;
  std::unique_ptr<Deadline> sending_;  // made when a client first proves slow
  std::int64_t request_awaited_ms_ = 0;
  std::int64_t body_wait_began_ms_ = 0;
  bool body_awaited_ = false;
  std::int64_t talk_until_ms_ = 0;   // 0: no such wait
  std::int64_t body_waited_ms_ = 0;  // before this wait
  std::uint64_t body_bytes_ = 0;
};

}  // namespace weir::front
