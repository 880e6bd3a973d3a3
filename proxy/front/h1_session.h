// One HTTP/1.1 client connection: requests in order, one exchange at a time. It knows in which
// phase the connection is and acts on what happens in it. The rest is others': bytes become
// requests in the reader, deadlines say when the client has had its time, and an exchange answers
// one request. Born and dead on one loop; its owner (session.h) is asked for its removal.
//
// Handler::finished is never called from inside a call of the handler: those calls set flags, and
// settle() acts on them once the stack is the session's own again.
#pragma once

#include <cstdint>
#include <memory>

#include "base/http/h1_parser.h"
#include "base/life.h"
#include "base/net/connection.h"
#include "proxy/front/h1_deadlines.h"
#include "proxy/front/h1_exchange.h"
#include "proxy/front/h1_link.h"
#include "proxy/front/session.h"

namespace weir::front {

// `context` must outlive the factory.
std::unique_ptr<SessionFactory> make_h1_factory(const SessionContext& context);

class H1Session final : public Session,
                        ConnectionHandler,
                        H1Deadlines::Owner,
                        H1Exchange::Owner,
                        AnswerBatch::Sender {
 public:
  H1Session(const SessionContext& context, H1ExchangePool& exchanges,
            std::unique_ptr<Connection> connection, Peer peer);
  ~H1Session() override;

  // ---- Session ----
  void begin() override;
  void drain() override;
  const std::string& peer_ip() const override { return link_.peer.ip; }
  void set_trusted(bool trusted) override { link_.peer.trusted = trusted; }
  bool is_answered() const override { return phase_ == Phase::Goodbye; }

 private:
  enum class Phase : std::uint8_t {
    Idle,      // between requests
    Head,      // part of a head has come
    Exchange,  // a request is being served
    Goodbye,   // told the client that this was all; reading until it hears it
  };

  // What wakes it. Each ends in settle().
  void on_ready(bool readable, bool writable) override;
  void waited_long_enough(H1Deadlines::Wait wait) override;
  void send_batched() override;
  template <class Act>
  void enter(const Act& act);

  void receive();
  void receive_after_goodbye();
  IoStatus receive_and_drop();
  bool has_taken_enough() const;
  void peer_closed();
  void serve_requests();
  void refuse_head(const http::ParseError& error);
  bool serving() const { return phase_ == Phase::Exchange && !link_.dead; }

  // ---- H1Exchange::Owner ----
  void update_interest() override;
  void settle_soon() override;
  bool send_at_turns_end() override;

  void leave_batch();
  void look_at_unread_client();
  void settle();
  void finish_exchange();
  void say_goodbye(bool body_over);

  H1ExchangePool& exchanges_;
  H1Link link_;
  Phase phase_ = Phase::Idle;
  std::unique_ptr<H1Exchange> exchange_;  // while a request is read or served
  bool served_ = false;                   // has had a request
  bool inside_ = false;                   // enter() or settle() is on the stack
  bool settle_posted_ = false;
  std::size_t dropped_bytes_ = 0;  // that came and were of no use to anybody
  std::size_t most_dropped_ = 0;   // after a goodbye
  Life<H1Session> life_{*this};    // for posted calls
};

}  // namespace weir::front
