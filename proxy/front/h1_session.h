// One HTTP/1.1 client connection: requests in order, one exchange at a time, pipelined bytes kept
// for later. Born and dead on one loop; its owner (session.h) is asked for its removal.
//
// The session never calls Handler::finished from inside a call of the handler: those calls set
// flags, and settle() acts on them once the stack is the session's own again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/h1_parser.h"
#include "base/net/connection.h"
#include "base/net/timer.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_exchange.h"
#include "proxy/front/session.h"

namespace weir::front {

std::unique_ptr<SessionFactory> make_h1_factory(const SessionContext& context);

class H1Session final : public Session, public Exchange, ConnectionHandler {
 public:
  H1Session(const SessionContext& context, H1ExchangePool& exchanges,
            std::unique_ptr<Connection> connection, Peer peer);
  ~H1Session() override;

  // ---- Session ----
  void begin() override;
  void drain() override;

  // ---- ConnectionHandler ----
  void on_ready(bool readable, bool writable) override;

  // ---- Exchange ----
  const http::RequestHead& request() const override { return x_->head; }
  void keep_request() override;
  EventLoop& loop() override { return context_.loop; }
  std::string peer_ip() const override { return peer_.ip; }
  bool peer_trusted() const override { return peer_.trusted; }
  std::string_view scheme() const override;
  BodyRead read_body(std::span<char> into) override;
  void send_informational(const http::ResponseHead& head) override;
  void send_entry(const backends::EntryRef& entry, const FreshFields& fresh) override;
  void send(const http::ResponseHead& head, const FreshFields& fresh, BodySource* body) override;
  void send_tunnel(const http::ResponseHead& head, BodySource& body) override;
  void body_ready() override;
  void send_error(int status, std::string_view detail, const FreshFields& fresh) override;
  LogNotes& notes() override { return x_->notes; }

 private:
  enum class Phase : std::uint8_t {
    Idle,      // between requests
    Head,      // part of a head has come
    Exchange,  // a request is being served
    Linger,    // told the client goodbye; reading until it hears it
    Dead,      // to be removed
  };

  // reading (h1_session.cc)
  void receive();
  void receive_into_backlog();
  void receive_and_parse();
  std::size_t parse(std::string_view data);
  void start_exchange(std::string_view head_bytes);
  bool refuse_at_once();
  void refuse_head(const http::ParseError& error);
  void refuse_request(const http::ParseError& error);
  void peer_closed();
  void update_interest();
  void read_deadline_passed();
  bool backlog_full() const;
  void look_at_unread_client();
  bool body_too_slow();

  // writing (h1_response.cc)
  bool begin_response(int status);
  void finish_head(const FreshFields& fresh);
  void append_framing(const http::ResponseHead& head, bool has_body);
  void write_out();
  void written(H1Output::Status status);
  void expect_progress();
  void cut();

  // ending
  void settle();
  void settle_soon();
  void finish_exchange();
  void log_exchange();
  void linger();
  void die() { phase_ = Phase::Dead; }

  const SessionContext& context_;
  H1ExchangePool& exchanges_;
  std::unique_ptr<Connection> connection_;
  const Peer peer_;
  http::RequestParser parser_;
  Phase phase_ = Phase::Idle;
  std::unique_ptr<H1Exchange> x_;  // while a request is read or served
  std::string_view raw_head_;      // the current head where it was received; see keep_request
  std::string backlog_;            // received, not yet parsed: a body's bytes, later requests
  bool served_ = false;            // has had a request
  bool peer_done_ = false;         // the client will send no more
  bool reading_ = false;           // wants to be told of what the client sends
  bool blocked_ = false;           // the socket is full: to go on when it is writable
  bool inside_ = false;            // one of the session's own entry points is on the stack
  bool settle_posted_ = false;
  Deadline read_deadline_;
  std::unique_ptr<Deadline> write_deadline_;  // made when a client first proves slow
  std::int64_t head_started_ms_ = 0;
  std::size_t lingered_bytes_ = 0;

  // limits.min_body_rate: bytes and time of the waits for the body
  std::uint64_t body_bytes_ = 0;
  std::int64_t body_waited_ms_ = 0;
  std::int64_t body_wait_began_ms_ = 0;

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for posted calls
};

}  // namespace weir::front
