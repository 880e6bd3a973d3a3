// kill -9 under load, at moments that chance chooses, again and again on one folder. The seed is
// printed: WEIR_TEST_SEED=N chooses the same requests and the same moments once more, as far as
// threads let it.
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <random>
#include <thread>

#include "tests/e2e/disk_fixture.h"

namespace weir::test {
namespace {

using Time = std::chrono::steady_clock::time_point;

constexpr int kClients = 4;
constexpr int kKeys = 240;
// What was received so long ago must have been written.
constexpr std::chrono::milliseconds kWritten{1'000};

constexpr std::string_view kRoutes =
    "routes: [ { match: /**, cache: { duration: 60, client_no_cache: honor } } ]\n";

unsigned seed_of_run() {
  const char* const given = std::getenv("WEIR_TEST_SEED");
  return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : std::random_device{}();
}

// Large ones are written while they arrive: it takes a while until they are there.
bool is_large(int key) {
  return key % 10 == 0;
}

// What the app answers for a key at its `version`th asking: told apart from all other bodies, and
// torn ones, by every part of it.
std::string body_of(int key, int version) {
  std::mt19937_64 random(static_cast<std::uint64_t>(key) << 32U | static_cast<unsigned>(version));
  const std::size_t size = random() % (is_large(key) ? 600'000 : 4'000);
  std::string body(size + sizeof(std::uint64_t), '\0');
  for (std::size_t at = 0; at + sizeof(std::uint64_t) <= body.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(body.data() + at, &word, sizeof word);
  }
  body.resize(size);
  return body;
}

// Of three kinds, by its number: one that stays fresh, one that is fresh for a second, and one that
// stays fresh but is asked for anew now and then. The last is asked for by one client only: of two
// answers that are fetched at the same time either may be the later.
enum class Kind : std::uint8_t { Long, Short, Renewed };
Kind kind_of(int key) {
  return static_cast<Kind>(key % 3);
}

// What the clients have seen of a key. Any thread.
class Seen {
 public:
  void note(int version, Time when) {
    const std::lock_guard lock(mutex_);
    if (version <= newest_) return;
    newest_ = version;
    settle_locked(when);
    recent_.push_back({version, when});
  }
  // It was found on the disk.
  void found(int version) {
    const std::lock_guard lock(mutex_);
    newest_ = settled_ = version;
  }
  // The newest version whose answer has been received.
  int newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }
  // The same, long enough before.
  int settled(Time now) {
    const std::lock_guard lock(mutex_);
    settle_locked(now);
    return settled_;
  }
  // The process was killed then: only what was received long enough before must be there.
  void killed(Time when) {
    const std::lock_guard lock(mutex_);
    settle_locked(when);
    newest_ = settled_;
    recent_.clear();
  }

 private:
  void settle_locked(Time now) {
    while (!recent_.empty() && recent_.front().when + kWritten <= now) {
      settled_ = recent_.front().version;
      recent_.erase(recent_.begin());
    }
  }

  struct Received {
    int version;
    Time when;
  };
  mutable std::mutex mutex_;
  int newest_ = 0;
  int settled_ = 0;
  std::vector<Received> recent_;
};

class DiskKill : public Disk {
 protected:
  DiskKill() {
    RecordProperty("seed", static_cast<int>(seed_));
    std::printf("seed %u\n", seed_);
    origin_.otherwise([this](const Request& request) {
      const int key = std::stoi(request.path.substr(1));
      const int version = ++versions_.at(static_cast<std::size_t>(key));
      return cacheable(body_of(key, version),
                       kind_of(key) == Kind::Short ? "max-age=1" : "max-age=600")
          .header("X-Version", std::to_string(version));
    });
  }

  unsigned chance(unsigned below) { return static_cast<unsigned>(random_() % below); }
  Seen& seen(int key) { return seen_.at(static_cast<std::size_t>(key)); }

  // Asks for a key: the answer is whole, its own, and no older than what was received before; of a
  // large one, long enough before. Empty: the process has gone meanwhile.
  struct Answer {
    bool hit = false;
    int version = 0;
  };
  std::optional<Answer> ask(Client& one, int key, const Fields& fields = {}) {
    const int floor =
        is_large(key) ? seen(key).settled(std::chrono::steady_clock::now()) : seen(key).newest();
    const Response response = one.get("/" + std::to_string(key), fields);
    if (!response.complete && killed_) return std::nullopt;
    EXPECT_TRUE(response.complete && response.status == 200) << key << ", seed " << seed_;
    const int version = std::stoi(response.value("X-Version"));
    EXPECT_TRUE(response.body == body_of(key, version)) << key << ", seed " << seed_;
    const CacheStatus status = cache_status(response);
    EXPECT_GE(version, floor) << key << ", " << status.text << ", seed " << seed_;
    if (status.hit || status.stored) seen(key).note(version, std::chrono::steady_clock::now());
    if (status.hit) ++hits_;
    return Answer{status.hit, version};
  }

