#include "base/net/resolver.h"

#include <netdb.h>

#include <cerrno>
#include <cstring>
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
  explicit SystemResolver(Executor& executor) : executor_(executor) {}

  std::unique_ptr<Asking> resolve(EventLoop& loop, const std::string& host, std::uint16_t port,
                                  Done done) override {
    auto asking = std::make_unique<SystemAsking>(loop, std::move(done));
    executor_.run([host, port, door = asking->door(), weak = asking->watch()] {
      door->post([weak, addresses = look_up(host, port)]() mutable {
        if (SystemAsking* const asked = weak.get()) asked->answered(std::move(addresses));
      });
    });
    return asking;
  }

 private:
  Executor& executor_;
};

}  // namespace

std::unique_ptr<Resolver> make_system_resolver(Executor& executor) {
  return std::make_unique<SystemResolver>(executor);
}

}  // namespace weir
