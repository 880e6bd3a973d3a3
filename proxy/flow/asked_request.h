// A request that somebody asks about instead of making it: read from a URL, a method and header
// lines by the parser that reads a client's (base/http/h1_parser.h), so that what is explained is
// what would be read. Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cachekeys/destination.h"
#include "conf/config.h"
#include "proxy/flow/fill_order.h"
#include "proxy/upstream/forwarding.h"

namespace weir::flow {

struct Question {
  std::string url = {};  // "https://example.com/blog?page=2", or a path alone
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// What is wrong with a question: "url", "method" or "headers", and a sentence.
struct QuestionFault {
  std::string field = {};
  std::string message = {};
};

// Taken as sent from this machine by one of `trusted_proxies`, where there are any: so fields such
// as X-Forwarded-Proto count as far as trusted_fields lets them.
struct AskedRequest {
  OwnedHead head = {};
  bool peer_trusted = false;
  conf::TrustedFields believed = {};

  // Views into `head`.
  keys::Destination destination() const;
  upstream::ForwardInfo forward_info(const keys::Destination& to, std::string told_host) const;
};

// A `Host` among the headers wins over the URL's, as with other clients; without either the host is
// localhost. An https URL stands for a proxy that ends TLS and says so: X-Forwarded-Proto is added
// unless it is there.
std::expected<AskedRequest, QuestionFault> read_question(const Question& question,
                                                         const conf::Config& config);

// As browsers send a URL: what is not ASCII escaped, the fragment left out. Invalid for one that
// holds a space or a control character.
Result<std::string> url_as_sent(std::string_view url);

}  // namespace weir::flow
