// The calls of the admin address: which there are, and how one that has to wait is answered.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/life.h"
#include "base/net/loop_door.h"
#include "proxy/admin/figures.h"
#include "proxy/admin/reply.h"
#include "proxy/flow/worker_context.h"
#include "proxy/values/lease_table.h"

namespace weir::admin {

// Who waits for a reply. On its own loop.
class Asking {
 public:
  virtual ~Asking() = default;
  virtual void answered(Reply reply) = 0;
};

// The way back to him. Any thread, once; he may be gone by then, and so may his loop.
class Asker {
 public:
  Asker(std::shared_ptr<LoopDoor> door, Weak<Asking> who)
      : door_(std::move(door)), who_(std::move(who)) {}
  void answer(Reply reply) {
    door_->post([who = who_, reply = std::move(reply)]() mutable {
      if (Asking* const waiting = who.get()) waiting->answered(std::move(reply));
    });
  }

 private:
  std::shared_ptr<LoopDoor> door_;
  Weak<Asking> who_;
};

struct Call {
  http::Method method = http::Method::Get;
  std::string_view path;
  bool is_open = false;      // needs no token
  std::size_t max_body = 0;  // bytes
  // The reply, or nothing: then the asker gets it later. On `worker`'s loop, which may be any; what
  // the request's views point to is gone when it returns.
  std::function<std::optional<Reply>(const Request& request, Asker asker,
                                     flow::WorkerContext& worker)>
      run;
};

// `leases` outlive them.
std::vector<Call> make_calls(const Instance& instance, values::LeaseTable& leases);

}  // namespace weir::admin
