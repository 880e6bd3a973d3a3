// Who may ask the admin address. Browsers are the danger: a page of anybody's can have one send
// requests to a loopback address, under that address or under a name that it makes point there (DNS
// rebinding). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http/message.h"
#include "conf/config.h"
#include "proxy/admin/reply.h"

namespace weir::admin {

class Access {
 public:
  explicit Access(const conf::Config& config);

  // Nothing: it may ask. Else the refusal. `is_open`: what probes and scrapers may see without the
  // token. `changes`: it is no mere look.
  std::optional<Reply> refusal(const http::RequestHead& head, bool is_open, bool changes) const;

 private:
  bool knows_host(std::string_view authority) const;
  bool has_token(const http::RequestHead& head) const;

  const bool any_host_;  // no browser comes to a Unix socket
  const std::vector<std::string> hosts_;
  const std::string token_;
};

}  // namespace weir::admin
