// One request of an HTTP/1.1 connection, and the response to it. It exists from the request's first
// byte on; what an idle connection can do without lies here. Pooled by its factory, so that a busy
// connection allocates nothing. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/h1_parser.h"
#include "proxy/front/exchange.h"
#include "proxy/front/h1_link.h"
#include "proxy/front/h1_output.h"

namespace weir::front {

class H1Exchange final : public Exchange {
 public:
  // The session. Neither call ends or destroys the exchange.
  class Owner {
   public:
    virtual ~Owner() = default;
    // Other things are to be read, or written, than before.
    virtual void update_interest() = 0;
    // The exchange is done, or the link dead: to be acted on when no handler is on the stack.
    virtual void settle_soon() = 0;
    // Whether send_waiting() will be called when the loop's turn ends. The request stays until
    // then.
    virtual bool send_at_turns_end() = 0;
  };

  // ---- for the pool ----
  void attach(H1Link& link, Owner& owner);
  // Forgets this request and this session; buffers keep their capacity. Its handler must be gone.
  void reset();

  // ---- for the session ----
  // Where the reader puts the request.
  http::RequestHead& head() { return head_; }
  // The head is there: hands it to a handler, unless it is refused at once.
  void start();
  // A head that broke, or never came whole. Nothing of it is looked at or logged: its views may
  // point into a buffer that other clients have used since.
  void refuse_head(const http::ParseError& error);
  // More has come from the client; its half is closed; it sends nothing though it is asked to.
  void body_arrived();
  void peer_closed();
  void body_is_late();
  // Some time has gone by since its half was closed.
  void is_half_closed_still();
  // The client has left without its response.
  void client_is_gone();
  // Sends what there is to send.
  void write_out();
  // The answer waits for send_waiting().
  bool is_waiting() const { return waiting_; }
  void send_waiting();
  // Counts it, writes the log's line and says goodbye to the handler. `now_us`: by the loop's
  // clock. Once.
  void finish(std::int64_t now_us);

  bool has_handler() const { return handler_ != nullptr; }
  bool responding() const { return responding_; }
  bool done() const { return done_; }                         // the response was sent whole
  bool is_last() const { return is_last_; }                   // the connection ends with it
  bool is_open_ended() const { return endless_ || tunnel_; }  // it does not end by itself
  bool is_endless() const { return endless_; }
  // What comes is of no use to anybody, while the response is sent that is the connection's last.
  bool drops_body() const { return body_unwanted_ && responding_ && is_last_; }

  // ---- Exchange ----
  const http::RequestHead& request() const override { return head_; }
  void keep_request() override { link_->reader.keep_head(head_, head_bytes_); }
  EventLoop& loop() override { return link_->context.loop; }
  std::string peer_ip() const override { return link_->peer.ip; }
  bool peer_trusted() const override { return peer_trusted_; }
  conf::TrustedFields believed() const override {
    return peer_trusted_ ? trusted_fields_ : conf::TrustedFields{};
  }
  keys::Destination destination() const override;
  BodyRead read_body(std::span<char> into) override;
  bool body_gathered() override;
  void drop_body() override;
  void send_informational(const http::ResponseHead& head) override;
  void send_entry(const backends::EntryRef& entry, const FreshFields& fresh) override;
  void send_not_modified(const backends::Entry& entry, const FreshFields& fresh) override;
  void send(const http::ResponseHead& head, const FreshFields& fresh, BodySource* body) override;
  void send_tunnel(const http::ResponseHead& head, BodySource& body) override;
  void body_ready() override;
  void send_error(int status, std::string_view detail, const FreshFields& fresh) override;
  LogNotes& notes() override { return notes_; }

 private:
  bool refuse_at_once();
  bool refuse_told_host();
  // The request cannot be served, and the connection not be used further. Without a response if
  // half of one is out.
  void refuse(const http::ParseError& error);
  BodyRead await_body();
  void tell_of_body();
  bool refuse_slow_body();
  bool begin_response(int status);
  bool body_is_unread() const;
  void append_fresh(const FreshFields& fresh);
  void finish_head(const FreshFields& fresh);
  void write_out_in_turn();
  void cut();
  void count(metrics::LoopCounts& counts, std::int64_t took_us) const;
  void write_line(AccessLog& log, std::int64_t took_us) const;

  H1Link* link_ = nullptr;
  HandlerFactory* handlers_ = nullptr;  // whose handler_ is
  Owner* owner_ = nullptr;
  http::RequestHead head_;
  std::string head_bytes_;  // the head's own copy, once kept
  Handler* handler_ = nullptr;
  H1Output output_;
  EntryBody entry_body_;
  LogNotes notes_;
  static constexpr std::int64_t kNotStarted = INT64_MIN;
  std::int64_t started_us_ = kNotStarted;  // when the turn began in which its head was there
  int status_ = 0;                         // sent; 0: none yet
  // As they were when the request began: the key is made by them, and what the app is told.
  conf::TrustedFields trusted_fields_;
  bool peer_trusted_ = false;
  bool hears_of_visitor_ = false;  // from a trusted proxy, by the fields of this request
  bool starting_ = false;          // start() is on the stack
  bool waiting_ = false;
  bool responding_ = false;
  bool refused_ = false;  // the session itself has answered: the handler comes too late
  bool done_ = false;
  bool is_last_ = false;
  bool reset_at_cut_ = false;  // the connection's end is the body's end, so a cut must be a reset
  bool endless_ = false;       // the response is an event stream
  bool tunnel_ = false;
  bool continue_sent_ = false;
  bool body_wanted_ = false;    // read_body said Pending
  bool gathering_ = false;      // body_gathered said false
  bool body_unwanted_ = false;  // drop_body was called
};

class H1ExchangePool {
 public:
  std::unique_ptr<H1Exchange> take(H1Link& link, H1Exchange::Owner& owner);
  void give(std::unique_ptr<H1Exchange> exchange);

 private:
  static constexpr std::size_t kPooled = 256;
  std::vector<std::unique_ptr<H1Exchange>> idle_;
};

}  // namespace weir::front
