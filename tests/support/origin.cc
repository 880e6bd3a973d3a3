#include "tests/support/origin.h"

#include <algorithm>

namespace weir::test {

Origin::Origin() : listener_(Socket::listen_tcp()), port_(listener_.port()) {
  acceptor_ = std::thread([this] { accept_all(); });
}

Origin::Origin(const std::string& unix_path)
    : listener_(Socket::listen_unix(unix_path)), unix_path_(unix_path) {
  acceptor_ = std::thread([this] { accept_all(); });
}

std::string Origin::url() const {
  return unix_path_.empty() ? "http://127.0.0.1:" + std::to_string(port_) : "unix:" + unix_path_;
}

void Origin::on(const std::string& path, Reply reply) {
  on(path, [reply = std::move(reply)](const Request&) { return reply; });
}

void Origin::on(const std::string& path, Handler handler) {
  const std::lock_guard lock(mutex_);
  handlers_[path] = std::move(handler);
}

void Origin::script(const std::string& path, std::vector<Reply> replies) {
  auto next = std::make_shared<std::atomic<std::size_t>>(0);
  on(path, [replies = std::move(replies), next](const Request&) {
    return replies[std::min(next->fetch_add(1), replies.size() - 1)];
  });
}

void Origin::otherwise(Handler handler) {
  const std::lock_guard lock(mutex_);
  otherwise_ = std::move(handler);
}

void Origin::hold_body(const std::string& path, Gate gate) {
  const std::lock_guard lock(mutex_);
  held_bodies_.insert_or_assign(path, std::move(gate));
}

void Origin::answer_early(const std::string& path, Reply reply) {
  const std::lock_guard lock(mutex_);
  early_.insert_or_assign(path, std::move(reply));
}

int Origin::hits(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(requests_.begin(), requests_.end(),
                                        [&](const Request& r) { return r.path == path; }));
}

int Origin::hits() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(requests_.size());
}

int Origin::heads() const {
  const std::lock_guard lock(mutex_);
  return heads_;
}

std::vector<Request> Origin::requests(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  std::vector<Request> found;
  for (const Request& request : requests_)
    if (request.path == path) found.push_back(request);
  return found;
}

Request Origin::last(const std::string& path) const {
  const auto found = requests(path);
  if (found.empty()) throw std::runtime_error("the origin got no request for " + path);
  return found.back();
}

void Origin::await_hits(const std::string& path, int count) const {
  std::unique_lock lock(mutex_);
  const bool came = changed_.wait_until(lock, Deadline().at(), [&] {
    return std::count_if(requests_.begin(), requests_.end(),
                         [&](const Request& r) { return r.path == path; }) >= count;
  });
  if (!came) throw TimedOut(std::to_string(count) + " requests for " + path);
}

int Origin::connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(connections_.size());
}

int Origin::open_connections() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(connections_.begin(), connections_.end(),
                                        [](const Connection& c) { return !c.ended; }));
}

void Origin::stop() {
  if (!acceptor_.joinable()) return;
  stop_.request_stop();
  listener_.shut_down();
  acceptor_.join();  // from here on connections_ does not grow
  {
    const std::lock_guard lock(mutex_);
    for (Connection& connection : connections_)
      if (!connection.ended) connection.socket.shut_down();
  }
  for (Connection& connection : connections_) connection.thread.join();
  listener_.close();
}

void Origin::accept_all() {
  while (true) {
    Socket socket = listener_.accept();
    if (!socket.is_open() || stop_.stop_requested()) return;
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back();
    connection.socket = std::move(socket);
    connection.number = static_cast<int>(connections_.size());
    connection.thread = std::thread([this, &connection] { serve(connection); });
  }
}

void Origin::end(Connection& connection, bool with_reset) {
  const std::lock_guard lock(mutex_);  // stop() must not shut down a descriptor closed meanwhile
  if (connection.ended) return;
  connection.ended = true;
  if (with_reset) {
    connection.socket.reset();
  } else {
    connection.socket.close();
  }
}

}  // namespace weir::test
