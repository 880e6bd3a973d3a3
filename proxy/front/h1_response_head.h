// The head of an HTTP/1.1 response as Weir writes it. Pure functions; those that append do so to
// `out`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/http/message.h"
#include "proxy/front/exchange.h"

namespace weir::front {

// How the body behind a response's head is delimited for who sent `request`: as the head says, in
// so far as the client knows chunks. None where there is no body to be sent.
http::Framing response_framing(const http::RequestHead& request, const http::ResponseHead& head,
                               bool has_source);

// Status line and fields.
void append_head(std::string& out, const http::ResponseHead& head);
// Content-Length or Transfer-Encoding, as `framing` (see above) needs.
void append_framing(std::string& out, const http::RequestHead& request,
                    const http::ResponseHead& head, http::Framing framing);

struct HeadOptions {
  bool close = false;
  bool keep_alive = false;  // say so (HTTP/1.0 clients need to hear it)
};
void append_fresh_fields(std::string& out, const FreshFields& fresh, const HeadOptions& options);

// A short response of Weir's own: its body, and its head up to the fresh fields.
// `detail` is a token.
enum class ErrorForm : std::uint8_t { Text, Json };
std::string error_body(ErrorForm form, int status, std::string_view detail);
void append_error_head(std::string& out, ErrorForm form, int status, std::size_t body_bytes,
                       std::int64_t wall_s);

}  // namespace weir::front
