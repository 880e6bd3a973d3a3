// One connection to one Redis server, on one loop: commands go out in the order of their calls, all
// of one turn with one write, and replies are told in the same order. It connects when it is first
// asked, looks anew each time for where its server is, and after a failure rests for a while. Loop
// thread only; it goes before its loop.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/redis/command.h"
#include "backends/redis/place_finder.h"
#include "backends/redis/reply.h"
#include "backends/redis/server_place.h"
#include "base/life.h"
#include "base/net/connection.h"
#include "base/net/resolver.h"
#include "base/net/timer.h"

namespace weir::backends::redis {

enum class LinkFault : std::uint8_t {
  Unreachable,  // there is no connection, and it is too early to try again
  Busy,         // more is under way than the link takes
  Timeout,      // no reply in time
  Broken,       // the connection ended, or what came is no reply
};

struct LinkOptions {
  // How long a call waits for its replies, at least, connecting included.
  std::int64_t timeout_ms = 50;
  // Whether that counts from the last byte that came: for large replies.
  bool while_silent = false;
  std::size_t most_unsent = std::size_t{8} << 20U;  // bytes of commands
  ReplyLimits replies = {};
  // What is asked of it before anything else.
  enum class Kind : std::uint8_t {
    Data,    // which run of the server it is
    Master,  // the same, and it is to be one
    Guide,   // nothing: it says where others are
  };
  Kind kind = Kind::Data;
};

// Hears how a server behaves, from all links to it. Outlives them.
class LinkWatcher {
 public:
  virtual ~LinkWatcher() = default;
  // A link stands, or why it does not: once a change.
  virtual void told(const Result<void>& news) = 0;
  // A call ended so. What a server refuses for reasons of its own is an answer too.
  virtual void answered() = 0;
  virtual void failed(LinkFault fault, std::int64_t now_ms) = 0;
};

class Link final : ConnectionHandler {
 public:
  // `watcher` may be null.
  Link(EventLoop& loop, Resolver& resolver, std::unique_ptr<PlaceFinder> finder,
       const LinkOptions& options, LinkWatcher* watcher);
  ~Link() override;
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // As many replies as commands, errors of the server's among them, or what kept them from coming.
  using Replies = std::expected<std::vector<Reply>, LinkFault>;
  // In which run of the server; empty: there are no replies. May destroy the link.
  using Heard = std::move_only_function<void(Replies, std::string_view run)>;
  using Started = std::expected<std::unique_ptr<PendingAnswer>, LinkFault>;
  // `heard` is called once, later, unless the handle is dropped: then the commands are carried out
  // all the same, and nobody hears of it.
  Started call(const Commands& commands, Heard heard);

  bool is_ready() const { return state_ == State::Ready; }
  // Why the last connection ended, or could not be had; empty since one stands.
  const std::string& why_apart() const { return why_apart_; }
  // Nobody waits for anything.
  bool is_idle() const { return calls_.empty() && failing_.empty(); }
  // Another connection from now on: this one leads to the wrong server. Who waits is told.
  void renew();
  // Which run of a server this is, as a master: another one after each start and each promotion.
  // Empty before it is Ready.
  const std::string& run() const { return run_; }
  // Where it was found last.
  const ServerPlace& place() const { return place_; }

 private:
  enum class State : std::uint8_t {
    Apart,       // not asked for, or resting after a failure
    Resolving,   // where it is
    Connecting,  // until the socket is writable
    Greeting,    // it stands; who we are is not accepted yet
    Ready,
  };
  class Handle;
  // A call in its place in the row. Once `heard` is empty nobody waits for it any more.
  struct Call {
    std::uint64_t number = 0;
    std::size_t missing = 0;  // replies
    std::vector<Reply> replies = {};
    Heard heard = {};
    std::int64_t began_ms = 0;
  };

  void begin();
  void on_found(Result<ServerPlace> place);
  void on_resolved(Result<Resolver::Addresses> addresses);
  void connect_next(const std::string& why_not_the_last);
  void greet();
  // The first that the server refuses, in words; empty: it refuses nothing.
  static std::string refusal_in(const std::vector<Reply>& replies);
  void on_greeted(Replies replies);

  void on_ready(bool readable, bool writable) override;
  void flush();
  void flush_soon();
  void receive();
  void take_replies();
  void take(Reply reply);
  void forget(std::uint64_t number);
  Call* find_call(std::uint64_t number);

  void broken(const std::string& why);
  std::string reason_or(const std::string& why) const;
  void fail_with(const std::string& why, LinkFault fault);
  void end_connection();
  void answer(Heard heard, LinkFault fault);
  void tell(const Result<void>& news);
  std::int64_t due_ms(const Call& call) const;
  void watch_time();
  void look_at_time();

  EventLoop& loop_;
  Resolver& resolver_;
  const std::unique_ptr<PlaceFinder> finder_;
  const LinkOptions options_;
  LinkWatcher* const watcher_;
  ServerPlace place_;

  State state_ = State::Apart;
  std::string why_apart_;
  std::optional<bool> told_stands_;
  std::int64_t rest_ms_ = 0;  // the last one
  std::int64_t rests_until_ms_ = 0;
  std::int64_t began_ms_ = 0;  // to connect
  std::unique_ptr<PendingAnswer> finding_;
  std::unique_ptr<Resolver::Asking> asking_;
  Resolver::Addresses addresses_;  // not tried yet, the next one last
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<ReplyReader> reader_;  // of this connection
  std::string run_;                      // the same

  std::string out_;         // to be sent
  std::size_t out_at_ = 0;  // of it, what is sent
  std::string queued_;      // to be sent once it is Ready
  bool flush_posted_ = false;
  std::optional<Call> greeting_;  // before all others
  std::string write_fault_;       // of its bytes; empty: none yet
  std::deque<Call> calls_;        // in the order of their replies
  std::deque<Call> failing_;      // to be told that they have failed
  std::uint64_t next_number_ = 0;
  std::int64_t last_byte_ms_ = 0;
  std::int64_t timer_at_ms_ = 0;
  Timer timer_;
  Life<Link> life_{*this};
};

}  // namespace weir::backends::redis
