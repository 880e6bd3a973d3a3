// What an origin's connection does: reads requests, plays replies.
#include <poll.h>

#include <algorithm>

#include "tests/support/origin.h"

namespace weir::test {
namespace {

constexpr std::size_t kKeptBodyBytes = 1024 * 1024;

std::string as_chunk(const std::string& bytes) {
  char size[24];
  std::snprintf(size, sizeof(size), "%zx\r\n", bytes.size());
  return size + bytes + "\r\n";
}

}  // namespace

void Origin::serve(Connection& connection) {
  {
    const std::lock_guard lock(mutex_);  // what accept_all() wrote is complete from here on
  }
  Reader reader(connection.socket);
  try {
    while (serve_one(connection, reader)) {
    }
  } catch (const std::exception&) {
    // The proxy went away or sent garbage: the connection is over, and the test sees the count.
  }
  end(connection, false);
}

bool Origin::serve_one(Connection& connection, Reader& reader) {
  const auto head = reader.head(Deadline::never());
  if (!head) return false;
  Request request = parse_request(*head);
  request.connection = connection.number;
  std::optional<Gate> gate;
  std::optional<Reply> early;
  {
    const std::lock_guard lock(mutex_);
    ++heads_;
    if (const auto at = held_bodies_.find(request.path); at != held_bodies_.end())
      gate = at->second;
    if (const auto at = early_.find(request.path); at != early_.end()) early = at->second;
  }
  if (early) {
    if (play(connection, reader, *early, request)) play_step(connection, reader, Reply::End::Hang);
    return false;  // what is left of the body is no request
  }
  if (gate && !gate->pass(stop_.get_token())) return false;
  if (!read_body(reader, request)) return false;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
  }
  return play(connection, reader, answer(request), request);
}

bool Origin::read_body(Reader& reader, Request& request) {
  const auto keep = [&](std::string_view bytes) {
    request.body_bytes += bytes.size();
    const std::size_t room = kKeptBodyBytes - std::min(kKeptBodyBytes, request.body.size());
    request.body.append(bytes.substr(0, room));
  };
  if (request.fields.has("Transfer-Encoding")) return reader.chunked_body(keep, Deadline::never());
  if (request.fields.has("Content-Length"))
    return reader.sized_body(std::stoull(request.fields.value("Content-Length")), keep,
                             Deadline::never());
  return true;
}

Reply Origin::answer(const Request& request) {
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    const auto at = handlers_.find(request.path);
    handler = at != handlers_.end() ? at->second : otherwise_;
  }
  return handler ? handler(request) : Reply(404).body("nothing here");
}

bool Origin::play(Connection& connection, Reader& reader, const Reply& reply,
                  const Request& request) {
  for (const Gate& gate : reply.head_gates())
    if (!gate.pass(stop_.get_token())) return false;
  connection.socket.send_all(reply.head(), Deadline::never());
  if (request.method == "HEAD" && !reply.is_raw()) return true;
  for (const Reply::Step& step : reply.steps())
    if (!play_step(connection, reader, step)) return false;
  if (reply.is_chunked()) connection.socket.send_all("0\r\n\r\n", Deadline::never());
  return !reply.closes();
}

// The pace of a slow app; nothing waits for it to have passed.
void Origin::drip(Socket& socket) {
  constexpr int kEveryMs = 20;
  pollfd peer{.fd = socket.fd(), .events = POLLIN, .revents = 0};
  while (poll(&peer, 1, kEveryMs) == 0) socket.send_all("x", Deadline::never());
}

bool Origin::play_step(Connection& connection, Reader& reader, const Reply::Step& step) {
  if (const auto* send = std::get_if<Reply::Send>(&step)) {
    connection.socket.send_all(send->as_chunk ? as_chunk(*send->bytes) : *send->bytes,
                               Deadline::never());
    return true;
  }
  if (const auto* wait = std::get_if<Reply::Wait>(&step)) return wait->gate.pass(stop_.get_token());
  if (std::holds_alternative<Reply::Echo>(step)) {
    for (std::string bytes; !(bytes = reader.some(65536, Deadline::never())).empty();)
      connection.socket.send_all(bytes, Deadline::never());
    return false;
  }
  switch (std::get<Reply::End>(step)) {
    case Reply::End::Reset:
      end(connection, true);
      break;
    case Reply::End::Hang:
      while (!reader.some(65536, Deadline::never()).empty()) {
      }
      break;
    case Reply::End::Drip:
      drip(connection.socket);
      break;
    case Reply::End::Close:
      break;
  }
  return false;
}

}  // namespace weir::test
