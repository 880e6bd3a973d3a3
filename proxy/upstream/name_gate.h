// The names that are being looked up for one loop's connections. libcurl gives each look-up a
// thread, which nobody can stop: so there is one at a time for a name, the others wait for how it
// ends, and one whose asker has gone goes on alone. Loop thread only; outlives its guests.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/upstream/curl_loop.h"

namespace weir::upstream {

class NameGate {
 public:
  // Who wants to connect to a name.
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

  // True: nobody looks this name up; now the guest does, and calls end() or abandon(). False: its
  // on_name() will come, unless it calls forget(). `name` must stay.
  bool enter(std::string_view name, Guest& guest);
  void forget(std::string_view name, Guest& guest);
  // The look-up is over. May be called inside curl.
  void end(std::string_view name, const std::string& error);
  // Takes over the handle that looks the name up, and the buffer for its error.
  void abandon(std::string_view name, CURL* easy, std::unique_ptr<std::string> curl_error);

 private:
  class Orphan;

  CurlLoop& curl_;
  std::map<std::string_view, std::vector<Guest*>> waiting_;  // by names under way
  std::list<std::unique_ptr<Orphan>> orphans_;
};

}  // namespace weir::upstream
