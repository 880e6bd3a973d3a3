// An app that plays exact bytes: each connection is handed to a function on a thread of its own.
// Everything it does has a deadline, so that a failing test ends. Any thread may ask it questions.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "conf/config.h"

namespace weir::upstream::test {

class App;

// One connection as the app sees it. Used by its own thread only.
class AppConnection {
 public:
  AppConnection(App& app, int fd, int number, SSL* tls)
      : app_(app), fd_(fd), number_(number), tls_(tls) {}
  ~AppConnection();
  AppConnection(const AppConnection&) = delete;
  AppConnection& operator=(const AppConnection&) = delete;

  int number() const { return number_; }  // from 0, in order of acceptance
  // Up to and with the blank line; empty when the peer has gone.
  std::string read_head();
  std::string read_exactly(std::size_t size);
  // Everything until the peer ends the stream or resets it.
  std::string read_to_end();
  // Whether the peer reset the connection, as far as reading has shown.
  bool was_reset() const { return was_reset_; }
  bool send(std::string_view bytes);
  void end_sending();  // with TLS, its closing alert first
  void end_bare();     // with TLS too: what anybody on the way can do
  void close();
  void reset();

 private:
  bool fill();
  void wait_for(short what) const;

  App& app_;
  int fd_;
  int number_;
  SSL* tls_;
  std::string pending_;
  bool was_reset_ = false;
};

class App {
 public:
  using Play = std::function<void(AppConnection&)>;

  enum class Kind { Tcp, Tcp6, Unix, Tls };

  explicit App(Play play) : App(Kind::Tcp, {}, std::move(play)) {}
  App(Kind kind, std::string path, Play play);  // the path is a Unix socket's
  static App at_unix_socket(std::string path, Play play) {
    return App(Kind::Unix, std::move(path), std::move(play));
  }
  static App over_ipv6(Play play) { return App(Kind::Tcp6, {}, std::move(play)); }
  static App over_tls(Play play) { return App(Kind::Tls, {}, std::move(play)); }
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  conf::UpstreamUrl url() const;
  std::uint16_t port() const { return port_; }
  int connections() const;
  // Heads read by read_head(), in order.
  std::vector<std::string> heads() const;

  // Answers each request on every connection with these bytes, until the peer goes.
  static Play repeat(std::string answer);
  // Answers the first request of each connection, then waits for the peer to go.
  static Play once(std::string answer);

 private:
  friend class AppConnection;

  void listen_on();
  void accept_all();
  void serve(int fd, int number);
  void record(std::string head);

  const Kind kind_;
  const std::string path_;
  const Play play_;
  SSL_CTX* tls_ = nullptr;
  int listener_ = -1;
  int stop_pipe_[2] = {-1, -1};
  std::uint16_t port_ = 0;
  std::thread acceptor_;
  std::list<std::thread> threads_;  // of the acceptor's thread, then the destructor's
  mutable std::mutex mutex_;
  int connections_ = 0;             // guarded by mutex_
  std::vector<std::string> heads_;  // guarded by mutex_
  std::vector<int> open_;           // guarded by mutex_
};

// Accepts nothing and has no room for another connection: a further one gets no answer.
class FullListener {
 public:
  explicit FullListener(const char* address = "127.0.0.1", std::uint16_t port = 0);
  ~FullListener();
  FullListener(const FullListener&) = delete;
  FullListener& operator=(const FullListener&) = delete;
  conf::UpstreamUrl url;

 private:
  int fd_;
  int fillers_[4] = {};
};

// An address where nobody listens.
conf::UpstreamUrl closed_address();

std::string ok(std::string_view body);  // a 200 with its Content-Length

constexpr const char* kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

}  // namespace weir::upstream::test