  // Asks for all keys, before anybody else does: what is a hit is on the disk. A large one that was
  // being replaced may be gone.
  void expect_written_ones() {
    killed_ = false;
    Client one = client();
    for (int key = 0; key < kKeys; ++key) {
      const bool may_be_gone =
          kind_of(key) == Kind::Short || (kind_of(key) == Kind::Renewed && is_large(key));
      const bool must_be_there = !may_be_gone && seen(key).newest() > 0;
      const Answer answer = ask(one, key).value();
      EXPECT_TRUE(answer.hit || !must_be_there) << key << ", seed " << seed_;
      if (answer.hit) seen(key).found(answer.version);
    }
  }

  // Clients ask for whatever they like. Behind so many answers, and not before that time has
  // passed, one of them kills the process.
  void load_until_killed(int answers, Time::duration at_least = {}) {
    killed_ = false;
    Moment moment{{answers}, std::chrono::steady_clock::now() + at_least, {false}};
    std::vector<std::thread> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.emplace_back([this, i, &moment, seed = random_()] { load(i, seed, moment); });
    }
    for (std::thread& one : clients) one.join();
    EXPECT_EQ(weir().wait(), 128 + SIGKILL) << weir().log_text();
    for (Seen& one : seen_) one.killed(killed_at_);
  }

  const unsigned seed_ = seed_of_run();
  std::mt19937 random_{seed_};
  std::atomic<int> hits_{0};

 private:
  // Of the kill.
  struct Moment {
    std::atomic<int> answers_left;
    const Time not_before;
    std::atomic<bool> taken;
  };

  void load(int client_number, std::mt19937::result_type seed, Moment& moment) {
    std::mt19937 random(seed);
    try {
      Client one = client();
      while (!killed_) {
        const int key = static_cast<int>(random() % kKeys);
        const bool renewed = kind_of(key) == Kind::Renewed;
        if (renewed && key / 3 % kClients != client_number) continue;
        Fields fields;
        if (renewed && random() % 4 == 0) fields.add("Cache-Control", "no-cache");
        if (!ask(one, key, fields).has_value()) return;
        const Time now = std::chrono::steady_clock::now();
        if (--moment.answers_left > 0 || now < moment.not_before) continue;
        if (!moment.taken.exchange(true)) kill_it(now);
      }
    } catch (const std::exception& error) {  // the connection has ended
      EXPECT_TRUE(killed_) << error.what() << ", seed " << seed_;
    }
  }
  void kill_it(Time now) {
    killed_at_ = now;
    killed_ = true;
    kill(weir().process().pid(), SIGKILL);
  }

  std::array<std::atomic<int>, kKeys> versions_{};
  std::array<Seen, kKeys> seen_;
  std::atomic<bool> killed_{false};
  Time killed_at_;  // written before killed_
};

TEST_F(DiskKill, LosesNothingThatWasReceivedASecondBefore) {
  // With memory before the disk and without. Some lives are long enough for that second; half of
  // them are loaded, and some ended, while what lies there is still being found.
  for (int life = 0; life < 20; ++life) {
    const std::string ram = life % 2 == 0 ? "" : "ram: { type: ram, max_size: 8MiB }, ";
    begin("backends: { " + ram + "disk: { type: disk, cache_dir: " + dir() +
          ", max_size: 1GiB, min_free: 0 } }\ndefault: " + (ram.empty() ? "disk" : "[ram, disk]") +
          "\n" + std::string(kRoutes));
    if (life > 0 && chance(2) == 0) {
      await_found(1);
      expect_written_ones();
    }
    load_until_killed(1 + static_cast<int>(chance(3000)),
                      life % 4 == 0 ? 3 * kWritten / 2 : Time::duration{});
  }
  EXPECT_GT(hits_, 0) << "seed " << seed_;
}

TEST_F(DiskKill, ServesNothingWrongAndKeepsToItsRoomWhileOldOnesGo) {
  // Much more is stored than there is room for.
  for (int life = 0; life < 10; ++life) {
    begin(on_disk_alone("max_size: 1MiB") + std::string(kRoutes));
    load_until_killed(1 + static_cast<int>(chance(2000)));
    std::size_t bytes = 0;
    for (const std::string& path : segments_in(dir())) bytes += bytes_of(path).size();
    EXPECT_LE(bytes, 1024U * 1024U) << "in life " << life << ", seed " << seed_;
  }
  EXPECT_GT(hits_, 0) << "seed " << seed_;
}

}  // namespace
}  // namespace weir::test
