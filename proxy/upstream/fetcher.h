// The seam to the app: one HTTP request out, its answer back in pieces. Everything here happens on
// the loop the fetcher was made for. Implemented by wire_fetcher.h and, for protocol upgrades, by
// tunnel.h; libcurl makes the connections of both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "base/result.h"

namespace weir::upstream {

// A request's body, pulled by the fetch as the app takes it.
class RequestBody {
 public:
  enum class Status : std::uint8_t {
    Data,     // `bytes` were copied into the buffer
    Pending,  // nothing yet; the fetch's body_ready() will be called
    End,
    Failed,  // the client went away or broke its framing: the request must not be completed
  };
  struct Read {
    Status status;
    std::size_t bytes = 0;
  };
  virtual ~RequestBody() = default;
  // May drop the fetch that calls it, but not start another.
  virtual Read read(char* buffer, std::size_t capacity) = 0;
  // While it waits for a connection: whether as much of it is there as will be held here, or all
  // that will come. Until it is, each arrival is told by the fetch's body_ready().
  virtual bool gathered() = 0;
};

struct FetchRequest {
  http::Method method = http::Method::Get;
  std::string method_text;   // sent as it stands
  std::string target;        // sent byte for byte; validated by the front end's parser
  std::string host;          // the Host field
  http::HeaderBlock fields;  // all others, complete: end-to-end and forwarding ones
  http::Framing framing = http::Framing::None;  // of the request's body: None, Length or Chunked
  std::uint64_t content_length = 0;
  RequestBody* body = nullptr;  // not owned; outlives the fetch; null with Framing::None
  // The body is not sent before the app has said 100, or nothing for a second; an answer may come
  // in its place (RFC 9110 10.1.1).
  bool expect_continue = false;
  bool upgrade = false;  // Connection: Upgrade with the Upgrade field in `fields`
  bool refresh = false;  // nobody waits for the answer: others go first
};

// Why a fetch ended.
enum class FetchResult : std::uint8_t {
  Complete,         // the whole answer arrived, framed explicitly
  CompleteByClose,  // ended by the connection's end: nobody can say whether it is whole
  Refused,          // no connection could be made                       -> 502 upstream-error
  Timeout,          // connect, first byte or idle timeout                -> 504 upstream-timeout
  Garbage,          // the answer breaks HTTP                             -> 502 upstream-error
  Broken,           // the connection died before the answer was complete -> 502 upstream-error
  BodyFailed,       // the request's body failed (RequestBody::Status::Failed)
};

struct FetchEnd {
  FetchResult result = FetchResult::Complete;
  std::string message;          // for the log: the address, and what libcurl or the parser said
  bool app_sent_bytes = false;  // any byte of an answer had arrived
};

// Receives the answer. Calls never nest: a sink may cancel the fetch (drop the handle) inside any
// of them. Order: on_informational*, on_head, on_body*, then exactly one on_end, which may come
// without on_head. After a 101 head the fetch has a tunnel(), and on_body carries what the app
// sends in it.
class FetchSink {
 public:
  virtual ~FetchSink() = default;
  virtual void on_informational(http::ResponseHead&& head) = 0;  // 1xx but 101
  virtual void on_head(http::ResponseHead&& head) = 0;
  // Decoded body bytes; valid during the call. All of them are taken; a sink that has had enough
  // calls pause(), and a few more may still come.
  virtual void on_body(std::string_view bytes) = 0;
  virtual void on_end(FetchEnd&& end) = 0;
};

// What a connection is after the app's 101: the way for raw bytes to the app.
class Tunnel {
 public:
  // Returns how many were taken: fewer when the app takes no more at present, then the callback
  // of set_writable() tells when it does. After the fetch's end nothing happens any more.
  virtual std::size_t send(std::string_view bytes) = 0;
  // Called each time that there is room again; replaces an earlier one. It may drop the fetch.
  virtual void set_writable(std::move_only_function<void()> callback) = 0;
  virtual void shutdown() = 0;  // the client will send no more

 protected:
  ~Tunnel() = default;
};

// A running fetch. Dropping it cancels it; no callback comes after that.
class Fetch {
 public:
  virtual ~Fetch() = default;
  // Whether it waits for a place among the connections: the app knows nothing of it yet.
  virtual bool waiting() const = 0;
  // When it began to be sent, by the loop's clock: on the connection whose answer is being read.
  // RFC 9111 4.2.3's request_time: what a request waited for a connection is no part of an
  // answer's age. 0 before.
  virtual std::int64_t sent_ms() const = 0;
  virtual void pause() = 0;  // stop reading the answer
  virtual void resume() = 0;
  virtual void body_ready() = 0;  // RequestBody has something new to say
  virtual void hurry() = 0;       // somebody waits for this refresh by now
  // From the on_head() of a 101 on, as long as this object lives; null for everything else.
  virtual Tunnel* tunnel() { return nullptr; }
};

// How the connections to the app stand, of all loops together.
struct ConnectionFigures {
  std::size_t open = 0;     // in use or idle
  std::size_t in_use = 0;   // places taken, tunnels included
  std::size_t most = 0;     // upstream.max_connections
  std::size_t waiting = 0;  // requests that wait for one
};

class Fetcher {
 public:
  virtual ~Fetcher() = default;
  // Never calls the sink before it returns.
  virtual std::unique_ptr<Fetch> start(FetchRequest request, FetchSink& sink) = 0;
  // Whether requests wait for a connection, on whatever loop. A hint.
  virtual bool crowded() const = 0;
  virtual ConnectionFigures connections() const { return {}; }
  // Whether its end would hold nobody up: no look-up of a name is under way, which nobody can stop.
  virtual bool is_quiet() const = 0;
  // Whether the app can be reached now, at any of its addresses; else why not, in a sentence. Told
  // on the loop, later than this returns, within about a second; once, and at the latest when the
  // fetcher goes.
  using Tell = std::move_only_function<void(const Result<void>& reached)>;
  virtual void reach(Tell tell) = 0;
};

}  // namespace weir::upstream
