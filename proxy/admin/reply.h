// What a call of the admin address is asked, and what it answers. Values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/http/message.h"

namespace weir::admin {

struct Request {
  http::Method method = http::Method::Get;
  std::string_view path;   // as it came, escapes and all
  std::string_view query;  // behind the '?'
  std::string_view body;   // whole
  std::string_view peer;   // who asks, for the log
};

struct Reply {
  int status = 200;
  std::string_view type = "application/json";
  std::string body = {};                                              // none of a 204
  std::vector<std::pair<std::string_view, std::string>> fields = {};  // further ones
};

// {"error": {"field": …, "message": …}}; without a field where none is at fault.
Reply error_reply(int status, std::string_view field, std::string_view message);

}  // namespace weir::admin
