// One request and its response, whatever protocol carries them. Each protocol implements Exchange
// (h1_exchange.h); the transaction (flow/transaction.h) drives it and is told through Handler. Loop
// thread only.
//
// Rules: when a request's head is complete Handler::start is called, and within it everything of
// Exchange may be. Until start() returns the head's views point into a shared receive buffer; who
// goes on afterwards, or starts anything that may take time, calls keep_request() first. One
// response: a second one aborts. The exchange ends with exactly one Handler::finished, never inside
// a call of the handler's own, after which the handler is gone.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "backends/entry.h"
#include "base/file_range.h"
#include "base/http/message.h"
#include "base/net/event_loop.h"
#include "cachekeys/destination.h"
#include "conf/config.h"
#include "proxy/metrics/counts.h"
#include "proxy/policy/cache_status.h"

namespace weir::front {

// A response's body, pulled by the session as fast as the client takes it.
class BodySource {
 public:
  enum class Status : std::uint8_t {
    Data,     // `parts` of the views were filled
    Pending,  // nothing yet; Exchange::body_ready will be called
    End,
    Failed,  // the body will never be complete: the client must see it cut
  };
  struct Pull {
    Status status = Status::End;
    std::size_t parts = 0;
    std::size_t bytes = 0;
    bool last = false;    // Data: nothing follows these bytes
    FileRange file = {};  // Data without parts: they lie there
  };
  virtual ~BodySource() = default;
  // The views, and the file, stay valid until the next call of the source.
  virtual Pull pull(std::span<iovec> parts) = 0;
  // So many of the bytes pulled last were taken.
  virtual void consume(std::size_t bytes) = 0;
};

// What Allow lists in the answers of Weir's own (405, OPTIONS). Methods it does not know pass too.
inline constexpr std::string_view kAllowedMethods = "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH";

// What is said anew in each response.
struct FreshFields {
  std::int64_t age_s = -1;        // Age; left out below 0
  std::string_view cache_status;  // the whole value, without the field's name; left out when empty
  std::string_view lines = {};    // further fields, each a whole line with its end
};

// What the line of the access log, and what is counted, says beside the request and the response.
struct LogNotes {
  std::string_view route;
  policy::Verdict verdict = policy::Verdict::None;
  std::string_view detail;  // a reason's token, or a literal of the session
  std::string subject = {};
  std::int64_t upstream_ms = -1;           // until the app's head; below 0: not asked
  bool collapsed = false;                  // it shared another's fetch
  metrics::RouteCounts* counts = nullptr;  // the route's on this loop; null: none matched
};

// A read of the request's body, or of what a tunnelled client sends.
struct BodyRead {
  enum class Status : std::uint8_t { Data, Pending, End, Failed };
  Status status = Status::End;
  std::size_t bytes = 0;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const http::RequestHead& request() const = 0;
  // Copies the head out of the shared buffer; its views move. Idempotent.
  virtual void keep_request() = 0;
  virtual EventLoop& loop() = 0;
  virtual std::string peer_ip() const = 0;
  virtual bool peer_trusted() const = 0;
  // Which of its forwarding fields are believed: none of a stranger's.
  virtual conf::TrustedFields believed() const = 0;
  // Where its visitor was going, by Host and by what is believed. Views into the request.
  virtual keys::Destination destination() const = 0;

  // The request's body; `into` is not empty. After Pending, Handler::request_body_ready says when
  // to read again. Answers Expect: 100-continue when it first has to wait for bytes.
  virtual BodyRead read_body(std::span<char> into) = 0;
  // Before the first read: whether enough of it is here already. That is all of it, or as much as
  // is taken ahead (64 KiB), or nothing from a client that expects to be asked for it
  // (100-continue). Else Handler::request_body_ready tells of the next arrival, and it is time to
  // ask again.
  virtual bool body_gathered() = 0;
  // The app has ended, and reads no more of it: what the client still sends while it is answered is
  // dropped, so that a client who sends all before it reads anything comes to its answer.
  virtual void drop_body() = 0;

  // A 1xx from the app; dropped for clients of HTTP/1.0.
  virtual void send_informational(const http::ResponseHead& head) = 0;
  // A stored response: its pre-serialised head, the fresh fields, its body (none for HEAD).
  virtual void send_entry(const backends::EntryRef& entry, const FreshFields& fresh) = 0;
  // 304 in the stored response's stead: the client's own copy of it is still good.
  virtual void send_not_modified(const backends::Entry& entry, const FreshFields& fresh) = 0;
  // A head and a body. `framing` and `content_length` of the head tell how the body is delimited
  // (Chunked or UntilClose: of unknown length, framed as the client's version allows). The source
  // must live until Handler::finished; null for no body.
  virtual void send(const http::ResponseHead& head, const FreshFields& fresh, BodySource* body) = 0;
  // 101: the head, then raw bytes both ways: read_body gives the client's, `body` the app's.
  virtual void send_tunnel(const http::ResponseHead& head, BodySource& body) = 0;
  // The source of the running response has something new to say.
  virtual void body_ready() = 0;
  // A short response of Weir's own.
  virtual void send_error(int status, std::string_view detail, const FreshFields& fresh) = 0;

  // Whoever finds something out writes it down here; read when the exchange ends.
  virtual LogNotes& notes() = 0;
};

class Handler {
 public:
  virtual ~Handler() = default;
  // The request's head is there.
  virtual void start(Exchange& exchange) = 0;
  // read_body, after Pending, has something new to say; or body_gathered, after false.
  virtual void request_body_ready() = 0;
  // Whether others wait for what this request holds while its body comes in: then it has to come
  // at limits.min_body_rate.
  virtual bool holds_up_others() const = 0;
  // The source of the response has failed and the client is cut: time to note why.
  virtual void response_cut() = 0;
  // Whether the request waits for a connection to the app, which knows nothing of it yet.
  virtual bool waits_for_place() const = 0;
  // Whether it stands in line for what only one of those who wait can have. A client that closes
  // its half then is taken to have left at once: what he got would be lost to the others.
  virtual bool waits_in_line() const { return false; }
  // The response was sent, or the client is gone: last call, drop everything.
  virtual void finished() = 0;
};

// Makes and takes back handlers; the session holds one while an exchange runs.
class HandlerFactory {
 public:
  virtual ~HandlerFactory() = default;
  virtual Handler* acquire() = 0;
  virtual void release(Handler* handler) = 0;
};

}  // namespace weir::front
