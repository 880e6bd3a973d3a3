#include "base/net/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "base/life.h"
#include "base/net/loop_door.h"

namespace weir {
namespace {

Result<Resolver::Addresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (error != 0) {
    const char* why = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
    return fail(ErrorCode::NotFound, "no address is found for " + host + ": " + why);
  }
  Resolver::Addresses out;
  for (const addrinfo* at = found; at; at = at->ai_next) {
    out.push_back(SocketAddress::from(at->ai_addr, at->ai_addrlen));
  }
  freeaddrinfo(found);
  return out;
}

class SystemAsking final : public Resolver::Asking {
 public:
  SystemAsking(EventLoop& loop, Resolver::Done done)
      : door_(std::make_shared<LoopDoor>(loop)), done_(std::move(done)) {}
  ~SystemAsking() override { door_->close(); }

  const std::shared_ptr<LoopDoor>& door() const { return door_; }
  Weak<SystemAsking> watch() { return life_.watch(); }
  // He who asked may drop this object: nothing comes after.
  void answered(Result<Resolver::Addresses> addresses) {
    Resolver::Done done = std::move(done_);
    done(std::move(addresses));
  }

 private:
  const std::shared_ptr<LoopDoor> door_;
  Resolver::Done done_;
  Life<SystemAsking> life_{*this};
};

class SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(Executor& executor)
      : shared_(std::make_shared<Shared>()), executor_(executor) {}

  std::unique_ptr<Asking> resolve(EventLoop& loop, const std::string& host, std::uint16_t port,
                                  Done done) override {
    auto asking = std::make_unique<SystemAsking>(loop, std::move(done));
    const std::pair name(host, port);
    const std::lock_guard lock(shared_->mutex);
    std::vector<Asker>& askers = shared_->running[name];
    askers.push_back({asking->door(), asking->watch()});
    if (askers.size() == 1) {
      executor_.run([shared = shared_, name] { shared->answer(name); });
    }
    return asking;
  }

 private:
  struct Asker {
    std::shared_ptr<LoopDoor> door;
    Weak<SystemAsking> asking;
  };
  // A look-up may take long, and nobody can stop it: one at a time for each name, whose answer is
  // that of all who have asked meanwhile.
  struct Shared {
    using Name = std::pair<std::string, std::uint16_t>;

    void answer(const Name& name) {
      const auto addresses = look_up(name.first, name.second);
      std::vector<Asker> askers;
      {
        const std::lock_guard lock(mutex);
        askers = std::move(running.extract(name).mapped());
      }
      for (Asker& asker : askers) {
        asker.door->post([weak = std::move(asker.asking), addresses] {
          if (SystemAsking* const asked = weak.get()) asked->answered(addresses);
        });
      }
    }

    std::mutex mutex;
    std::map<Name, std::vector<Asker>> running;  // guarded by mutex
  };

  const std::shared_ptr<Shared> shared_;
  Executor& executor_;
};

}  // namespace

std::unique_ptr<Resolver> make_system_resolver(Executor& executor) {
  return std::make_unique<SystemResolver>(executor);
}

}  // namespace weir
