// Where a link's server is, found anew at each connection. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "backends/backend.h"
#include "backends/redis/server_place.h"
#include "base/result.h"

namespace weir::backends::redis {

class PlaceFinder {
 public:
  virtual ~PlaceFinder() = default;
  // `found` is called once, perhaps before this returns; it may destroy the finder. Null: it was
  // called. Who drops the handle is not told.
  using Found = std::move_only_function<void(Result<ServerPlace>)>;
  virtual std::unique_ptr<PendingAnswer> find(Found found) = 0;
};

// One that is always there.
class FixedPlace final : public PlaceFinder {
 public:
  explicit FixedPlace(ServerPlace place) : place_(std::move(place)) {}
  std::unique_ptr<PendingAnswer> find(Found found) override {
    found(place_);
    return nullptr;
  }

 private:
  const ServerPlace place_;
};

}  // namespace weir::backends::redis
