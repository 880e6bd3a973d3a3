#include "proxy/upstream/curl_loop.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "base/net/address.h"

namespace weir::upstream {
namespace {

// Work that leads to work at once is done this often before the loop's other events get their turn.
constexpr int kRounds = 8;

template <class T>
void set(CURLM* multi, CURLMoption option, T value) {
  WEIR_CHECK(curl_multi_setopt(multi, option, value) == CURLM_OK);
}

SocketAddress name_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&storage), size);
}

bool silent_and_open(int fd) {
  char byte = 0;
  const ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace

// What curl wants of a descriptor, and what is asked of the loop. Reading stays on between the
// transfers of a kept connection: that saves two system calls a request, and tells us at once when
// an idle connection speaks or ends.
struct CurlLoop::Watch final : FdHandler {
  Watch(CurlLoop& curl, int descriptor, bool opened_by_us)
      : owner(curl), fd(descriptor), ours(opened_by_us), event(curl.loop_, descriptor, *this) {}
  void on_fd(bool readable, bool writable) override { owner.on_ready(*this, readable, writable); }

  CurlLoop& owner;
  const int fd;
  const bool ours;  // a connection; else one of curl's own pipes
  FdEvent event;
  bool reads = false;
  bool leased = false;
  bool named = false;  // is in connections_, under `key`
  std::uint32_t key = 0;
  const Transfer* user = nullptr;
};

class CurlLoop::Inside {
 public:
  explicit Inside(CurlLoop& curl) : curl_(curl) { ++curl_.depth_; }
  ~Inside() { --curl_.depth_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  CurlLoop& curl_;
};

CurlLoop::CurlLoop(EventLoop& loop, std::size_t max_connections)
    : loop_(loop),
      multi_(curl_multi_init()),
      timeout_(loop, [this] { action(CURL_SOCKET_TIMEOUT, 0); }),
      kick_(loop, [this] { settle(); }) {
  WEIR_CHECK(multi_ != nullptr);
  set(multi_, CURLMOPT_SOCKETFUNCTION, &socket_callback);
  set(multi_, CURLMOPT_SOCKETDATA, this);
  set(multi_, CURLMOPT_TIMERFUNCTION, &timer_callback);
  set(multi_, CURLMOPT_TIMERDATA, this);
  set(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  if (max_connections == 0) return;
  set(multi_, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(max_connections));
  set(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(max_connections));
}

CurlLoop::~CurlLoop() {
  Inside inside(*this);
  curl_multi_cleanup(multi_);
}

void CurlLoop::attach(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_callback);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  // A connection outlives the transfer that opened it, hence not the transfer here.
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &close_callback);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, &resolver_callback);
  curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, &transfer);
}

void CurlLoop::add(CURL* easy) {
  WEIR_CHECK(depth_ == 0);
  {
    Inside inside(*this);
    WEIR_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
  }
  poke_ = true;
  if (!settling_) kick_.start(0);
}

void CurlLoop::remove(CURL* easy, Transfer& transfer) {
  WEIR_CHECK(depth_ == 0);
  {
    Inside inside(*this);
    curl_multi_remove_handle(multi_, easy);
  }
  Watch* watch = find(transfer.fd_);
  if (watch && watch->user == &transfer) watch->user = nullptr;
  transfer.fd_ = -1;
  transfer.paused_ = false;
  if (!settling_) apply_timeout();
}

CURLcode CurlLoop::pause(CURL* easy, int mask) {
  WEIR_CHECK(depth_ == 0);
  CURLcode code = CURLE_OK;
  {
    Inside inside(*this);
    code = curl_easy_pause(easy, mask);
  }
  poke_ = true;
  if (!settling_) kick_.start(0);
  return code;
}

void CurlLoop::schedule(Transfer& transfer) {
  if (std::exchange(transfer.scheduled_, true)) return;
  turns_.push_back(&transfer);
  if (depth_ == 0 && !settling_ && !kick_.active()) kick_.start(0);
}

void CurlLoop::forget(Transfer& transfer) {
  if (transfer.scheduled_) {
    std::replace(turns_.begin(), turns_.end(), &transfer, static_cast<Transfer*>(nullptr));
  }
}

std::uint32_t CurlLoop::connection_key(int local_port, int remote_port) {
  return static_cast<std::uint32_t>(local_port) << 16 |
         (static_cast<std::uint32_t>(remote_port) & 0xffffU);
}

bool CurlLoop::idle_connection_is_clean(std::uint32_t key) {
  name_connections();
  bool found = false;
  bool clean = true;
  const auto [begin, end] = connections_.equal_range(key);
  for (auto it = begin; it != end; ++it) {
    const Watch* watch = find(it->second);
    if (watch->user != nullptr || watch->leased) continue;
    found = true;
    if (silent_and_open(watch->fd)) continue;
    clean = false;
    // curl takes unread bytes for a sign of life, but not a shut-down socket.
    shutdown(watch->fd, SHUT_RDWR);
  }
  return found && clean;
}

void CurlLoop::lease(int fd) {
  Watch* watch = find(fd);
  WEIR_CHECK(watch != nullptr);
  watch->event.want(false, false);
  watch->leased = true;
}

void CurlLoop::adopt(int fd) {
  lease(fd);
  adopted_.insert(fd);
}

// ---- curl's callbacks ----

int CurlLoop::socket_callback(CURL* easy, curl_socket_t fd, int what, void* self, void*) {
  static_cast<CurlLoop*>(self)->watch_socket(easy, fd, what);
  return 0;
}

