// One curl multi handle on one event loop: curl's sockets become FdEvents, its timeout a timer, its
// messages calls of Transfer::on_done. curl is never called from inside its own callbacks: whoever
// wants something there calls schedule() and gets on_turn() outside. Loop thread only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/fd_event.h"
#include "base/net/timer.h"

namespace weir::upstream {

class CurlLoop {
 public:
  // The owner of an easy handle.
  class Transfer {
   public:
    explicit Transfer(CurlLoop& curl) : curl_(curl) {}
    virtual ~Transfer() { curl_.forget(*this); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

   protected:
    CurlLoop& curl_;
    // curl opened a new connection for this transfer since it was added.
    bool fresh_ = false;
    // Paused on our wish; tells a socket that curl lets rest from one that it has finished with.
    bool paused_ = false;

   private:
    friend class CurlLoop;
    virtual void on_turn() = 0;
    // The handle is still in the multi handle; remove() is the owner's.
    virtual void on_done(CURLcode code) = 0;
    // A name is about to be looked up or a socket opened.
    virtual void on_connecting() {}
    int fd_ = -1;
    bool scheduled_ = false;
  };

  // `max_connections` 0: no bound.
  CurlLoop(EventLoop& loop, std::size_t max_connections);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  EventLoop& loop() { return loop_; }
  // Whether a callback of curl is running: then only schedule() may be called.
  bool in_curl() const { return depth_ > 0; }

  // Once for each easy handle: sockets of its connections are opened and closed by this object.
  void attach(CURL* easy, Transfer& transfer);
  void add(CURL* easy);
  // Closes the connection unless the transfer had ended.
  void remove(CURL* easy, Transfer& transfer);
  CURLcode pause(CURL* easy, int mask);
  void schedule(Transfer& transfer);

  // Whether an idle connection, told by its ports, is silent and open. A connection with bytes that
  // nobody asked for, or one that is unknown, is not; it is shut down. A Unix socket has no ports
  // to be told by: all idle ones are looked at.
  static std::uint32_t connection_key(int local_port, int remote_port);
  static constexpr std::uint32_t kUnixKey = 0;
  bool idle_connection_is_clean(std::uint32_t key);

  // From now on the descriptor's events are the caller's.
  void lease(int fd);
  // The same, and curl's closing of it leaves it open.
  void adopt(int fd);

  // How often events and timers have led to work; lets tests see busy loops.
  std::uint64_t wakeups() const { return wakeups_; }

 private:
  struct Watch;
  class Inside;

  static int socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void* watch);
  static int timer_callback(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t open_callback(void* transfer, curlsocktype type, curl_sockaddr* address);
  static int close_callback(void* self, curl_socket_t fd);
  static int resolver_callback(void* resolver, void* reserved, void* transfer);

  void watch_socket(CURL* easy, int fd, int what);
  void rest(Watch& watch);
  void name_connections();
  void on_ready(Watch& watch, bool readable, bool writable);
  void action(int fd, int bits);
  void settle();
  bool drain();
  bool run_turns();
  void apply_timeout();
  void drop_watch(int fd);
  void forget(Transfer& transfer);
  Watch* find(int fd);
  Watch& make_watch(int fd, bool ours);

  EventLoop& loop_;
  CURLM* multi_;
  Deadline timeout_;
  Timer kick_;
  std::vector<std::unique_ptr<Watch>> watches_;              // by descriptor
  std::unordered_multimap<std::uint32_t, int> connections_;  // descriptors by connection_key
  std::vector<int> unnamed_;                                 // opened, but not yet in connections_
  std::unordered_set<int> adopted_;
  std::vector<Transfer*> turns_;
  std::uint64_t wakeups_ = 0;
  long timeout_ms_ = -1;
  int depth_ = 0;
  bool timeout_changed_ = false;
  bool settling_ = false;
  bool poke_ = false;  // curl has something to do at once
};

}  // namespace weir::upstream
