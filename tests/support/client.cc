#include "tests/support/client.h"

namespace weir::test {

Client::Client(Socket socket) : connection_(std::make_unique<Connection>(std::move(socket))) {}

void Client::send(std::string_view bytes) {
  connection_->socket.send_all(bytes, Deadline());
}

Response Client::read_head(std::string_view method) {
  std::vector<Response> informational;
  while (true) {
    const auto head = connection_->reader.head(Deadline());
    if (!head) throw std::runtime_error("the connection ended before an answer's head was there");
    Response response = parse_response(*head, method);
    if (response.status >= 200 || response.status == 101) {
      response.informational = std::move(informational);
      return response;
    }
    informational.push_back(std::move(response));
  }
}

Response Client::read(std::string_view method) {
  Response response = read_head(method);
  Reader& reader = connection_->reader;
  const auto keep = [&](std::string_view bytes) { response.body.append(bytes); };
  switch (response.framing) {
    case Framing::None:
      response.complete = true;
      break;
    case Framing::Length:
      response.complete =
          reader.sized_body(std::stoull(response.value("Content-Length")), keep, Deadline());
      break;
    case Framing::Chunked:
      response.complete = reader.chunked_body(keep, Deadline());
      break;
    case Framing::UntilClose:
      response.body = read_until_close();
      response.complete = true;
      break;
  }
  return response;
}

std::string Client::read_some(std::size_t max) {
  return connection_->reader.some(max, Deadline());
}

std::string Client::read_chunked(std::size_t bytes) {
  std::string body;
  while (body.size() < bytes) {
    const auto size_line = connection_->reader.line(Deadline());
    if (!size_line) throw std::runtime_error("the chunked body ended early, after " + body);
    const auto size = std::stoull(*size_line, nullptr, 16);
    if (size == 0) throw std::runtime_error("the last chunk came early, after " + body);
    const auto keep = [&](std::string_view piece) { body.append(piece); };
    if (!connection_->reader.sized_body(size, keep, Deadline()) ||
        connection_->reader.line(Deadline()) != "\r\n")
      throw std::runtime_error("broken chunk, after " + body);
  }
  return body;
}

std::string Client::read_until_close() {
  std::string all;
  for (std::string piece; !(piece = read_some()).empty();) all += piece;
  return all;
}

bool Client::closed() {
  return connection_->reader.at_end(Deadline());
}

std::string Client::message(std::string_view method, std::string_view target, const Fields& fields,
                            std::string_view body) {
  std::string text = std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n";
  if (!fields.has("Host")) text += "Host: app.test\r\n";
  for (const Field& field : fields) text += field.name + ": " + field.value + "\r\n";
  if (!body.empty() && !fields.has("Content-Length"))
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + std::string(body);
}

Response Client::request(std::string_view method, std::string_view target, const Fields& fields,
                         std::string_view body) {
  send(message(method, target, fields, body));
  return read(method);
}

Response Client::get(std::string_view target, const Fields& fields) {
  return request("GET", target, fields);
}

}  // namespace weir::test
