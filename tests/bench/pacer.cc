// bench_pacer PORT RATE SECONDS CONNECTIONS PREFIX COUNT: asks for PREFIX/1 … PREFIX/COUNT at
// random, RATE times a second whatever the answers do: an open loop, in which a server that is slow
// is asked on. For each request it prints when it was due (µs of the steady clock), how long after
// that its answer was whole (µs), and 1; or 0 where that was no 200, or never came.
#include <fmt/format.h>
#include <sys/timerfd.h>

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>

#include "tests/bench/epoll_server.h"

namespace {

constexpr std::int64_t kTick_us = 200;
constexpr std::int64_t kPatience_us = 5'000'000;  // after the last one

std::int64_t now_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct Plan {
  std::uint16_t port;
  std::int64_t rate;
  std::int64_t seconds;
  std::size_t connections;
  std::string prefix;
  std::uint64_t count;
};

struct Outcome {
  std::int64_t due_us;
  std::int64_t took_us;
  bool is_good;
};

struct Asker {
  int fd = -1;
  std::int64_t due_us = -1;  // of the request that it waits for; -1: it is free
  std::string received;
};

// How long a whole answer is, once its head is there; empty: not yet. One that does not tell is 0.
std::optional<std::size_t> size_of(std::string_view answer) {
  constexpr std::string_view kField = "\r\nContent-Length: ";
  const std::size_t head_end = answer.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  const std::size_t field = answer.substr(0, head_end + 2).find(kField);
  if (field == std::string_view::npos) return 0;
  std::size_t body = 0;
  std::from_chars(answer.data() + field + kField.size(), answer.data() + head_end, body);
  return head_end + 4 + body;
}

class Pacer {
 public:
  explicit Pacer(Plan plan) : plan_(std::move(plan)), poll_(epoll_create1(EPOLL_CLOEXEC)) {
    askers_.resize(plan_.connections);
    for (std::size_t i = 0; i < askers_.size(); ++i) {
      connect_again(i);
      free_.push_back(i);
    }
  }

  std::vector<Outcome> run() {
    const int timer = start_timer();
    const std::int64_t began = now_us();
    const std::int64_t all = plan_.rate * plan_.seconds;
    const std::int64_t last_us = began + plan_.seconds * 1'000'000 + kPatience_us;
    std::array<epoll_event, 128> events;
    while (static_cast<std::int64_t>(outcomes_.size()) < all && now_us() < last_us) {
      const int ready = epoll_wait(poll_, events.data(), events.size(), 1000);
      for (int i = 0; i < ready; ++i) {
        if (events[i].data.u64 == kTimer) {
          std::uint64_t ticks = 0;
          std::ignore = read(timer, &ticks, sizeof ticks);
        } else {
          receive(events[i].data.u64);
        }
      }
      for (; asked_ < all && !free_.empty(); ++asked_) {
        const std::int64_t due = began + asked_ * 1'000'000 / plan_.rate;
        if (due > now_us()) break;
        ask(due);
      }
    }
    for (; asked_ < all; ++asked_) {
      end(-1, began + asked_ * 1'000'000 / plan_.rate, false);
    }
    for (const Asker& asker : askers_) {
      if (asker.due_us >= 0) end(-1, asker.due_us, false);
    }
    close(timer);
    return std::move(outcomes_);
  }

 private:
  static constexpr std::uint64_t kTimer = UINT64_MAX;

  void watch(int fd, std::uint64_t who) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = who;
    epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
  }

  int start_timer() const {
    const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    itimerspec every{};
    every.it_interval.tv_nsec = every.it_value.tv_nsec = kTick_us * 1000;
    timerfd_settime(timer, 0, &every, nullptr);
    watch(timer, kTimer);
    return timer;
  }

  // Whether it stands shows when it is used.
  void connect_again(std::size_t who) {
    Asker& asker = askers_[who];
    if (asker.fd >= 0) close(asker.fd);
    asker.received.clear();
    asker.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(plan_.port);
    const int on = 1;
    setsockopt(asker.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(asker.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      std::perror("bench_pacer: connect");
      std::exit(1);
    }
    watch(asker.fd, who);
  }

  void ask(std::int64_t due) {
    const std::size_t who = free_.back();
    free_.pop_back();
    Asker& asker = askers_[who];
    asker.due_us = due;
    const std::string request = fmt::format("GET {}/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
                                            plan_.prefix, random_() % plan_.count + 1, plan_.port);
    // One that was closed meanwhile shows when it is read from.
    std::ignore = send(asker.fd, request.data(), request.size(), MSG_NOSIGNAL);
  }

  void receive(std::size_t who) {
    static std::array<char, 65536> buffer;
    Asker& asker = askers_[who];
    const ssize_t got = recv(asker.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0) asker.received.append(buffer.data(), got);
    const std::optional<std::size_t> size = size_of(asker.received);
    const bool is_whole = size && *size > 0 && asker.received.size() >= *size;
    if (got > 0 && !is_whole && size != 0) return;
    if (asker.due_us >= 0) {
      const bool is_good = is_whole && asker.received.starts_with("HTTP/1.1 200 ");
      end(static_cast<std::int64_t>(who), asker.due_us, is_good);
    }
    if (got <= 0 || size == 0) return connect_again(who);
    asker.received.clear();
  }

  // `who` is free again; -1: nobody is.
  void end(std::int64_t who, std::int64_t due, bool is_good) {
    outcomes_.push_back({due, now_us() - due, is_good});
    if (who < 0) return;
    askers_[who].due_us = -1;
    free_.push_back(who);
  }

  const Plan plan_;
  const int poll_;
  std::vector<Asker> askers_;
  std::vector<std::size_t> free_;
  std::int64_t asked_ = 0;
  std::vector<Outcome> outcomes_;
  std::mt19937_64 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    fmt::print(stderr, "usage: bench_pacer PORT RATE SECONDS CONNECTIONS PREFIX COUNT\n");
    return 2;
  }
  Pacer pacer({.port = static_cast<std::uint16_t>(std::atoi(argv[1])),
               .rate = std::atoll(argv[2]),
               .seconds = std::atoll(argv[3]),
               .connections = std::strtoul(argv[4], nullptr, 10),
               .prefix = argv[5],
               .count = std::strtoull(argv[6], nullptr, 10)});
  for (const Outcome& outcome : pacer.run()) {
    fmt::print("{} {} {}\n", outcome.due_us, outcome.took_us, outcome.is_good ? 1 : 0);
  }
}
