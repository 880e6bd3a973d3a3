// A connection to the app for bytes of our own: made by libcurl (names, TLS, Unix sockets), then
// read and written here. A plain socket is taken over from curl; with TLS, curl stays between.
// Reading stays on in the epoll set from its first use on, so that a kept one costs a request no
// system call but those that move bytes. Loop thread only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/net/fd_event.h"
#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/name_gate.h"

namespace weir::upstream {

class WireConnection final : public CurlLoop::Transfer, public FdHandler, public NameGate::Guest {
 public:
  // May destroy the connection inside each call.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_connected() {}
    // NOLINTNEXTLINE(performance-unnecessary-value-param): those who override it keep it
    virtual void on_unreachable(std::string /*message*/) {}
    virtual void on_ready(WireConnection& connection, bool readable, bool writable) = 0;
  };
  enum class State : std::uint8_t {
    Bytes,
    Again,
    End,  // by the peer's own word
    Cut,  // an end without TLS's closing alert, which anybody on the way can bring about
    Failed,
  };
  struct Moved {
    State state;
    std::size_t bytes = 0;
  };

  WireConnection(NameGate& names, Owner& owner);
  ~WireConnection() override;

  // The owner hears of it later, never inside the call. Once; `url` must stay.
  void connect(const conf::UpstreamUrl& url);
  void set_owner(Owner& owner) { owner_ = &owner; }
  Moved receive(std::span<char> into);
  Moved send(std::string_view bytes);
  void want(bool read, bool write);
  // on_ready(true, false) soon, whatever the socket says: bytes may rest inside the TLS library.
  void read_soon() { curl_.schedule(*this); }
  void end_sending();
  // Nothing has arrived that was not received yet, as far as the socket can tell.
  bool drained() const;
  // What was received is acknowledged now. An app that writes head and body apart, with Nagle's
  // algorithm on, keeps the body back until then: 40 ms by the kernel's own habit.
  void acknowledge();
  bool tls() const { return easy_ != nullptr; }
  // When the connection was made, and how long that took, from the first packet on.
  std::int64_t born_ms() const { return born_ms_; }
  std::int64_t connect_us() const { return connect_us_; }

 private:
  enum class Phase : std::uint8_t {
    New,
    Waiting,  // for another's look-up of the name
    LookingUp,
    Connecting,
    Made,
  };

  void on_name(const std::string& error) override;
  void start(Phase phase);
  void on_turn() override;
  bool on_opening() override;
  void on_done(CURLcode code) override;
  void on_closing() override;
  void on_fd(bool readable, bool writable) override;

  NameGate& names_;
  Owner* owner_;
  const conf::UpstreamUrl* url_ = nullptr;
  CURL* easy_ = nullptr;  // null once a plain socket is ours
  int fd_ = -1;
  std::int64_t born_ms_ = 0;
  std::int64_t opened_us_ = 0;  // when the first packet went out
  std::int64_t connect_us_ = 0;
  std::unique_ptr<FdEvent> event_;
  std::unique_ptr<std::string> curl_error_;  // while connecting; curl's buffer
  std::string name_error_;                   // of the look-up that this one waited for
  Phase phase_ = Phase::New;
  bool lost_ = false;  // curl has closed it
};

// Why an answer that the connection's end has left incomplete is so, for the log.
const char* cut_text(WireConnection::State how);

}  // namespace weir::upstream
