// Names to addresses, off the loop: the system's resolver blocks. A name is looked up anew each
// time it is asked for, so that a change of it is followed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/net/address.h"
#include "base/net/event_loop.h"
#include "base/result.h"

namespace weir {

class Resolver {
 public:
  virtual ~Resolver() = default;

  using Addresses = std::vector<SocketAddress>;  // at least one, in the order to try them
  using Done = std::move_only_function<void(Result<Addresses>)>;
  // A question that is under way; dropping it means that nobody wants to hear the answer.
  class Asking {
   public:
    virtual ~Asking() = default;
  };
  // `host` is a name, or an address without brackets. On `loop`, where `done` is called once,
  // later. Its errors are sentences: which name, and what is wrong with it.
  virtual std::unique_ptr<Asking> resolve(EventLoop& loop, const std::string& host,
                                          std::uint16_t port, Done done) = 0;
};

// The system's (getaddrinfo), on the executor, which outlives it and what it was asked.
std::unique_ptr<Resolver> make_system_resolver(Executor& executor);

}  // namespace weir
