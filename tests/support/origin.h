// The app of the tests: a scripted HTTP/1.1 server on a loopback port, one thread a connection,
// that counts and remembers what reached it. All methods may be called from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/message.h"
#include "tests/support/reply.h"

namespace weir::test {

class Origin {
 public:
  using Handler = std::function<Reply(const Request&)>;

  // On 127.0.0.1 at a port that the system chooses, or at a unix socket.
  Origin();
  explicit Origin(const std::string& unix_path);
  ~Origin() { stop(); }
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  // What a path (without its query) answers. Anything else is a 404.
  void on(const std::string& path, Reply reply);
  void on(const std::string& path, Handler handler);
  // One after the other; the last one stays.
  void script(const std::string& path, std::vector<Reply> replies);
  void otherwise(Handler handler);
  // The body of a request for `path` is not read before the gate opens.
  void hold_body(const std::string& path, Gate gate);
  // `path` is answered as soon as the request's head is there; its body is not read at all.
  void answer_early(const std::string& path, Reply reply);

  std::uint16_t port() const { return port_; }
  std::string url() const;

  // Requests that arrived whole: of one path, or all.
  int hits(const std::string& path) const;
  int hits() const;
  // Heads that arrived; more than hits() when bodies were cut.
  int heads() const;
  std::vector<Request> requests(const std::string& path) const;
  // The latest for `path`; throws when there is none.
  Request last(const std::string& path) const;
  // Throws TimedOut.
  void await_hits(const std::string& path, int count) const;

  int connections() const;       // ever accepted
  int open_connections() const;  // not ended yet by either side

  // Ends every connection and every thread. What was recorded stays.
  void stop();

 private:
  struct Connection {
    Socket socket;
    std::thread thread;
    int number = 0;
    bool ended = false;
  };

  void accept_all();
  void serve(Connection& connection);
  // One request and its answer; false when the connection is over.
  bool serve_one(Connection& connection, Reader& reader);
  bool read_body(Reader& reader, Request& request);
  bool play(Connection& connection, Reader& reader, const Reply& reply, const Request& request);
  bool play_step(Connection& connection, Reader& reader, const Reply::Step& step);
  static void drip(Socket& socket);
  void end(Connection& connection, bool with_reset);
  Reply answer(const Request& request);

  Socket listener_;
  std::uint16_t port_ = 0;
  std::string unix_path_;
  std::stop_source stop_;
  std::thread acceptor_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  // All below: guarded by mutex_.
  std::list<Connection> connections_;
  std::map<std::string, Handler> handlers_;
  Handler otherwise_;
  std::map<std::string, Gate> held_bodies_;
  std::map<std::string, Reply> early_;
  std::vector<Request> requests_;
  int heads_ = 0;
};

}  // namespace weir::test
