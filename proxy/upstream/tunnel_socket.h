// A connection to the app for bytes of our own: made by libcurl (names, TLS, Unix sockets), then
// read and written here. A plain socket is taken over from curl; with TLS, curl stays between.
// Never pooled. Loop thread only.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/net/fd_event.h"
#include "proxy/upstream/curl_loop.h"
#include "proxy/upstream/upstream_pool.h"

namespace weir::upstream {

class TunnelSocket final : public CurlLoop::Transfer, public FdHandler {
 public:
  // May destroy the socket inside each call.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_connected() = 0;
    virtual void on_unreachable(std::string message) = 0;
    virtual void on_ready(bool readable, bool writable) = 0;
  };
  enum class State : std::uint8_t { Bytes, Again, End, Failed };
  struct Moved {
    State state;
    std::size_t bytes = 0;
  };

  TunnelSocket(CurlLoop& curl, Owner& owner);
  ~TunnelSocket() override;

  // The owner hears of it later, never inside the call. Once.
  void connect(const conf::Upstream& config, const conf::UpstreamUrl& url);
  Moved receive(char* buffer, std::size_t capacity);
  Moved send(std::string_view bytes);
  void want(bool read, bool write);
  // on_ready(true, false) soon, whatever the socket says: bytes may rest inside the TLS library.
  void read_soon() { curl_.schedule(*this); }
  void end_sending();

 private:
  void on_turn() override;
  void on_done(CURLcode code) override;
  void on_fd(bool readable, bool writable) override;

  Owner& owner_;
  CURL* easy_ = nullptr;  // null once a plain socket is ours
  int fd_ = -1;
  std::unique_ptr<FdEvent> event_;
  bool started_ = false;
  bool plain_ = false;
  char curl_error_[CURL_ERROR_SIZE] = {};
};

}  // namespace weir::upstream
