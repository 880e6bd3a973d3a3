// bench_redis_floor PORT REDIS_PORT SIZE: answers a path with what Weir has stored for it in Redis,
// an object of SIZE bytes, and does nothing else: commands by hiredis' formatter, all of a turn
// with one send, replies by its reader, their bytes with writev behind one fixed head. Which keys
// those are it finds out once, when it starts (docs/REDIS_FORMAT.md); what is younger it does not
// know.
#include <fcntl.h>
#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "tests/bench/epoll_server.h"

namespace {

constexpr std::size_t kPieceHead = 24;  // before each piece of a body
constexpr ssize_t kReadAtOnce = 65536;
constexpr int kReadsPerTurn = 16;
constexpr std::size_t kPartsAtOnce = 16;  // of one writev
constexpr std::uint64_t kNobody = 0;

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "bench_redis_floor: {}\n", why);
  std::exit(1);
}

std::string_view bytes_of(const redisReply& reply) {
  return {reply.str, static_cast<std::size_t>(reply.len)};
}

// An object's keys, in the order in which they are asked for: its value, then its body's pieces.
struct Object {
  std::vector<std::string> keys;
};

// One connection to the server: commands of a turn are collected, replies come in their order.
class RedisWire {
 public:
  explicit RedisWire(std::uint16_t port) : reader_(redisReaderCreate()) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      give_up("no server");
    }
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~RedisWire() {
    redisReaderFree(reader_);
    close(fd_);
  }
  RedisWire(const RedisWire&) = delete;
  RedisWire& operator=(const RedisWire&) = delete;

  int fd() const { return fd_; }
  void stop_blocking() const { fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK); }

  void add(std::initializer_list<std::string_view> words) {
    std::array<const char*, 6> begins;
    std::array<std::size_t, 6> sizes;
    int count = 0;
    for (const std::string_view word : words) {
      begins.at(count) = word.data();
      sizes.at(count++) = word.size();
    }
    char* command = nullptr;
    const int bytes = redisFormatCommandArgv(&command, count, begins.data(), sizes.data());
    if (bytes < 0) give_up("no command");
    out_.append(command, bytes);
    redisFreeCommand(command);
  }

  // Sends what is collected, as far as the socket takes it; whether all went.
  bool flush() {
    while (!out_.empty()) {
      const ssize_t sent = send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return false;
      if (sent < 0) give_up("the server is gone");
      out_.erase(0, sent);
    }
    return true;
  }

  // Waits where the socket blocks; whether there may be more.
  bool receive() {
    static std::array<char, kReadAtOnce> buffer;
    const ssize_t received = recv(fd_, buffer.data(), buffer.size(), 0);
    if (received < 0 && errno == EAGAIN) return false;
    if (received <= 0) give_up("the server is gone");
    redisReaderFeed(reader_, buffer.data(), received);
    return received == kReadAtOnce;
  }

  // The next one that is whole; null: more has to come.
  Reply next() {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_, &reply) != REDIS_OK) give_up(reader_->errstr);
    return Reply(static_cast<redisReply*>(reply));
  }

 private:
  int fd_;
  redisReader* const reader_;
  std::string out_;
};

// Reads the names of all keys, before the wire is made non-blocking.
class Names {
 public:
  explicit Names(RedisWire& wire) {
    std::string cursor = "0";
    do {
      wire.add({"SCAN", cursor, "COUNT", "1000"});
      wire.flush();
      Reply found;
      while (!(found = wire.next())) wire.receive();
      if (found->type != REDIS_REPLY_ARRAY || found->elements != 2) give_up("SCAN was refused");
      const redisReply& keys = *found->element[1];
      for (std::size_t i = 0; i < keys.elements; ++i) take(bytes_of(*keys.element[i]));
      cursor = bytes_of(*found->element[0]);
    } while (cursor != "0");
  }

  // path -> its keys.
  std::unordered_map<std::string, Object> objects() const {
    std::unordered_map<std::string, Object> out;
    for (const auto& [path, of_value] : values_) {
      const auto& [tag, name] = of_value;
      Object object{{name}};
      const auto pieces = pieces_.find(tag);
      if (pieces != pieces_.end()) {
        for (const auto& [number, piece] : pieces->second) object.keys.push_back(piece);
      }
      out[path] = std::move(object);
    }
    return out;
  }

 private:
  // "PREFIXr:{H}:AUTHORITY/PATH" is a value, "PREFIXr:{H}:GENERATION:N" a piece.
  void take(std::string_view name) {
    const std::size_t tag_end = name.find("}:");
    if (tag_end == std::string_view::npos || !name.substr(0, name.find('{')).ends_with("r:"))
      return;
    const std::string tag(name.substr(0, tag_end));
    const std::string_view rest = name.substr(tag_end + 2);
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos) {
      values_[std::string(rest.substr(slash))] = {tag, std::string(name)};
    } else {
      const std::string digits(rest.substr(rest.rfind(':') + 1));
      // Of several generations any will do: they have the same bytes.
      pieces_[tag][std::strtoul(digits.c_str(), nullptr, 10)] = name;
    }
  }

  std::map<std::string, std::pair<std::string, std::string>> values_;  // by path: tag, name
  std::map<std::string, std::map<std::uint64_t, std::string>> pieces_;
};

