// The names that are being looked up for one loop's connections. libcurl gives each look-up a
// thread, which nobody can stop: so there is one at a time for a name, the others wait for how it
// ends, and one whose asker has gone goes on alone. Loop thread only; outlives its guests.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "proxy/upstream/curl_loop.h"

namespace weir::upstream {

class NameGate {
 public:
  // Who wants to connect.
  class Guest {
   public:
    virtual ~Guest() = default;

   private:
    friend class NameGate;
    // The look-up it waited for is over; `error` tells why the name stays unknown, or is empty.
    // Only to be noted: curl or another guest is at work.
    virtual void on_name(const std::string& error) = 0;
  };

  explicit NameGate(CurlLoop& curl);
  ~NameGate();
  NameGate(const NameGate&) = delete;
  NameGate& operator=(const NameGate&) = delete;

  CurlLoop& curl() { return curl_; }
  // No look-up is under way, also none whose asker has gone.
  bool is_idle() const { return waiting_.empty() && orphans_.empty(); }

  // True: nobody looks this one up; now the guest does, and calls end() or abandon(). False: its
  // on_name() will come, unless it calls forget(). `url` must stay: it is told by its place, for
  // curl remembers names with their ports.
  bool enter(const conf::UpstreamUrl& url, Guest& guest);
  void forget(const conf::UpstreamUrl& url, Guest& guest);
  // The look-up is over. May be called inside curl.
  void end(const conf::UpstreamUrl& url, const std::string& error);
  // Takes over the handle that looks the name up, and the buffer for its error.
  void abandon(const conf::UpstreamUrl& url, CURL* easy, std::unique_ptr<std::string> curl_error);

 private:
  class Orphan;

  CurlLoop& curl_;
  std::map<const conf::UpstreamUrl*, std::vector<Guest*>> waiting_;  // by what is under way
  std::list<std::unique_ptr<Orphan>> orphans_;
};

}  // namespace weir::upstream
