#include "proxy/upstream/curl_loop.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.h"
#include "proxy/upstream/easy_options.h"

namespace weir::upstream {
namespace {

// Work that leads to work at once is done this often before the loop's other events get their turn.
constexpr int kRounds = 8;

template <class T>
void set(CURLM* multi, CURLMoption option, T value) {
  WEIR_CHECK(curl_multi_setopt(multi, option, value) == CURLM_OK);
}

// Easy handles at rest; more are made and freed as needed.
constexpr std::size_t kMostSpare = 16;

}  // namespace

// What curl wants of a descriptor, and who has it now.
struct CurlLoop::Watch final : FdHandler {
  Watch(CurlLoop& curl, int descriptor)
      : owner(curl), fd(descriptor), event(curl.loop_, descriptor, *this) {}
  void on_fd(bool readable, bool writable) override {
    owner.action(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
  }

  CurlLoop& owner;
  const int fd;
  FdEvent event;
  Transfer* lessee = nullptr;
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

CurlLoop::CurlLoop(EventLoop& loop, const conf::Upstream& config)
    : loop_(loop),
      config_(config),
      multi_(curl_multi_init()),
      share_(curl_share_init()),
      timeout_(loop, [this] { action(CURL_SOCKET_TIMEOUT, 0); }),
      kick_(loop, [this] { settle(); }) {
  WEIR_CHECK(multi_ != nullptr && share_ != nullptr);
  set(multi_, CURLMOPT_SOCKETFUNCTION, &socket_callback);
  set(multi_, CURLMOPT_SOCKETDATA, this);
  set(multi_, CURLMOPT_TIMERFUNCTION, &timer_callback);
  set(multi_, CURLMOPT_TIMERDATA, this);
  set(multi_, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

CurlLoop::~CurlLoop() {
  Inside inside(*this);
  for (CURL* easy : spare_) curl_easy_cleanup(easy);
  curl_multi_cleanup(multi_);
  curl_share_cleanup(share_);
}

CURL* CurlLoop::take_easy(Transfer& transfer) {
  CURL* easy = nullptr;
  if (!spare_.empty()) {
    easy = spare_.back();
    spare_.pop_back();
  } else {
    easy = curl_easy_init();
    WEIR_CHECK(easy != nullptr);
    set_fixed_options(easy, config_);
    curl_easy_setopt(easy, CURLOPT_SHARE, share_);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &open_callback);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, &close_callback);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  }
  set_connect_timeout(easy, config_);
  hand_over(easy, transfer);
  return easy;
}

void CurlLoop::hand_over(CURL* easy, Transfer& transfer) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
}

void CurlLoop::give_easy(CURL* easy) {
  if (spare_.size() < kMostSpare) {
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
    spare_.push_back(easy);
  } else {
    Inside inside(*this);
    curl_easy_cleanup(easy);
  }
}

void CurlLoop::add(CURL* easy) {
  WEIR_CHECK(depth_ == 0);
  {
    Inside inside(*this);
    WEIR_CHECK(curl_multi_add_handle(multi_, easy) == CURLM_OK);
  }
  connecting_.insert(easy);
  poke_ = true;
  if (!settling_) kick_.start(0);
}

void CurlLoop::remove(CURL* easy) {
  WEIR_CHECK(depth_ == 0);
  {
    Inside inside(*this);
    curl_multi_remove_handle(multi_, easy);
  }
  connects_no_more(easy);
  if (!settling_) apply_timeout();
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

void CurlLoop::lease(int fd, Transfer& transfer) {
  Watch* watch = find(fd);
  WEIR_CHECK(watch != nullptr);
  watch->event.want(false, false);
  watch->lessee = &transfer;
}

void CurlLoop::end_lease(int fd) {
  if (Watch* watch = find(fd)) watch->lessee = nullptr;
}

void CurlLoop::adopt(int fd) {
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

curl_socket_t CurlLoop::open_callback(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.on_opening()) return CURL_SOCKET_BAD;
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) return CURL_SOCKET_BAD;
  transfer.curl_.make_watch(fd);
  return fd;
}

int CurlLoop::close_callback(void* self, curl_socket_t fd) {
  auto& curl = *static_cast<CurlLoop*>(self);
  if (Watch* watch = curl.find(fd); watch && watch->lessee) watch->lessee->on_closing();
  curl.drop_watch(fd);
  return curl.adopted_.erase(fd) > 0 ? 0 : ::close(fd);
}

// ---- sockets ----

CurlLoop::Watch* CurlLoop::find(int fd) {
  const auto at = static_cast<std::size_t>(fd);
  return fd >= 0 && at < watches_.size() ? watches_[at].get() : nullptr;
}

CurlLoop::Watch& CurlLoop::make_watch(int fd) {
  const auto at = static_cast<std::size_t>(fd);
  if (at >= watches_.size()) watches_.resize(at + 1);
  watches_[at] = std::make_unique<Watch>(*this, fd);
  return *watches_[at];
}

void CurlLoop::drop_watch(int fd) {
  if (find(fd)) watches_[static_cast<std::size_t>(fd)].reset();
}

void CurlLoop::watch_socket(CURL* easy, int fd, int what) {
  Watch* watch = find(fd);
  if (what == CURL_POLL_REMOVE) {
    if (connecting_.contains(easy)) stalled_.push_back(easy);
    // Sockets are known until they are closed; curl's own pipes are not told of again.
    if (watch) watch->event.want(false, false);
    return;
  }
  if (!watch) watch = &make_watch(fd);
  if (watch->lessee) return;
  watch->event.want((what & CURL_POLL_IN) != 0, (what & CURL_POLL_OUT) != 0);
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
    if (std::exchange(poke_, false) || !stalled_.empty()) {
      run_curl();
      more = true;
    }
  }
  settling_ = false;
  apply_timeout();
  if (more || !turns_.empty()) kick_.start(0);
}

// An attempt that is refused ends without curl's going on to the name's next address, and without a
// timer that would make it: not before half of the time to connect is over (libcurl 7.88). A change
// of what is paused, which nothing is while it connects, makes it look again.
void CurlLoop::run_curl() {
  ++wakeups_;
  Inside inside(*this);
  for (CURL* easy : std::exchange(stalled_, {})) {
    curl_easy_pause(easy, CURLPAUSE_RECV);
    curl_easy_pause(easy, CURLPAUSE_CONT);
  }
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
}

void CurlLoop::connects_no_more(CURL* easy) {
  connecting_.erase(easy);
  std::erase(stalled_, easy);
}

bool CurlLoop::drain() {
  bool any = false;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    any = true;
    const CURLcode code = message->data.result;  // the message dies with its handle's removal
    connects_no_more(message->easy_handle);
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

std::string curl_error_text(CURLcode code, const std::string& buffer) {
  return buffer.starts_with('\0') ? curl_easy_strerror(code) : buffer.c_str();
}

}  // namespace weir::upstream
