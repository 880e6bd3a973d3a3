// One curl multi handle on one event loop, for making connections: curl's sockets become FdEvents,
// its timeout a timer, its messages calls of Transfer::on_done. curl is never called from inside
// its own callbacks: whoever wants something there calls schedule() and gets on_turn() outside.
// Loop thread only.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/net/event_loop.h"
#include "base/net/fd_event.h"
#include "base/net/timer.h"
#include "conf/config.h"

namespace weir::upstream {

class CurlLoop {
 public:
  // The user of an easy handle.
  class Transfer {
   public:
    explicit Transfer(CurlLoop& curl) : curl_(curl) {}
    virtual ~Transfer() { curl_.forget(*this); }
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

   protected:
    CurlLoop& curl_;

   private:
    friend class CurlLoop;
    virtual void on_turn() = 0;
    // Inside curl, which knows the name and is about to make a socket for it; false forbids that.
    virtual bool on_opening() = 0;
    // The handle is still in the multi handle; remove() is the user's.
    virtual void on_done(CURLcode code) = 0;
    // curl is about to close the descriptor that this transfer has leased.
    virtual void on_closing() = 0;
    bool scheduled_ = false;
  };

  // Each connection is made for this app; `config` must stay.
  CurlLoop(EventLoop& loop, const conf::Upstream& config);
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  EventLoop& loop() { return loop_; }

  // An easy handle set up for connecting only, and its way back, once it is removed.
  CURL* take_easy(Transfer& transfer);
  static void hand_over(CURL* easy, Transfer& transfer);  // what curl tells is this one's now
  void give_easy(CURL* easy);
  void add(CURL* easy);
  // Closes the connection that the handle has made, unless its descriptor was adopted.
  void remove(CURL* easy);
  void schedule(Transfer& transfer);

  // From now on the descriptor's events are the caller's, until end_lease() or on_closing().
  void lease(int fd, Transfer& transfer);
  void end_lease(int fd);
  // The descriptor is the caller's: curl's closing of it leaves it open.
  void adopt(int fd);

  // How often events and timers have led to work; lets tests see busy loops.
  std::uint64_t wakeups() const { return wakeups_; }
  void count_wakeup() { ++wakeups_; }

 private:
  struct Watch;
  class Inside;

  static int socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void* watch);
  static int timer_callback(CURLM* multi, long timeout_ms, void* self);
  static curl_socket_t open_callback(void* self, curlsocktype type, curl_sockaddr* address);
  static int close_callback(void* self, curl_socket_t fd);

  void watch_socket(CURL* easy, int fd, int what);
  void action(int fd, int bits);
  void settle();
  bool drain();
  bool run_turns();
  void run_curl();
  void connects_no_more(CURL* easy);
  void apply_timeout();
  void drop_watch(int fd);
  void forget(Transfer& transfer);
  Watch* find(int fd);
  Watch& make_watch(int fd);

  EventLoop& loop_;
  const conf::Upstream& config_;
  CURLM* multi_;
  CURLSH* share_;  // TLS sessions, so that a new connection need not shake hands in full
  Deadline timeout_;
  Timer kick_;
  std::vector<std::unique_ptr<Watch>> watches_;  // by descriptor
  std::vector<CURL*> spare_;
  std::unordered_set<CURL*> connecting_;
  std::vector<CURL*> stalled_;  // of those: have lost a socket, and may want another
  std::unordered_set<int> adopted_;
  std::vector<Transfer*> turns_;
  std::uint64_t wakeups_ = 0;
  long timeout_ms_ = -1;
  int depth_ = 0;
  bool timeout_changed_ = false;
  bool settling_ = false;
  bool poke_ = false;  // curl has something to do at once
};

// What went wrong, by the handle's error buffer or else by its code.
std::string curl_error_text(CURLcode code, const std::string& buffer);

}  // namespace weir::upstream
