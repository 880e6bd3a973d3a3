#include "tests/support/message.h"

#include <strings.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace weir::test {
namespace {

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return std::string(text.substr(from, text.find_last_not_of(" \t") - from + 1));
}

// Every line behind the first, up to the blank one.
Fields parse_fields(const std::string& head) {
  Fields fields;
  std::size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    if (end == std::string::npos || end == at) break;
    const std::string line = head.substr(at, end - at);
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) throw std::runtime_error("header line without colon: " + line);
    fields.add(line.substr(0, colon), trimmed(std::string_view(line).substr(colon + 1)));
    at = end + 2;
  }
  return fields;
}

std::uint64_t parse_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size())
    throw std::runtime_error("not a number: '" + std::string(text) + "'");
  return number;
}

}  // namespace

void Fields::add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

int Fields::count(std::string_view name) const {
  return static_cast<int>(std::count_if(fields_.begin(), fields_.end(),
                                        [&](const Field& f) { return same_name(f.name, name); }));
}

std::string Fields::value(std::string_view name) const {
  for (const Field& field : fields_)
    if (same_name(field.name, name)) return field.value;
  return {};
}

std::string Fields::joined(std::string_view name) const {
  std::string all;
  for (const Field& field : fields_) {
    if (!same_name(field.name, name)) continue;
    if (!all.empty()) all += ", ";
    all += field.value;
  }
  return all;
}

bool Reader::fill(Deadline deadline) {
  char bytes[64 * 1024];
  const std::size_t got = socket_->receive(bytes, sizeof(bytes), deadline);
  buffer_.append(bytes, got);
  return got > 0;
}

std::optional<std::string> Reader::through(std::string_view mark, Deadline deadline) {
  std::size_t end = 0;
  while ((end = buffer_.find(mark)) == std::string::npos)
    if (!fill(deadline)) return std::nullopt;
  std::string taken = buffer_.substr(0, end + mark.size());
  buffer_.erase(0, end + mark.size());
  return taken;
}

std::optional<std::string> Reader::head(Deadline deadline) {
  return through("\r\n\r\n", deadline);
}

std::optional<std::string> Reader::line(Deadline deadline) {
  return through("\r\n", deadline);
}

std::string Reader::some(std::size_t max, Deadline deadline) {
  if (buffer_.empty() && !fill(deadline)) return {};
  std::string taken = buffer_.substr(0, max);
  buffer_.erase(0, taken.size());
  return taken;
}

bool Reader::at_end(Deadline deadline) {
  return buffer_.empty() && !fill(deadline);
}

bool Reader::sized_body(std::uint64_t bytes, const Sink& sink, Deadline deadline) {
  while (bytes > 0) {
    const std::string piece = some(static_cast<std::size_t>(bytes), deadline);
    if (piece.empty()) return false;
    sink(piece);
    bytes -= piece.size();
  }
  return true;
}

bool Reader::chunked_body(const Sink& sink, Deadline deadline) {
  while (true) {
    const auto size_line = line(deadline);
    if (!size_line) return false;
    const std::uint64_t size = parse_number(size_line->substr(0, size_line->size() - 2), 16);
    if (size == 0) break;
    if (!sized_body(size, sink, deadline)) return false;
    const auto end = line(deadline);
    if (!end) return false;
    if (*end != "\r\n") throw std::runtime_error("chunk longer than its size: " + *end);
  }
  while (true) {  // trailers
    const auto trailer = line(deadline);
    if (!trailer) return false;
    if (*trailer == "\r\n") return true;
  }
}

Request parse_request(const std::string& head) {
  Request request;
  std::istringstream first(head.substr(0, head.find("\r\n")));
  first >> request.method >> request.target >> request.version;
  const std::size_t mark = request.target.find('?');
  request.path = request.target.substr(0, mark);
  if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
  request.fields = parse_fields(head);
  return request;
}

Response parse_response(const std::string& head, std::string_view method) {
  Response response;
  if (!head.starts_with("HTTP/1.")) throw std::runtime_error("not a response: " + head);
  response.version = head.substr(0, 8);
  response.status = static_cast<int>(parse_number(std::string_view(head).substr(9, 3), 10));
  response.fields = parse_fields(head);
  const bool bodiless =
      response.status < 200 || response.status == 204 || response.status == 304 || method == "HEAD";
  if (bodiless) {
    response.framing = Framing::None;
  } else if (response.fields.has("Transfer-Encoding")) {
    response.framing = Framing::Chunked;
  } else if (response.fields.has("Content-Length")) {
    response.framing = Framing::Length;
  } else {
    response.framing = Framing::UntilClose;
  }
  return response;
}

}  // namespace weir::test
