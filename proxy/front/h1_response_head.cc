#include "proxy/front/h1_response_head.h"

#include <fmt/format.h>

#include "base/http/date.h"
#include "base/http/h1_writer.h"

namespace weir::front {
namespace {

// Statuses whose responses never have a body (RFC 9110 6.4.1).
bool is_bodiless(int status) {
  return status < 200 || status == 204 || status == 304;
}

bool may_have_body(const http::RequestHead& request, int status) {
  return request.method != http::Method::Head && !is_bodiless(status);
}

}  // namespace

http::Framing response_framing(const http::RequestHead& request, const http::ResponseHead& head,
                               bool has_source) {
  if (!has_source || !may_have_body(request, head.status)) return http::Framing::None;
  if (head.framing == http::Framing::None || head.framing == http::Framing::Length) {
    return head.framing;
  }
  return request.minor_version >= 1 ? http::Framing::Chunked : http::Framing::UntilClose;
}

void append_head(std::string& out, const http::ResponseHead& head) {
  http::append_status_line(out, head.status, head.reason);
  http::append_fields(out, head.fields);
}

void append_framing(std::string& out, const http::RequestHead& request,
                    const http::ResponseHead& head, http::Framing framing) {
  switch (framing) {
    case http::Framing::None:
      // What HEAD and 304 say of a body's length stands among the fields already.
      if (may_have_body(request, head.status)) out += "Content-Length: 0\r\n";
      return;
    case http::Framing::Length:
      return http::append_field(out, "Content-Length",
                                fmt::format_int(head.content_length).c_str());
    case http::Framing::Chunked:
      out += "Transfer-Encoding: chunked\r\n";
      return;
    case http::Framing::UntilClose:
      return;
  }
}

void append_fresh_fields(std::string& out, const FreshFields& fresh, const HeadOptions& options) {
  if (fresh.age_s >= 0) http::append_field(out, "Age", fmt::format_int(fresh.age_s).c_str());
  if (!fresh.cache_status.empty()) http::append_field(out, "Cache-Status", fresh.cache_status);
  out += fresh.lines;
  if (options.close) {
    out += "Connection: close\r\n";
  } else if (options.keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
}

std::string error_body(ErrorForm form, int status, std::string_view detail) {
  if (form == ErrorForm::Json) {
    return fmt::format(R"({{"error":{{"field":"","message":"{}: {}"}}}})"
                       "\n",
                       http::reason_phrase(status), detail);
  }
  return fmt::format("{} {}\ndetail={}\n", status, http::reason_phrase(status), detail);
}

void append_error_head(std::string& out, ErrorForm form, int status, std::size_t body_bytes,
                       std::int64_t wall_s) {
  http::append_status_line(out, status);
  out += form == ErrorForm::Json ? "Content-Type: application/json\r\n"
                                 : "Content-Type: text/plain; charset=utf-8\r\n";
  http::append_field(out, "Date", http::format_date(wall_s));
  if (status == 405) http::append_field(out, "Allow", kAllowedMethods);
  if (status == 503) out += "Retry-After: 1\r\n";
  http::append_field(out, "Content-Length", fmt::format_int(body_bytes).c_str());
}

}  // namespace weir::front
