#include "tests/support/redis_client.h"

#include <ostream>
#include <stdexcept>

namespace weir::test {

std::string RedisReply::error_code() const {
  return is_error() ? text.substr(0, text.find(' ')) : "";
}

std::vector<std::string> RedisReply::texts() const {
  std::vector<std::string> all;
  all.reserve(elements.size());
  for (const RedisReply& element : elements) all.push_back(element.text);
  return all;
}

std::string RedisReply::field(std::string_view name) const {
  const std::string all = "\n" + text;
  const std::string start = "\n" + std::string(name) + ":";
  const std::size_t at = all.find(start);
  if (at == std::string::npos) return "";
  const std::size_t from = at + start.size();
  return all.substr(from, all.find_first_of("\r\n", from) - from);
}

std::string RedisReply::value(std::string_view name) const {
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
    if (elements[i].text == name) return elements[i + 1].text;
  return "";
}

void PrintTo(const RedisReply& reply, std::ostream* out) {
  *out << reply.type;
  if (reply.nil) {
    *out << "nil";
  } else if (reply.type == ':') {
    *out << reply.number;
  } else if (reply.type == '*') {
    *out << "[ ";
    for (const RedisReply& element : reply.elements) {
      PrintTo(element, out);
      *out << ' ';
    }
    *out << ']';
  } else {
    *out << '"' << reply.text << '"';
  }
}

RedisClient::RedisClient(std::uint16_t port, std::chrono::milliseconds patience)
    : socket_(Socket::connect_tcp(port)), patience_(patience) {}

RedisClient::RedisClient(const std::string& unix_path, std::chrono::milliseconds patience)
    : socket_(Socket::connect_unix(unix_path)), patience_(patience) {}

RedisReply RedisClient::command(const std::vector<std::string>& words) {
  send(words);
  return read();
}

RedisReply RedisClient::must(const std::vector<std::string>& words) {
  RedisReply reply = command(words);
  if (!reply.is_error()) return reply;
  std::string asked;
  for (const std::string& word : words) asked += word + " ";
  throw std::runtime_error(asked + "=> " + reply.text);
}

void RedisClient::send(const std::vector<std::string>& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  socket_.send_all(bytes, Deadline(patience_));
}

RedisReply RedisClient::read() {
  return read_reply(Deadline(patience_));
}

RedisReply RedisClient::read_reply(Deadline deadline) {
  const std::string line = read_line(deadline);
  RedisReply reply;
  reply.type = line.empty() ? '\0' : line.front();
  if (reply.type == '+' || reply.type == '-') {
    reply.text = line.substr(1);
    return reply;
  }
  if (reply.type != ':' && reply.type != '$' && reply.type != '*')
    throw std::runtime_error("no reply of RESP2: " + line);
  const std::int64_t number = std::stoll(line.substr(1));
  if (reply.type == ':') {
    reply.number = number;
  } else if (number < 0) {
    reply.nil = true;
  } else if (reply.type == '$') {
    reply.text = read_bytes(static_cast<std::size_t>(number), deadline);
    read_bytes(2, deadline);
  } else {
    for (std::int64_t i = 0; i < number; ++i) reply.elements.push_back(read_reply(deadline));
  }
  return reply;
}

std::string RedisClient::read_line(Deadline deadline) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n")) == std::string::npos) receive_more(deadline);
  std::string line = received_.substr(0, end);
  received_.erase(0, end + 2);
  return line;
}

std::string RedisClient::read_bytes(std::size_t count, Deadline deadline) {
  while (received_.size() < count) receive_more(deadline);
  std::string bytes = received_.substr(0, count);
  received_.erase(0, count);
  return bytes;
}

void RedisClient::receive_more(Deadline deadline) {
  char bytes[16 * 1024];
  const std::size_t got = socket_.receive(bytes, sizeof(bytes), deadline);
  if (got == 0) throw PeerGone("the server has closed the connection");
  received_.append(bytes, got);
}

}  // namespace weir::test
