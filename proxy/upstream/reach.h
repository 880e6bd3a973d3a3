// Whether the app can be reached: a connection is made to each of its addresses, and closed again;
// the first that stands says yes. One loop's; one of them serves all who ask while it runs.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/net/timer.h"
#include "proxy/upstream/fetcher.h"
#include "proxy/upstream/upstream_pool.h"
#include "proxy/upstream/wire_pool.h"

namespace weir::upstream {

class Reach {
 public:
  // `ended` is called once everybody is told; it may destroy this. All outlive it.
  Reach(WirePool& wires, const UpstreamPool& pool, std::function<void()> ended);
  // Who has not been told hears that it is not known.
  ~Reach();
  Reach(const Reach&) = delete;
  Reach& operator=(const Reach&) = delete;

  // As Fetcher::reach.
  void ask(Fetcher::Tell tell) { asked_.push_back(std::move(tell)); }

 private:
  class Attempt;

  bool is_down_by_checks() const;
  void end(Result<void> result);
  void failed(const conf::UpstreamUrl& url, const std::string& why);
  void tell();

  WirePool& wires_;
  const UpstreamPool& pool_;
  const std::function<void()> ended_;
  std::vector<Fetcher::Tell> asked_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::size_t failures_ = 0;
  std::optional<Result<void>> result_;
  Timer patience_;  // and then the turn in which everybody is told
};

}  // namespace weir::upstream