struct Client {
  explicit Client(int descriptor) : fd(descriptor) {}
  ~Client() { close(fd); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  struct Part {
    Reply reply;
    std::string_view unsent;  // of it
  };

  int fd;
  std::uint64_t request = kNobody;  // the number of what it waits for
  std::string_view head;            // unsent
  std::deque<Part> parts;
};

class RedisFloor {
 public:
  RedisFloor(std::uint16_t redis_port, std::size_t size)
      : wire_(redis_port),
        objects_(Names(wire_).objects()),
        size_(size),
        head_(fmt::format("HTTP/1.1 200 OK\r\n"
                          "Content-Type: application/octet-stream\r\n"
                          "Content-Length: {}\r\n"
                          "Cache-Control: max-age=3600\r\n"
                          "ETag: \"floor\"\r\n"
                          "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                          "Age: 1\r\n\r\n",
                          size)) {
    wire_.stop_blocking();
  }

  int serve(std::uint16_t port) {
    listener_ = weir::bench::listen_on_loopback(port);
    if (listener_ < 0) return 1;
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    watch(EPOLL_CTL_ADD, wire_.fd(), EPOLLIN);
    std::array<epoll_event, 128> events;
    for (;;) {
      const int ready = epoll_wait(poll_, events.data(), events.size(), -1);
      for (int i = 0; i < ready; ++i) on_event(events[i]);
      const bool all_went = wire_.flush();
      if (all_went == all_went_) continue;
      all_went_ = all_went;
      watch(EPOLL_CTL_MOD, wire_.fd(), all_went ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }
  }

 private:
  // Whose reply comes next.
  struct Asked {
    int fd;
    std::uint64_t request;
    std::size_t skip;  // of its bytes, or all where nothing of it is sent
  };
  static constexpr std::size_t kAll = SIZE_MAX;

  void watch(int what, int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(poll_, what, fd, &event);
  }

  void on_event(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return weir::bench::accept_all(listener_, poll_, clients_);
    if (fd == wire_.fd()) return on_replies();
    Client* const client = clients_[fd].get();
    if (!client) return;  // gone since, by a reply of this turn
    bool alive = send_on(*client);
    if (alive && (event.events & EPOLLIN)) alive = receive_on(*client);
    if (!alive) clients_[fd].reset();
  }

  bool receive_on(Client& client) {
    std::array<char, 8192> buffer;
    const ssize_t received = recv(client.fd, buffer.data(), buffer.size(), 0);
    if (received <= 0) return received < 0 && errno == EAGAIN;
    const std::string_view request(buffer.data(), received);
    if (!request.ends_with("\r\n\r\n")) return true;
    const auto found = objects_.find(std::string(weir::bench::path_of(request)));
    if (found == objects_.end()) {
      client.request = kNobody;
      client.head = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
      return send_on(client);
    }
    client.request = ++last_request_;
    client.head = head_;
    const std::vector<std::string>& keys = found->second.keys;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      wire_.add({"GET", keys[i]});
      const std::size_t of_value = keys.size() > 1 ? kAll : 0;
      asked_.push_back({client.fd, client.request, i > 0 ? kPieceHead : of_value});
    }
    return true;
  }

  void on_replies() {
    bool more = true;
    for (int i = 0; more && i < kReadsPerTurn; ++i) {
      more = wire_.receive();
      take_replies();
    }
  }

  void take_replies() {
    while (Reply reply = wire_.next()) {
      const Asked asked = asked_.front();
      asked_.pop_front();
      if (reply->type != REDIS_REPLY_STRING) give_up("an object is gone");
      Client* const client = clients_[asked.fd].get();
      if (!client || client->request != asked.request || asked.skip == kAll) continue;
      std::string_view bytes = bytes_of(*reply);
      bytes.remove_prefix(asked.skip);
      // The body is the end of a value.
      if (bytes.size() > size_) bytes.remove_prefix(bytes.size() - size_);
      client->parts.push_back({std::move(reply), bytes});
      if (!send_on(*client)) clients_[asked.fd].reset();
    }
  }

  // Sends what there is until the socket is full; false when the peer is gone. A head goes with
  // what comes behind it.
  static bool send_on(Client& client) {
    const bool has_all = client.request == kNobody || !client.parts.empty();
    while (has_all && (!client.head.empty() || !client.parts.empty())) {
      std::array<iovec, kPartsAtOnce> vectors;
      int count = 0;
      const auto add = [&](std::string_view bytes) {
        vectors[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
      };
      if (!client.head.empty()) add(client.head);
      for (const Client::Part& part : client.parts) {
        if (count == kPartsAtOnce) break;
        add(part.unsent);
      }
      const ssize_t sent = writev(client.fd, vectors.data(), count);
      if (sent < 0) return errno == EAGAIN;
      drop_sent(client, sent);
    }
    return true;
  }

  static void drop_sent(Client& client, std::size_t sent) {
    const std::size_t of_head = std::min(sent, client.head.size());
    client.head.remove_prefix(of_head);
    sent -= of_head;
    while (!client.parts.empty() && sent >= client.parts.front().unsent.size()) {
      sent -= client.parts.front().unsent.size();
      client.parts.pop_front();
    }
    if (!client.parts.empty()) client.parts.front().unsent.remove_prefix(sent);
  }

  RedisWire wire_;
  const std::unordered_map<std::string, Object> objects_;
  const std::size_t size_;
  const std::string head_;
  int listener_ = -1;
  int poll_ = -1;
  bool all_went_ = true;
  std::uint64_t last_request_ = kNobody;
  std::deque<Asked> asked_;
  std::vector<std::unique_ptr<Client>> clients_;  // by descriptor
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: bench_redis_floor PORT REDIS_PORT SIZE\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  RedisFloor floor(static_cast<std::uint16_t>(std::atoi(argv[2])),
                   std::strtoul(argv[3], nullptr, 10));
  return floor.serve(static_cast<std::uint16_t>(std::atoi(argv[1])));
}
