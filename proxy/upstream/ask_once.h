// One request of a command's own, to an instance of Weir: blocks until it is answered.
#pragma once

#include <string>

#include "base/result.h"
#include "conf/config.h"

namespace weir::upstream {

struct AskOnce {
  conf::ListenAddress address = {};
  std::string token = {};  // empty: none
  std::string path;        // sent as it is
  std::string body = {};
  std::string method = body.empty() ? "GET" : "POST";
  std::string content_type = "application/json";  // of a body
  long timeout_ms = 10'000;
};
struct Answered {
  long status = 0;
  std::string body;
  std::string content_type;  // empty: none was told
};

// Unavailable: nobody answers there, with the reason.
Result<Answered> ask_once(const AskOnce& ask);

}  // namespace weir::upstream