int CurlLoop::timer_callback(CURLM*, long timeout_ms, void* self) {
  auto& curl = *static_cast<CurlLoop*>(self);
  curl.timeout_ms_ = timeout_ms;
  curl.timeout_changed_ = true;
  return 0;
}

curl_socket_t CurlLoop::open_callback(void* data, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(data);
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  transfer.fresh_ = true;
  transfer.curl_.make_watch(fd, true);
  transfer.on_connecting();
  return fd;
}

int CurlLoop::close_callback(void* self, curl_socket_t fd) {
  auto& curl = *static_cast<CurlLoop*>(self);
  curl.drop_watch(fd);
  return curl.adopted_.erase(fd) > 0 ? 0 : ::close(fd);
}

int CurlLoop::resolver_callback(void*, void*, void* transfer) {
  static_cast<Transfer*>(transfer)->on_connecting();
  return 0;
}

// ---- sockets ----

CurlLoop::Watch* CurlLoop::find(int fd) {
  const auto at = static_cast<std::size_t>(fd);
  return fd >= 0 && at < watches_.size() ? watches_[at].get() : nullptr;
}

CurlLoop::Watch& CurlLoop::make_watch(int fd, bool ours) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= watches_.size()) watches_.resize(at + 1);
  drop_watch(fd);
  watches_[at] = std::make_unique<Watch>(*this, fd, ours);
  if (ours) unnamed_.push_back(fd);
  return *watches_[at];
}

void CurlLoop::drop_watch(int fd) {
  Watch* watch = find(fd);
  if (!watch) return;
  if (watch->ours && !watch->named) std::erase(unnamed_, fd);
  if (watch->named) {
    const auto [begin, end] = connections_.equal_range(watch->key);
    connections_.erase(std::find_if(begin, end, [fd](const auto& e) { return e.second == fd; }));
  }
  watches_[static_cast<std::size_t>(fd)].reset();
}

void CurlLoop::watch_socket(CURL* easy, int fd, int what) {
  Watch* watch = find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (watch && watch->ours) rest(*watch);
    if (watch && !watch->ours) drop_watch(fd);
    return;
  }
  if (!watch) watch = &make_watch(fd, false);
  watch->reads = (what & CURL_POLL_IN) != 0;
  watch->event.want(watch->reads || watch->event.wants_read(), (what & CURL_POLL_OUT) != 0);
  if (!watch->ours) return;
  void* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  watch->user = static_cast<Transfer*>(transfer);
  if (transfer) static_cast<Transfer*>(transfer)->fd_ = fd;
}

// curl wants nothing of this connection at present: its transfer has ended or is paused.
void CurlLoop::rest(Watch& watch) {
  watch.reads = false;
  watch.event.want(watch.event.wants_read(), false);
  if (watch.user && !watch.user->paused_) watch.user = nullptr;
}

// Ports are known once a connection is made, which curl does not tell; asked for when first needed.
void CurlLoop::name_connections() {
  std::erase_if(unnamed_, [this](int fd) {
    const SocketAddress local = name_of(fd, &getsockname);
    const SocketAddress remote = name_of(fd, &getpeername);
    if (remote.size() == 0) return false;
    Watch* watch = find(fd);
    watch->key = connection_key(local.port(), remote.port());
    watch->named = true;
    connections_.emplace(watch->key, fd);
    return true;
  });
}

void CurlLoop::on_ready(Watch& watch, bool readable, bool writable) {
  if (readable && !watch.reads) {
    // Nobody asked: a paused transfer's bytes, which may wait, or an idle connection that speaks or
    // ends, which nobody may use any more.
    watch.event.want(false, watch.event.wants_write());
    if (watch.ours && watch.user == nullptr) shutdown(watch.fd, SHUT_RDWR);
    if (!writable) return;
    readable = false;
  }
  action(watch.fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

// ---- work ----

void CurlLoop::action(int fd, int bits) {
  ++wakeups_;
  {
    Inside inside(*this);
    int running = 0;
    curl_multi_socket_action(multi_, fd, bits, &running);
  }
  settle();
}

void CurlLoop::settle() {
  if (settling_) return;
  settling_ = true;
  bool more = true;
  for (int round = 0; more && round < kRounds; ++round) {
    more = drain();
    more = run_turns() || more;
    if (std::exchange(poke_, false)) {
      ++wakeups_;
      Inside inside(*this);
      int running = 0;
      curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
      more = true;
    }
  }
  settling_ = false;
  apply_timeout();
  if (more || !turns_.empty()) kick_.start(0);
}

bool CurlLoop::drain() {
  bool any = false;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    any = true;
    const CURLcode code = message->data.result;  // the message dies with its handle's removal
    void* transfer = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    static_cast<Transfer*>(transfer)->on_done(code);
  }
  return any;
}

// Those that are scheduled meanwhile wait for the next round.
bool CurlLoop::run_turns() {
  const std::size_t count = turns_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Transfer* transfer = turns_[i];
    if (!transfer) continue;
    transfer->scheduled_ = false;
    transfer->on_turn();
  }
  turns_.erase(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(count));
  return count > 0;
}

void CurlLoop::apply_timeout() {
  if (!std::exchange(timeout_changed_, false)) return;
  if (timeout_ms_ < 0) {
    timeout_.clear();
  } else {
    timeout_.set(loop_.now_ms() + timeout_ms_);
  }
}

}  // namespace weir::upstream
