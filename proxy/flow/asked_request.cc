#include "proxy/flow/asked_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/http/char_class.h"
#include "base/http/h1_parser.h"
#include "base/http/request_target.h"
#include "base/text.h"

namespace weir::flow {
namespace {

constexpr std::string_view kSelf = "127.0.0.1";

std::unexpected<QuestionFault> fault(std::string_view field, std::string message) {
  return std::unexpected(QuestionFault{std::string(field), std::move(message)});
}

bool has_header(const Question& question, std::string_view name) {
  return std::ranges::any_of(
      question.headers, [&](const auto& header) { return equals_ignore_case(header.first, name); });
}

std::expected<void, QuestionFault> check_headers(const Question& question) {
  for (const auto& [name, value] : question.headers) {
    if (!http::is_token(name)) {
      return fault("headers", fmt::format("\"{}\" is no header's name", name));
    }
    const bool control = std::ranges::any_of(
        value, [](unsigned char c) { return (c < ' ' && c != '\t') || c == 0x7F; });
    if (control) {
      return fault("headers", fmt::format("the value of {} holds a control character", name));
    }
  }
  return {};
}

// The request as a client would write it.
std::expected<std::string, QuestionFault> write_request(const Question& question) {
  const Result<std::string> url = url_as_sent(question.url);
  if (!url) return fault("url", url.error().message);
  http::RequestHead target;
  target.method = http::parse_method(question.method);
  const bool star = *url == "*" && target.method == http::Method::Options;
  const bool origin_form = url->starts_with('/') || star;
  if (url->empty() || !http::split_target(*url, target) ||
      (!origin_form && target.authority.empty())) {
    return fault("url", "needs a path, such as /blog, or a whole URL of http or https");
  }
  std::string path = *url;
  if (!origin_form) {
    path = target.path;
    if (target.has_query) path.append("?").append(target.query);
  }
  std::string text = fmt::format("{} {} HTTP/1.1\r\n", question.method, path);
  if (!has_header(question, "host")) {
    text += fmt::format("Host: {}\r\n", target.authority.empty() ? "localhost" : target.authority);
  }
  if (target.scheme == "https" && !has_header(question, "x-forwarded-proto")) {
    text += "X-Forwarded-Proto: https\r\n";
  }
  for (const auto& [name, value] : question.headers) {
    text += fmt::format("{}: {}\r\n", name, value);
  }
  return text + "\r\n";
}

// Which part of a question the parser's word is about.
std::string_view field_of(std::string_view detail) {
  if (detail.find("method") != detail.npos) return "method";
  const bool of_line = detail.find("target") != detail.npos || detail.find("line") != detail.npos;
  return of_line ? "url" : "headers";
}

}  // namespace

Result<std::string> url_as_sent(std::string_view url) {
  std::string out;
  for (const char c : url.substr(0, url.find('#'))) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F) {
      return fail(ErrorCode::Invalid, "holds a space or a control character");
    }
    if (byte < 0x80) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

keys::Destination AskedRequest::destination() const {
  const http::RequestHead& request = head.get();
  if (!peer_trusted || !keys::speaks_of_visitor(request)) return {.authority = request.authority};
  return keys::destination_of(request, believed);
}

upstream::ForwardInfo AskedRequest::forward_info(const keys::Destination& to,
                                                 std::string told_host) const {
  return {.peer_ip = std::string(kSelf),
          .peer_trusted = peer_trusted,
          .believed = believed,
          .scheme = std::string(to.scheme),
          .authority = std::move(told_host)};
}

std::expected<AskedRequest, QuestionFault> read_question(const Question& question,
                                                         const conf::Config& config) {
  if (!http::is_token(question.method)) {
    return fault("method", "is no method, such as GET or HEAD");
  }
  using http::Method;
  const Method method = http::parse_method(question.method);
  if (method == Method::Trace || method == Method::Connect || method == Method::Purge) {
    return fault("method", "would be refused with 405: it is not forwarded");
  }
  if (auto good = check_headers(question); !good) return std::unexpected(good.error());
  const auto text = write_request(question);
  if (!text) return std::unexpected(text.error());
  http::RequestParser parser({.request_line = config.limits.request_line,
                              .headers = config.limits.headers,
                              .header_count = config.limits.header_count});
  http::RequestHead head;
  const http::ParseStatus status = parser.parse(*text, head);
  if (status != http::ParseStatus::Done) {
    return fault(
        field_of(parser.error().detail),
        fmt::format("would be refused with {} ({})", parser.error().status, parser.error().detail));
  }
  AskedRequest asked{.head = OwnedHead(head)};
  asked.peer_trusted = !config.trusted_proxies.empty();
  if (asked.peer_trusted) asked.believed = config.trusted_fields;
  if (!asked.destination().is_host) {
    return fault("headers", "would be refused with 400 (bad-forwarded-host)");
  }
  return asked;
}

}  // namespace weir::flow
